"""Where in a text the value of a field stands, judged by the field's name and description."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from app.llm.simulated.world import COLOURS, MONTHS, NUMBER_WORDS, SIZES

Reader: TypeAlias = Callable[[str], str | None]

_COUNTS = sorted((word for word in NUMBER_WORDS if word not in ("a", "an")), key=len, reverse=True)
_COUNT = rf"(?:\d+|{'|'.join(_COUNTS)})"
_MONTH = "|".join(MONTHS)
_DESCRIBING = "|".join((*COLOURS, *SIZES, "of", "new", "pairs", "pieces"))
_PERSON = r"[A-Z][\w'-]+(?: [A-Z][\w'-]+)?"


def reader_of(name: str, hint: str) -> Reader:
    """The reader for a field; the first kind whose words occur in the name, else in the description."""
    for text in (name.casefold().replace("_", " "), hint):
        for kind, reader in _KINDS:
            if re.search(rf"\b(?:{kind})", text):
                return reader
    return _nothing


def _first(pattern: str, *, ignore_case: bool = True) -> Reader:
    compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)

    def read(text: str) -> str | None:
        match = compiled.search(text)
        found = next((group for group in match.groups() if group), match[0]) if match else None
        return found.strip() if found else None

    return read


def _nothing(text: str) -> str | None:  # noqa: ARG001 - a reader takes the text
    return None


_KINDS: tuple[tuple[str, Reader], ...] = (
    ("e-?mail", _first(r"[\w.+-]+@[\w-]+(?:\.\w+)+")),
    ("phone|telephone|mobile", _first(r"\+?\d[\d ()/-]{6,}\d")),
    ("date|day|deadline|when|deliver by|due", _first(
        rf"\b\d{{4}}-\d\d-\d\d\b|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})\b|\b(?:{_MONTH}) \d{{1,2}}\b"
        r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\btomorrow\b"
    )),
    ("quantity|count|how many|qty|pieces|units|number of|amount of items", _first(
        rf"\b({_COUNT})\b(?!(?:st|nd|rd|th)\b)(?! ?(?:{_MONTH}|€|euros?|pounds?|dollars?|percent|%))"
    )),
    ("price|cost|total|amount|budget|sum", _first(
        r"(?:[€$£] ?|\b(?:eur|usd|gbp) )(\d+(?:[.,]\d+)?)|\b(\d+(?:[.,]\d+)?) ?(?:€|\$|£|euros?|dollars?|pounds?)"
    )),
    ("currency", _first(r"[€$£]|\b(?:eur|usd|gbp|euros?|dollars?|pounds?)\b")),
    ("colou?r", _first(rf"\b(?:dark |light )?(?:{'|'.join(COLOURS)})\b")),
    ("size", _first(rf"\b(?:{'|'.join(sorted(SIZES, key=len, reverse=True))})\b|\bsize (\w+)")),
    ("urgent|express|gift|rush", _first(r"\b(?:urgent\w*|express|gift|asap|rush)\b")),
    ("city|town|place|destination|address|country|location", _first(
        r"\b(?:[Tt]o|[Ii]n|[Aa]t) (?!the\b)([A-Z][\w'-]+(?: [A-Z][\w'-]+)?)", ignore_case=False
    )),
    ("order|reference|invoice|id\\b|number|code|sku", _first(
        r"#\s?([\w-]+)|\b([A-Z]{1,4}-?\d{2,}[\w-]*)\b|\b[Oo]rder (?:number |no\.? ?)?(\d{3,})", ignore_case=False
    )),
    ("customer|name|recipient|buyer|person|sender|contact", _first(
        rf"(?:[Mm]y name is|[Tt]his is|[Ii]t's|[Ii] am|[Ii]'m|for|[Cc]ustomer:?|[Nn]ame:?|[Rr]egards,?|[Tt]hanks,?) ({_PERSON})"
        rf"|^({_PERSON}) (?:from|here|in|wants|would|needs|orders)|[-–—] ?({_PERSON})\W*$",
        ignore_case=False,
    )),
    ("item|product|article|goods|thing", _first(
        rf"\b(?:{_COUNT}|an?|some)\s+(?:(?:{_DESCRIBING})\s+)*"
        rf"((?!(?:{_DESCRIBING}|{_MONTH}|week|day|lot|few)\b)[a-z][a-z-]+(?: [a-z]+s\b)?)"
    )),
)  # fmt: skip
