"""A stored image as it is sent: its type is read from its first bytes, and only what was stored by us has one."""

from __future__ import annotations

from app.ports.images import ImageGone
from app.services.errors import NotFound
from app.store.images import ImageFiles

_TYPES = ((b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))
POLICY = "default-src 'none'; sandbox"
"""The Content-Security-Policy of an image: opened by itself, it can run and load nothing."""


def served(files: ImageFiles, digest: str, *, small: bool) -> tuple[bytes, str]:
    """Content and media type. Raises: NotFound."""
    try:
        content = files.read_small(digest) if small else files.read(digest)
    except ImageGone as gone:
        raise NotFound(f"There is no such image: {gone}.") from None
    return content, next((kind for start, kind in _TYPES if content.startswith(start)), "image/webp")
