"""Two inputs are near duplicates when they differ only in case, spaces, quotes and the punctuation of sentences."""

from __future__ import annotations

import re
import unicodedata

_SENTENCE_MARKS = re.compile(
    r"[!?;…\"'`´‘’‚“”„«»‹›¿¡、。！？，；]"
    r"|[.,:](?!\d)|(?<!\d)[.,:]"  # but 3.5 is not 35, and 3:1 is not 31
)


def normalised(text: str) -> str:
    """The text as near duplicates share it. Signs such as + - * / < > = % $ stay: 2+2 is not 2-2.

    A text of nothing but punctuation stays itself, without its outer spaces.
    """
    folded = text.lower() if text.isascii() else _folded(text)
    return " ".join(_SENTENCE_MARKS.sub(" ", folded.replace("'", "").replace("’", "")).split()) or text.strip()


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def canonical_answer(text: str) -> str:
    """The text as equal answers share it: Unicode NFC without outer spaces. Case and inner spaces count."""
    return unicodedata.normalize("NFC", text).strip()
