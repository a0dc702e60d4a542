"""Text of others is fenced, capped and called data; no text can close a fence whose mark it cannot know."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

CAP = 2_000
"""Most characters of one fenced text."""


class Fence:
    """One request's fence: ``<input-3f9a0c12d4> ... </input-3f9a0c12d4>``.

    The mark is made from all the texts to be fenced, and made again until none of them holds it; so it is the same for the
    same texts, and a text that contains a guessed closing fence stays inside.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        together = "\0".join(texts)
        self.mark = _mark(together)
        while self.mark in together:
            self.mark = _mark(self.mark + together)

    def around(self, name: str, text: str, cap: int = CAP) -> str:
        """The text between its fences, shortened to about ``cap`` characters."""
        return f"<{name}-{self.mark}>\n{clip(text, cap)}\n</{name}-{self.mark}>"


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]


def clip(text: str, cap: int) -> str:
    """At most ``cap`` characters of a text, its beginning and its end, with a note of how much is missing between them."""
    if len(text) <= cap:
        return text
    head = cap * 2 // 3
    tail = cap - head
    return f"{text[:head]}\n[... {len(text) - cap:,} characters left out ...]\n{text[len(text) - tail :]}"
