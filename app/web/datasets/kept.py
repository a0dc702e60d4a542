"""Uploaded files wait in the data folder, under a name that nobody can guess, until their import is confirmed."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, BinaryIO

from app.services.errors import NotFound

FORGOTTEN_S = 24 * 3600
"""Uploads that nobody confirmed for this long are removed."""
TOLD_S = 0.2
"""Time between two words about progress."""
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Kept:
    """An uploaded file. filename: as the browser called it, without folders."""

    token: str
    path: Path
    filename: str

    def open(self) -> BinaryIO:
        """Its content."""
        return self.path.open("rb")

    def told(self) -> tuple[int, int] | None:
        """How far the work on it has come, as (done, whole); None while nothing is told."""
        try:
            done, whole = (self.path.parent / "progress").read_text(encoding="ascii").split()
            return int(done), int(whole)
        except (FileNotFoundError, ValueError):  # not begun yet, or over, or read in the middle of a write
            return None

    def tell(self) -> Callable[[int, int], None]:
        """Takes the progress down for whoever asks, in whichever process; a few times a second."""
        told_at = 0.0

        def tell(done: int, whole: int) -> None:
            nonlocal told_at
            if time.monotonic() - told_at >= TOLD_S:
                told_at = time.monotonic()
                with suppress(FileNotFoundError):  # let go in another tab
                    (self.path.parent / "progress").write_text(f"{done} {whole}", encoding="ascii")

        return tell

    @property
    def archive(self) -> Path | None:
        """The ZIP of images that came with it."""
        path = self.path.with_name("images")
        return path if path.is_file() else None

    def forget(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def keep(folder: Path, stream: IO[bytes], filename: str, images: IO[bytes] | None = None) -> Kept:
    """Store an upload, with the ZIP of its images if one came; those that were forgotten go at this occasion."""
    _sweep(folder)
    token = secrets.token_hex(16)
    place = folder / token
    place.mkdir(parents=True)
    name = PurePath(filename.replace("\\", "/")).name[:200] or "upload.csv"
    (place / "name").write_text(name, encoding="utf-8", errors="replace")
    if images:
        with (place / "images").open("wb") as target:
            shutil.copyfileobj(images, target, 1024 * 1024)
    with (place / "content.part").open("wb") as target:
        shutil.copyfileobj(stream, target, 1024 * 1024)
    path = (place / "content.part").rename(place / "content")
    return Kept(token, path, name)


def find(folder: Path, token: str) -> Kept:
    """An upload that waits. Raises: NotFound."""
    path = folder / token / "content"
    if not _TOKEN.fullmatch(token) or not path.is_file():
        raise NotFound("that upload is not here any more; choose the file again")
    return Kept(token, path, (path.parent / "name").read_text(encoding="utf-8"))


def _sweep(folder: Path) -> None:
    before = time.time() - FORGOTTEN_S
    for place in folder.iterdir() if folder.is_dir() else ():
        if _TOKEN.fullmatch(place.name) and place.stat().st_mtime < before:
            shutil.rmtree(place, ignore_errors=True)
