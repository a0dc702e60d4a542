"""How the simulated models read: words, stems, and the concepts of their world."""

from __future__ import annotations

import re
from functools import lru_cache

from app.llm.simulated.world import CONCEPTS, STOP_WORDS

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_ENDINGS = ("ations", "ation", "ments", "ment", "ings", "ing", "ied", "ies", "ed", "es", "ly", "s")
_GAP = r"(?:[^\W_]+(?:['’-][^\W_]+)*\W+){1,3}"


def words(text: str) -> list[str]:
    """The words in lower case; an underscore separates like a space."""
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]


def stem(word: str) -> str:
    """The word without its most frequent English endings; at least three letters stay."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=20_000)
def stems(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning."""
    return frozenset(stem(word) for word in words(text) if word not in STOP_WORDS and len(word) > 2)


@lru_cache(maxsize=20_000)
def concepts(text: str) -> frozenset[str]:
    """What the text is about, in terms of the world's concepts."""
    plain = " ".join(words(text))
    return frozenset(name for name, pattern in _PATTERNS.items() if pattern.search(plain))


def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b{_phrase(phrase)}\b" for phrase in phrases))


def _phrase(phrase: str) -> str:
    parts = []
    for word in phrase.split():
        if word == "*":
            parts.append(_GAP)
        else:
            parts.append(rf"{re.escape(word.removesuffix('*'))}{'[^ ]*' if word.endswith('*') else ''} ")
    return "".join(parts).removesuffix(" ")


_PATTERNS = {name: _pattern((*phrases, name)) for name, phrases in CONCEPTS.items()}
