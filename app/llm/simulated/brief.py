"""What a prompt tells the simulated model: labels and their meaning, rules, examples, fields, glossary, language, form."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, TypeAlias

Form: TypeAlias = Literal["none", "asked", "strict"]
"""How clearly a bare answer is demanded: not at all; by "answer with ..."; by "only" or its like."""

_ANSWER = (
    r"(?:answer|label|category|class|intent|word|json|object|translation|name|letter|option|number|text|line|result)"
)
_STRICT = re.compile(
    rf"\b(?:only|just|nothing (?:but|else)|exactly)\b[^.\n]*\b{_ANSWER}s?\b|\b{_ANSWER}\b[^.\n]*\b(?:only|alone|nothing else)\b"
    r"|\bno (?:other|additional|extra|further) (?:text|words?)\b|\bwithout (?:any )?(?:\w+ )?(?:explanation|introduction|text)",
    re.IGNORECASE,
)
_ASKED = re.compile(r"\b(?:answer|reply|respond|return|output)\b(?: only)? (?:with|the|by|in)\b", re.IGNORECASE)
_STEPS = re.compile(r"step by step|show your (?:reasoning|work)|explain your|think aloud", re.IGNORECASE)

_SECTIONS = (
    ("glossary", re.compile(r"glossary|vocabulary|terms|phrases", re.IGNORECASE)),
    ("fields", re.compile(r"\b(?:fields?|keys?)\b", re.IGNORECASE)),
    ("labels", re.compile(r"label|categor|class|intent|one of|options|answers", re.IGNORECASE)),
    ("rules", re.compile(r"rule|hint|note|form|advice|guideline|remember|example", re.IGNORECASE)),
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.+)$")
_ENTRY = re.compile(r"^[`\"'*]*([^:`\"*]{1,80}?)[`\"'*]*\s*(?::|—|–| - )\s*(.+)$")
_MEANS = re.compile(r"^[`\"']?([\w-]+)[`\"']? (?:means|is for|is about|covers|stands for):? (.+)$")
_LIST = re.compile(
    r"(?:one of|labels?|categor\w+|class(?:es)?|intents?|choose from|fields?|keys?)[^:\n]{0,60}:\s*([^\n]+)",
    re.IGNORECASE,
)
_EITHER = re.compile(r"\b(?:either|as|into) ((?:[\w-]+, )*[\w-]+,? or [\w-]+)\b")
_RULE = re.compile(
    r"\b(?:when|if)\b[^.\n]*?(?:mentions?|says?|contains?|asks? (?:for|about)?|is about|talks about)\s+(.+?),\s*(?:then )?"
    r"(?:answer|reply|choose|use|return|label it|classify it as)\s+[`\"']?([\w-]+(?: [\w-]+){0,3}?)[`\"']?(?=[.;,\n]|$)",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"^(?:Input|Text|Message|Question|English): *(.+?)\n(?:Output|Label|Answer|French): *(.+?)(?=\n\s*\n|\n</examples>|\Z)",
    re.MULTILINE | re.DOTALL,
)
_KEY = re.compile(r'"(\w+)"\s*:')


@dataclass(frozen=True)
class Brief:
    """What was understood. labels: name -> definition or ""; rules: (cue, answer); fields: name -> hint."""

    text: str
    form: Form
    labels: dict[str, str] = field(default_factory=dict)
    rules: tuple[tuple[str, str], ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    glossary: dict[str, str] = field(default_factory=dict)
    wants_steps: bool = False

    def says(self, pattern: str) -> bool:
        """Whether the prompt, its examples aside, has words that match."""
        return re.search(pattern, self.text, re.IGNORECASE) is not None


@lru_cache(maxsize=512)
def read(prompt: str) -> Brief:
    """Read a prompt. Anything may stand in it; what is not understood has no effect."""
    examples = tuple((a.strip(), b.strip()) for a, b in _EXAMPLE.findall(prompt))
    text = _EXAMPLE.sub("", prompt)
    labels, fields, glossary = _entries(text)
    if re.search(r"\bjson\b", text, re.IGNORECASE):
        fields = {**dict.fromkeys(_KEY.findall(text), ""), **fields}
    return Brief(
        text=text,
        form="strict" if _STRICT.search(text) else "asked" if _ASKED.search(text) else "none",
        labels=labels,
        rules=tuple((cue.strip("\"'` "), answer.strip()) for cue, answer in _RULE.findall(text)),
        examples=examples,
        fields=fields,
        glossary=glossary,
        wants_steps=_STEPS.search(text) is not None,
    )


def _entries(text: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """The labels, fields and glossary entries of a prompt, in the order in which they stand there."""
    found: dict[str, dict[str, str]] = {"labels": {}, "fields": {}, "glossary": {}}
    section = ""
    for line in text.splitlines():
        bullet = _BULLET.match(line)
        if bullet:
            _enter(found, section, bullet[1].strip())
            continue
        if listed := _LIST.search(line):
            kind = "fields" if re.search(r"\b(?:fields?|keys?)\b", line[: listed.start(1)], re.IGNORECASE) else "labels"
            for name in _names(listed[1]):
                found[kind].setdefault(name, "")
        if either := _EITHER.search(line):
            for name in _names(either[1].replace(" or ", ", ")):
                found["labels"].setdefault(name, "")
        if meaning := _MEANS.match(line.strip()):
            _define(found["labels"], meaning[1], meaning[2])
        if line.rstrip().endswith(":"):
            section = next((name for name, pattern in _SECTIONS if pattern.search(line)), "")
    return found["labels"], found["fields"], found["glossary"]


def _enter(found: dict[str, dict[str, str]], section: str, item: str) -> None:
    entry = _ENTRY.match(item)
    term, text = (entry[1].strip(), entry[2].strip()) if entry else (item.strip("`\"'*. "), "")
    if section in found:
        if section == "glossary" and not text:
            return
        if section == "glossary" or len(term.split()) <= 5:
            _define(found[section], term, text)
    elif entry and "_" in term and " " not in term:
        _define(found["labels"], term, text)


def _define(names: dict[str, str], name: str, text: str) -> None:
    known = names.get(name, "")
    names[name] = f"{known}; {text}" if known and text else known or text


def _names(listed: str) -> list[str]:
    """The names in "a, b and c." when there are at least two of at most five words each."""
    parts = [part.strip(" `\"'.*") for part in re.split(r",|;|\band\b|\bor\b|\|", listed)]
    names = [part for part in parts if part]
    return names if len(names) >= 2 and all(len(name.split()) <= 5 for name in names) else []
