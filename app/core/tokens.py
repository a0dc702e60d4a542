"""Tokens are estimated: one for every four bytes of UTF-8. Real tokenizers differ by model, and none is asked here."""

from __future__ import annotations

BYTES = 4
"""Bytes that make a token, about right for English; other scripts have more bytes to a character, and more tokens too."""


def estimated_tokens(*texts: str) -> int:
    """About how many tokens the texts have together, rounded up."""
    return -(-sum(size_of(text) for text in texts) // BYTES)


def size_of(text: str) -> int:
    """Its bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))
