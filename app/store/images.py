"""Images as files, each stored once under the digest of its content: data/images/ab/abcd..., with a small one beside it.

A file is there whole or not at all, and safe on the disk before anything refers to it.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from app.ports.images import ImageGone

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SMALL = ".small"
LEFT_ALONE_S = 24 * 3600.0
"""A file that was written so recently is never removed: an import may just be about to refer to it."""


class ImageFiles:
    """Implements app.ports.images.Images. folder: made when the first image is stored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, digest: str) -> bytes:
        """See the port."""
        return self._read(digest, "")

    def read_small(self, digest: str) -> bytes:
        """The small image, a PNG. Raises: ImageGone."""
        return self._read(digest, _SMALL)

    def holds(self, digest: str) -> bool:
        """Whether the image is kept."""
        return bool(_DIGEST.fullmatch(digest)) and self._path(digest).is_file()

    def put(self, content: bytes, small: bytes) -> str:
        """Store an image and its small one; returns its digest. Durable on return. Raises: OSError."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        with suppress(FileNotFoundError):
            os.utime(path)  # in use anew: see LEFT_ALONE_S
            return digest
        path.parent.mkdir(parents=True, exist_ok=True)
        for target, data in ((path.with_name(path.name + _SMALL), small), (path, content)):
            _write(target, data)
        return digest

    def unused(self, in_use: set[str]) -> Iterator[Path]:
        """The files of images that are not in use and were not written lately; of left-overs of killed writers too."""
        before = time.time() - LEFT_ALONE_S
        for path in sorted(self._folder.glob("??/*")):
            if path.name.removesuffix(_SMALL) in in_use:
                continue
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    yield path

    def _read(self, digest: str, ending: str) -> bytes:
        if not _DIGEST.fullmatch(digest):
            raise ImageGone("this is no digest of an image")
        path = self._path(digest)
        try:
            return path.with_name(path.name + ending).read_bytes()
        except FileNotFoundError:
            raise ImageGone(f"image {digest[:12]} is not in the data folder any more") from None

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
