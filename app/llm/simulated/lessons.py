"""What can be learned from a request's failures: the form of the answer, names with their meaning, and advice."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.llm.simulated.brief import read
from app.llm.simulated.french import WORDS
from app.llm.simulated.study import Row, Study
from app.llm.simulated.words import concepts, stem, stems, words
from app.llm.simulated.world import STOP_WORDS
from app.ports.llm import Json

AT_ONCE = 3
"""Names that are explained in one proposal: the optimiser takes small steps."""
_CUES = 3


@dataclass
class Lesson:
    """heading: above the list of names. entries: name -> what to add to its explanation, "" for the bare name.

    form: the sentence for the output prompt. advice: further lines. drop: present lines that do harm. why: sentences for the
    reasoning.
    """

    heading: str
    form: str
    entries: dict[str, str] = field(default_factory=dict)
    advice: list[str] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)


def learn(study: Study) -> Lesson:
    """The lesson of a request."""
    lesson = {"labels": _labels, "choice": _choice, "json": _fields, "number": _number, "text": _text}[study.kind](
        study
    )
    chatty = sum(row.only_form for row in study.failures)
    if chatty and study.brief.form != "strict":
        lesson.why.insert(0, f"{chatty} of {len(study.failures)} failures hold the right answer inside other text.")
    lesson.drop = [line for line in study.system_prompt.splitlines() if _misleads(line, study)]
    if lesson.drop:
        lesson.why.append("I remove a rule that the failures contradict.")
    return lesson


def _misleads(line: str, study: Study) -> bool:
    """Whether a line's rule gave the wrong answer at least twice."""
    return any(
        sum(stems(cue) <= stems(row.input) and row.expected != name for row in study.failures) >= 2
        for cue, name in read(line).rules
    )


def _labels(study: Study) -> Lesson:
    lesson = Lesson("Permitted labels:", "Reply with the label only, spelled exactly as in the list.")
    lesson.entries = {row.expected: "" for row in study.rows}
    mistaken = [row for row in study.failures if not row.only_form]
    missed = Counter(row.expected for row in mistaken)
    new = [name for name in lesson.entries if name not in study.brief.labels]
    for name, _ in missed.most_common(AT_ONCE):
        lesson.entries[name] = _meaning(name, study.rows, study.brief.labels.get(name, ""))
    if new:
        lesson.why.append(f"The prompt never names {', '.join(new[:4])}; I list the labels that were expected.")
    if missed:
        said = ", ".join(name for name, _ in missed.most_common(AT_ONCE))
        lesson.why.append(f"I say what tells {said} from the others.")
    return lesson


def _meaning(name: str, rows: Sequence[Row], known: str) -> str:
    """What the inputs under this name have in common and those under other names do not."""
    own = [row.input for row in rows if row.expected == name]
    others = [row.input for row in rows if row.expected != name]
    about = _telling([concepts(text) for text in own], [concepts(text) for text in others])
    about.sort(key=lambda concept: concept not in concepts(name))  # what the name itself suggests comes first
    cues = _telling([stems(text) for text in own], [stems(text) for text in others])
    spelled = {stem(word): word for text in own for word in words(text)}
    new = [text for text in about[:2] if text not in known]
    told = f"{known} {' '.join(new)}"
    usable = [cue for cue in cues if cue in spelled and spelled[cue] not in told and len(cue) > 3 and cue.isalpha()]
    new += [spelled[cue] for cue in usable][: _CUES - len(new)]
    return ", ".join(new)


def _telling(own: Sequence[frozenset[str]], others: Sequence[frozenset[str]]) -> list[str]:
    """Features by how much oftener they are in own than in others, the most telling first."""
    mine = Counter(feature for features in own for feature in features)
    theirs = Counter(feature for features in others for feature in features)
    worth = {
        feature: count / len(own) - theirs[feature] / max(1, len(others)) for feature, count in sorted(mine.items())
    }
    return sorted((f for f in worth if worth[f] > 0.1), key=lambda f: -worth[f])


def _choice(study: Study) -> Lesson:
    bracketed = study.failures[0].expected.startswith("(")
    example = "in brackets, such as (A)" if bracketed else "without brackets, such as A"
    lesson = Lesson("Rules:", f"Reply with the letter of the right option only, {example}.")
    options = [re.search(rf"{re.escape(row.expected)}\)? (.+)", row.input) for row in study.rows]
    chosen = [match[1] for match in options if match]
    cues = _telling([stems(text) for text in chosen], [stems(row.input) for row in study.rows])
    lesson.advice = [f"Look for wording such as {', '.join(cues[:4])}."] if cues else []
    lesson.why.append("I say in which form the option must be named.")
    return lesson


