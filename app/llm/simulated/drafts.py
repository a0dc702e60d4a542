"""A lesson written down: as two whole prompts, or as a few exact edits of the present ones."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.llm.simulated.lessons import Lesson
from app.llm.simulated.study import Study
from app.ports.llm import Json

_LIST_LINE = re.compile(r"^\s*[-*•] ")
_EXAMPLES = re.compile(r"\s*<examples>\n.*\n</examples>\s*\Z", re.DOTALL)


@dataclass(frozen=True)
class Draft:
    """What to write, and the reason to give for it. An empty ``lesson.form`` leaves the output prompt as it is."""

    lesson: Lesson
    reasoning: str


def as_rewrite(study: Study, draft: Draft) -> dict[str, Json]:
    """Both prompts: the present prose, every name known so far with its explanation, and the rules."""
    lesson, brief = draft.lesson, study.brief
    known = {"Glossary:": brief.glossary, "Fields of the JSON object:": brief.fields}.get(lesson.heading, brief.labels)
    names = {name: known.get(name, "") for name in {**known, **lesson.entries}}
    lines = [_line(name, _joined(text, lesson.entries.get(name, ""))) for name, text in names.items()]
    parts = ["\n".join(_prose(study.system_prompt))]
    if lines:
        parts.append("\n".join([lesson.heading, *lines]))
    kept = _rules("\n".join(line for line in study.system_prompt.splitlines() if line not in lesson.drop))
    rules = [f"- {rule}" for rule in dict.fromkeys([*kept, *lesson.advice])]
    if rules:
        parts.append("\n".join(["Rules:", *rules]))
    system_prompt = "\n\n".join(part for part in parts if part)
    system_prompt = _with_locked(study, study.system_prompt, system_prompt)
    output_prompt = _with_locked(study, study.output_prompt, lesson.form or study.output_prompt)
    room = study.most_chars - len(output_prompt)
    return {
        "system_prompt": system_prompt if len(system_prompt) <= room else study.system_prompt,
        "output_prompt": output_prompt,
        "reasoning": draft.reasoning,
    }


def as_edits(study: Study, draft: Draft) -> dict[str, Json]:
    """The same lesson in at most so many edits: the form first, then names, then advice."""
    lesson = draft.lesson
    edits: list[Json] = []
    if lesson.form and lesson.form not in study.output_prompt:
        present = study.output_prompt
        replaced = {"target": "output_prompt", "find": present, "replace": _with_locked(study, present, lesson.form)}
        edits.append(replaced if present.strip() else {"target": "output_prompt", "append": lesson.form})
    dropped = [line for line in lesson.drop if study.system_prompt.count(line) == 1]
    edits += [{"target": "system_prompt", "find": line, "replace": ""} for line in dropped]
    edits += _named(study, lesson)
    edits += [{"target": "system_prompt", "append": line} for line in lesson.advice if line not in study.system_prompt]
    sound = [edit for edit in edits if edit["target"] == "output_prompt" or not _touches(study, edit.get("find", ""))]
    return {"edits": sound[: study.most_edits], "reasoning": draft.reasoning}


def _touches(study: Study, found: str) -> bool:
    """Whether a text has a part of a locked one."""
    return bool(found) and any(found in text or text in found for text in study.locked)


def _with_locked(study: Study, before: str, after: str) -> str:
    """The new prompt with the locked texts of the old one that it lost, at its end."""
    return "\n".join([after, *(text for text in study.locked if text in before and text not in after)])


def _named(study: Study, lesson: Lesson) -> list[Json]:
    """One edit that lists what is new under its heading, and one for each name that is explained further."""
    lines = {name: _line_of(name, study.system_prompt) for name in lesson.entries}
    edits: list[Json] = []
    if new := "\n".join(_line(name, text) for name, text in lesson.entries.items() if not lines[name]):
        listed = study.system_prompt.count(lesson.heading) == 1
        edit = {"find": lesson.heading, "replace": f"{lesson.heading}\n{new}"}
        edits.append({"target": "system_prompt", **(edit if listed else {"append": f"\n{lesson.heading}\n{new}"})})
    for name, line in lines.items():
        known = line.removeprefix(f"- {name}").removeprefix(": ")
        longer = _line(name, _joined(known, lesson.entries[name]))
        if line and longer != line:
            edits.append({"target": "system_prompt", "find": line, "replace": longer})
    return edits


def _line_of(name: str, prompt: str) -> str:
    """The line that stands for a name, when it can be found by its text alone; else ""."""
    lines = (one for one in prompt.splitlines() if one == f"- {name}" or one.startswith(f"- {name}: "))
    line = next(lines, "")
    return line if prompt.count(line) == 1 else ""


def _line(name: str, text: str) -> str:
    return f"- {name}: {text}" if text else f"- {name}"


def _joined(known: str, new: str) -> str:
    """Both explanations, unless one holds the other."""
    if known in new or new in known:
        return max(known, new, key=len)
    return f"{known}; {new}"


def _prose(prompt: str) -> list[str]:
    """The lines that are neither list nor heading nor explanation of a name."""
    lines = [line.strip() for line in _EXAMPLES.sub("", prompt).splitlines()]
    kept = [line for line in lines if line and not _LIST_LINE.match(line) and not line.endswith(":")]
    return [line for line in kept if not re.match(r"[\w-]+ means: ", line) and not _is_rule(line)]


def _rules(prompt: str) -> list[str]:
    lines = [line.strip().removeprefix("- ") for line in _EXAMPLES.sub("", prompt).splitlines()]
    return [line for line in lines if _is_rule(line)]


def _is_rule(line: str) -> bool:
    return (
        re.match(
            r"(?:When|If|Look for|Translate|Write|Explain|Calculate|Read|Think|Be precise|Take) ",
            line.removeprefix("- "),
        )
        is not None
    )
