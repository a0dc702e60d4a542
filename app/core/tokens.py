"""Tokens are estimated: one for every four bytes of UTF-8. Real tokenizers differ by model, and none is asked here."""

from __future__ import annotations

BYTES = 4
"""Bytes that make a token, about right for English; other scripts have more bytes to a character, and more tokens too."""


def estimated_tokens(*texts: str) -> int:
    """About how many tokens the texts have together, rounded up."""
    return -(-sum(size_of(text) for text in texts) // BYTES)


def image_tokens(width: int, height: int) -> int:
    """About how many tokens an image of so many pixels has: one for 750 pixels, as Anthropic documents it, 85 to 1,600.

    Others count tiles of their own; for one image they differ by a factor of three either way.
    """
    return min(1600, max(85, -(-width * height // 750)))


MOST_IMAGE_TOKENS = 6_000
"""More than one image takes in any tokenizer that is documented, but for those below."""
_DEARER = {"gpt-4o-mini": 50_000}
"""Models that count each image many times over (at a price that makes up for it), by what their names hold."""


def most_image_tokens(model: str) -> int:
    """The most tokens that one image can take with a model, by its name."""
    return next((most for name, most in _DEARER.items() if name in model), MOST_IMAGE_TOKENS)


def size_of(text: str) -> int:
    """Its bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))
