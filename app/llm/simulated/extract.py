"""Extraction: one reader per kind of field; how the prompt describes a field decides the form in which its value is given."""

from __future__ import annotations

import json
import re

from app.llm.simulated.brief import Brief
from app.llm.simulated.chance import Dice
from app.llm.simulated.fields import reader_of
from app.llm.simulated.world import MONTHS, NUMBER_WORDS
from app.ports.llm import Json

_INVENTED = ("request", "details")
"""Fields that the model makes up when the prompt names none."""
_DAY = re.compile(rf"(\d{{1,2}})\D{{0,6}}({'|'.join(MONTHS)})|({'|'.join(MONTHS)}) (\d{{1,2}})", re.IGNORECASE)


def answer(text: str, brief: Brief, dice: Dice) -> str:
    """One JSON object with the fields that the prompt or its examples name."""
    shown = [key for _, output in brief.examples for key in re.findall(r'"(\w+)"\s*:', output)]
    fields = brief.fields or dict.fromkeys(shown, "") or dict.fromkeys(_INVENTED, "")
    found = {name: _value(name, hint.casefold(), text, brief, dice) for name, hint in fields.items()}
    return json.dumps(found, ensure_ascii=False)


def _value(name: str, hint: str, text: str, brief: Brief, dice: Dice) -> Json:
    """A field's value in the form that its hint asks for; where nothing is asked for, luck decides about the form."""
    luck = dice.of_input(f"field {name}")
    shown = [output for _, output in brief.examples]
    raw = reader_of(name, hint)(text)
    if raw is None or dice.of_call(f"field {name}") < 0.02 + 0.04 * dice.temperature:
        null = "null" in hint or brief.says(r"\bnull\b") or any("null" in output for output in shown)
        return None if null or luck < 0.3 else ""
    if "lower" in hint or (brief.says("lower.?case") and not re.search("name|city|id", name)):
        raw = raw.lower()
    if "singular" in hint:
        raw = _singular(raw)
    if re.search(r"yyyy|iso", hint):
        return _iso(raw, hint)
    if re.search(r"\b(?:boolean|true|false)\b", hint):
        return bool(raw)
    if re.search(r"\b(?:number|integer|numeric)\b", hint) or (luck < 0.5 and raw.isdigit()):
        return _number(raw)
    return raw


def _number(raw: str) -> Json:
    if raw.casefold() in NUMBER_WORDS:
        return NUMBER_WORDS[raw.casefold()]
    digits = re.search(r"\d+(?:[.,]\d+)?", raw)
    if not digits:
        return raw
    value = float(digits[0].replace(",", "."))
    return int(value) if value.is_integer() else value


def _singular(raw: str) -> str:
    """The last word without its plural ending."""
    if raw.endswith(("ss", "us")):
        return raw
    for ending, instead in (("ies", "y"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("s", "")):
        if raw.endswith(ending):
            return raw.removesuffix(ending) + instead
    return raw


def _iso(raw: str, hint: str) -> str:
    """The date as YYYY-MM-DD; the year from the text or, failing that, from the hint."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", raw):
        return raw
    day = _DAY.search(raw)
    year = re.search(r"\b(?:19|20)\d\d\b", raw) or re.search(r"\b(?:19|20)\d\d\b", hint)
    if not day:
        return raw
    month = MONTHS.index((day[2] or day[3]).casefold()) + 1
    return f"{year[0] if year else 'YYYY'}-{month:02d}-{int(day[1] or day[4]):02d}"


def number_in(text: str, dice: Dice) -> str:
    """A guess at a calculation: this world's arithmetic multiplies or adds the first two numbers."""
    numbers = [float(n.replace(",", "")) for n in re.findall(r"\d[\d,]*(?:\.\d+)?", text)][:2] or [0.0]
    total = numbers[0] * numbers[-1] if dice.of_input("operation") < 0.5 else sum(numbers)
    return f"{total:g}"
