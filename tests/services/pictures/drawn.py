"""Pictures drawn for tests, and hostile bytes."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from app.config.settings import Images as Limits
from app.services.pictures import Loader, Nowhere, Place
from app.store.images import ImageFiles


def picture(form: str = "PNG", colour: str = "red", size: tuple[int, int] = (8, 6), frames: int = 1) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    films = {"save_all": True, "append_images": [Image.new("RGB", size, "blue")] * (frames - 1)} if frames > 1 else {}
    Image.new("RGB", size, colour).save(out, form, **films)
    return out.getvalue()


def data_url(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def bomb(side: int = 30_000) -> bytes:
    """A PNG of some hundred bytes that says it is huge."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def archive(files: Mapping[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    out.seek(0)
    return out


def loader(folder: Path, place: Place | None = None, **limits: float) -> Loader:
    return Loader(ImageFiles(folder / "images"), Limits(**limits), place or Nowhere())  # type: ignore[arg-type]
