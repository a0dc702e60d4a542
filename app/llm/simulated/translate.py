"""Translation into French: word by word, or by phrases when the prompt asks for natural language; a glossary always wins."""

from __future__ import annotations

import re

from app.llm.simulated.brief import Brief
from app.llm.simulated.chance import Dice, pick
from app.llm.simulated.french import FEMININE, LANGUAGES, PHRASES, SPELLED_WITH_HYPHEN, WORDS

UNSAID = "unsaid"
_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]|_")
_VOWEL = re.compile(r"^[aeiouhâàéèêëîïôœù]", re.IGNORECASE)
_FEMININE_FORMS = {"le": "la", "un": "une", "mon": "ma", "ce": "cette"}
_LONGEST = 6
_NATURAL = r"natural|idiomatic|fluent|native|the way (?:people|french)"


def wanted(brief: Brief) -> str:
    """The language to translate into: a name, UNSAID when the prompt wants a translation but not into what, "" for none."""
    if brief.says(r"\btranslat"):
        named = re.findall(rf"\b(?:into|to|in) (?:[\w,-]+ ){{0,2}}({'|'.join(LANGUAGES)})\b", brief.text.casefold())
        named += re.findall(rf"\b({'|'.join(LANGUAGES)}) translation", brief.text.casefold())
        return named[-1] if named else ("french" if _french(brief) else UNSAID)
    return "french" if brief.says(r"\b(?:in|into) french\b") or _french(brief) else ""


def _french(brief: Brief) -> bool:
    """Whether the examples are translations into French."""
    outputs = " ".join(output for _, output in brief.examples).casefold()
    return len(re.findall(r"\b(?:le|la|les|est|une|je|vous|des|et)\b", outputs)) >= 2


def answer(text: str, language: str, brief: Brief, dice: Dice) -> str:
    """The translation, or what the model says when it was not told the language or does not speak it."""
    if language == UNSAID and dice.of_input("language") < 0.6:
        ask = ("Into which language shall I translate “{text}”?", "“{text}” is already clear English.", "{text}")
        return pick(ask, dice.seed, dice.text, "ask").format(text=text)
    if language not in ("french", UNSAID):
        return f"[{language}] {text}"
    return french(text, brief, dice)


def french(text: str, brief: Brief, dice: Dice) -> str:
    """The text in the French of this world."""
    known = dict(brief.examples)
    if text in known:
        return known[text]
    natural = brief.says(_NATURAL)
    phrases = _phrases(brief, natural=natural)
    out: list[str] = []
    for number, token in enumerate(_spans(text, phrases)):
        small = token.casefold().replace("’", "'")
        found = phrases.get(small) or WORDS.get(small, token)
        if dice.of_call(f"word {number}") >= 0.02 + 0.05 * dice.temperature:
            out.append(found if found in SPELLED_WITH_HYPHEN or small in phrases else found.replace("-", " "))
    return _joined(out, natural=natural, informal=brief.says(r"\binformal|\btutoie|\"tu\""))


def _phrases(brief: Brief, *, natural: bool) -> dict[str, str]:
    glossary = {term.casefold(): said for term, said in brief.glossary.items()}
    rules = {cue.casefold(): said for cue, said in brief.rules}
    return {**(PHRASES if natural else {}), **rules, **glossary}


def _spans(text: str, phrases: dict[str, str]) -> list[str]:
    """The text cut into the longest known phrases, words and signs."""
    tokens, spans, at = _TOKEN.findall(text), [], 0
    while at < len(tokens):
        for size in range(min(_LONGEST, len(tokens) - at), 0, -1):
            span = " ".join(tokens[at : at + size])
            if size == 1 or span.casefold().replace("’", "'") in phrases:
                spans.append(span)
                at += size
                break
    return spans


def _joined(parts: list[str], *, natural: bool, informal: bool) -> str:
    """The parts as a sentence; natural French has genders and elisions."""
    line = " ".join(parts)
    if natural:
        line = re.sub(r"\b(le|un|mon|ce) ([\w-]+)", _gendered, line)
        line = re.sub(r"\b(le|la|je|de|que|ne|me) (?=[aeiouhâàéèêëîïôœù])", lambda m: f"{m[1][:-1]}'", line)
        line = line.replace("à le ", "au ").replace("de le ", "du ")
    if informal:
        line = re.sub(r"\bvous\b", "tu", line)
    line = re.sub(r" ([.,])", r"\1", line)
    return line[:1].upper() + line[1:]


def _gendered(match: re.Match[str]) -> str:
    article, noun = match[1], match[2]
    if noun not in FEMININE or (article == "mon" and _VOWEL.match(noun)):
        return match[0]
    return f"{_FEMININE_FORMS[article]} {noun}"
