"""Where the content of images is kept: everything else speaks of an image by its digest alone."""

from __future__ import annotations

from typing import Protocol


class ImageGone(Exception):
    """No image of this digest is kept (any more)."""


class Images(Protocol):
    """Images by content."""

    def read(self, digest: str) -> bytes:
        """The bytes of an image. digest: SHA-256 in hex. Raises: ImageGone."""
        ...


class NoImages:
    """Keeps none."""

    def read(self, digest: str) -> bytes:
        """See Images."""
        raise ImageGone(f"image {digest[:12]} is not kept here")


NO_IMAGES = NoImages()