def _number(study: Study) -> Lesson:  # noqa: ARG001 - every kind of lesson gets the study
    return Lesson(
        "Rules:", "Reply with the number only.", advice=["Calculate carefully, one operation after the other."]
    )


def _fields(study: Study) -> Lesson:
    lesson = Lesson("Fields of the JSON object:", "Reply with one JSON object only, without any other text.")
    objects = [json.loads(row.expected) for row in study.rows]
    names = list(dict.fromkeys(name for found in objects for name in found))
    unknown = [name for name in names if name not in study.brief.fields]
    lesson.entries = dict.fromkeys(names, "")
    missed = Counter(name for row in study.failures for name in _wrong(row, names))
    for name, _ in missed.most_common(AT_ONCE):
        hint = _form_of([found.get(name) for found in objects])
        lesson.entries[name] = hint if hint not in study.brief.fields.get(name, "") else ""
    if unknown:
        lesson.why.append(f"The expected objects have the fields {', '.join(names)}; the prompt must name them.")
    lesson.why.append(f"I describe the form of {', '.join(name for name, _ in missed.most_common(AT_ONCE))}.")
    return lesson


def _wrong(row: Row, names: Sequence[str]) -> list[str]:
    """The fields that an answer got wrong."""
    expected = json.loads(row.expected)
    found = re.search(r"\{.*\}", row.answer, re.DOTALL)
    try:
        got = json.loads(found[0]) if found else {}
    except ValueError:
        got = {}
    return [name for name in names if expected.get(name) != got.get(name)]


def _form_of(values: Sequence[Json]) -> str:
    """How the values of a field look, in words."""
    given = [value for value in values if value is not None]
    said = []
    if given and all(isinstance(value, bool) for value in given):
        said.append("true or false")
    elif given and all(isinstance(value, int | float) for value in given):
        said.append("a number, without quotes")
    elif given and all(re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) for value in given):
        said.append(f"a date as YYYY-MM-DD, in {str(given[0])[:4]} unless the text says otherwise")
    elif given and all(str(value) == str(value).lower() for value in given):
        plural = sum(str(value).endswith("s") for value in given) > len(given) / 2
        said.append("a text in lower case" if plural else "a text in lower case, in the singular")
    if len(given) < len(values):
        said.append("null when the text does not say it")
    return ", ".join(said)


def _text(study: Study) -> Lesson:
    lesson = Lesson("Glossary:", "Reply with the result only, without any other text.")
    if not _looks_french(study):
        lesson.advice = ["Give exactly the text that is asked for, as short as the examples are."]
        return lesson
    lesson.form = "Reply with the French translation only, without any other text."
    if not study.brief.says(r"into french"):
        lesson.advice.append("Translate the text into French.")
    elif not study.brief.says(r"natural"):
        lesson.advice.append("Write natural, idiomatic French, phrase by phrase and not word by word.")
    for row in study.failures:
        lesson.entries |= _unknown_word(row, {*study.brief.glossary, *lesson.entries})
        if len(lesson.entries) == AT_ONCE:
            break
    if lesson.entries:
        lesson.why.append(
            f"Words such as {', '.join(lesson.entries)} were left untranslated; I add them to the glossary."
        )
    return lesson


def _looks_french(study: Study) -> bool:
    expected = {word for row in study.rows for word in words(row.expected)}
    return len(expected & {"le", "la", "les", "est", "un", "une", "je", "vous", "des", "du", "à", "et", "nous"}) >= 3


def _unknown_word(row: Row, known: set[str]) -> dict[str, str]:
    """A word that came back as it was, with the expected word at about its place that nothing else explains."""
    source, target = words(row.input), words(row.expected)
    explained = {said for word in source for said in words(WORDS.get(word, ""))}
    open_words = [word for word in target if word not in explained and len(word) > 3]
    for at, word in enumerate(source):
        if word in known or word in WORDS or word in STOP_WORDS or len(word) < 4 or word in target or not open_words:
            continue
        place = at / len(source) * len(target)
        return {word: min(open_words, key=lambda found: abs(target.index(found) - place))}
    return {}
