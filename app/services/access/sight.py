"""How it is tried whether a model sees: a small card of two colours, which nobody guesses, and a question about it."""

from __future__ import annotations

import base64
import hashlib

from app.ports.images import Images
from app.ports.llm import Image

_SIDE = 64
"""Pixels; some providers take no smaller image."""
_COLOURS = ("green", "yellow")
"""Of the left and of the right half."""
_PIXELS = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAVUlEQVR42u3PQQ0AIBADwYK4k4hYXqjog2RWwCazclLtTve/83kAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/R5g6gJWVqjp/wAAAABJRU5ErkJggg=="
)
CARD = Image(hashlib.sha256(_PIXELS).hexdigest(), "image/png", _SIDE, _SIDE)
QUESTION = "The left half of this picture has one colour, the right half another. Name the two, the left one first."


class WithCard:
    """Images, and the card beside them, which is kept nowhere else."""

    def __init__(self, images: Images) -> None:
        self._images = images

    def read(self, digest: str) -> bytes:
        """See app.ports.images.Images."""
        return _PIXELS if digest == CARD.digest else self._images.read(digest)


def names_both(text: str) -> bool:
    """Whether an answer names the card's colours in their order."""
    left, right = (text.casefold().find(colour) for colour in _COLOURS)
    return 0 <= left < right
