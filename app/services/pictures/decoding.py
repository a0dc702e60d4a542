"""What an image is, its content decides, never its name or what somebody said of it; what does not unpack is refused.

JPEG, PNG and WebP are kept as they are. Not every provider takes GIF and BMP, and none takes a film: those become PNG, of an
animation its first frame.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from app.config.settings import Images as Limits

KEPT = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""Media types of what is kept as it is, by Pillow's names."""
READ = (*KEPT, "GIF", "BMP")
SMALL = 256
"""Pixels of the longer side of a small image."""


class BadImage(Exception):
    """The content cannot be an image here; the message is fit for a page."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An image that was unpacked. content: as it is kept. small: a PNG to look at. note: what was changed, "" for nothing."""

    content: bytes
    small: bytes
    media_type: str
    width: int
    height: int
    note: str = ""


def checked(content: bytes, limits: Limits) -> Checked:
    """The image in some bytes. Raises: BadImage."""
    if not content:
        raise BadImage("it is empty (0 bytes)")
    if len(content) > limits.max_mb * 2**20:
        raise BadImage(f"it has {len(content) / 2**20:.1f} MB, more than {limits.max_mb} MB (setting images.max_mb)")
    try:
        with Pillow.open(io.BytesIO(content), formats=READ) as image:
            _refuse_huge(image.width * image.height, limits)
            return _unpacked(content, image)
    except BadImage:
        raise
    except UnidentifiedImageError:
        raise BadImage("it is no JPEG, PNG, GIF, WebP or BMP image") from None
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise BadImage(_too_many(limits)) from None
    except Exception as error:  # noqa: BLE001  # the door to decoders, which raise anything over hostile bytes
        raise BadImage(f"it is damaged ({type(error).__name__})") from None


def _refuse_huge(pixels: int, limits: Limits) -> None:
    """Before anything is unpacked: the header says how large it is."""
    if pixels > limits.max_megapixels * 1_000_000:
        raise BadImage(_too_many(limits))


def _too_many(limits: Limits) -> str:
    return f"it has more than {limits.max_megapixels} million pixels (setting images.max_megapixels)"


def _unpacked(content: bytes, image: Any) -> Checked:
    kind, animated = str(image.format), bool(getattr(image, "is_animated", False))
    image.load()
    small = image.convert("RGBA" if _sees_through(image) else "RGB")
    width, height = small.size
    note = ""
    if animated or kind not in KEPT:
        note = f"the first frame of an animated {kind}, kept as PNG" if animated else f"{kind}, kept as PNG"
        content, kind = _png(small), "PNG"
    small.thumbnail((SMALL, SMALL))
    return Checked(content, _png(small), KEPT[kind], width, height, note)


def _sees_through(image: Any) -> bool:
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _png(image: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
