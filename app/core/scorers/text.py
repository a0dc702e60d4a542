"""What scorers share in reading and quoting text."""

from __future__ import annotations

import re
import unicodedata

CLIP = 200
"""Most characters of a quoted text in a feedback sentence."""

_WORD = re.compile(r"\w+")


def quote(text: str) -> str:
    """The text between quotes on one line, clipped, for a feedback sentence."""
    flat = " ".join(text.split())
    return f'"{clip(flat)}"' if flat else "nothing"


def clip(text: str, limit: int = CLIP) -> str:
    """At most ``limit`` characters, with an ellipsis in place of what is cut off the end."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def collapsed(text: str) -> str:
    """NFC, with every run of white space as one space and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def folded(text: str) -> str:
    """NFC, casefolded, spaces collapsed. Normalised again afterwards: casefolding can decompose."""
    return collapsed(unicodedata.normalize("NFC", text).casefold())


def words(text: str) -> list[str]:
    """The casefolded words of a text."""
    return _WORD.findall(folded(text))
