"""Where a file name in a table leads: into an uploaded ZIP, or into the table's own folder, and never out of them."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from app.services.errors import Invalid, Problem
from app.services.pictures.decoding import BadImage

MOST_MEMBERS = 200_000
"""Names in a ZIP at the most."""
SHOWN = 200


class Place(Protocol):
    """Where files are looked up by name."""

    def read(self, name: str, most: int) -> bytes:
        """The content, or its first ``most + 1`` bytes. Raises: BadImage."""
        ...


class Nowhere:
    """There are no files."""

    def read(self, name: str, most: int) -> bytes:  # noqa: ARG002 - the protocol's signature
        """See Place."""
        raise BadImage(f"{name[:SHOWN]} is a file name, and no ZIP with the images came with the table")


class Folder:
    """A folder on this machine; a path that leads out of it, by dots or by links, is refused."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def read(self, name: str, most: int) -> bytes:
        """See Place."""
        try:
            path = (self._root / _plain(name)).resolve()
            if not path.is_relative_to(self._root):
                raise BadImage(f"{name[:SHOWN]} leads out of the folder of the images")
            with path.open("rb") as file:
                return file.read(most + 1)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise BadImage(f"{name[:SHOWN]} cannot be read in the folder of the images: {why}") from None


class Archive:
    """An open ZIP. Nothing is unpacked to the disk; a member is read as far as an image may be large."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        found = [one.filename for one in file.infolist() if not one.is_dir()]
        self._by_path = {_normal(name): name for name in found}
        last = Counter(PurePosixPath(path).name for path in self._by_path)
        self._by_name = {
            PurePosixPath(path).name: name
            for path, name in self._by_path.items()
            if last[PurePosixPath(path).name] == 1
        }

    def read(self, name: str, most: int) -> bytes:
        """See Place. A bare name finds a file in any folder of the ZIP when there is only one of that name."""
        path = _normal(_plain(name))
        member = self._by_path.get(path) or (self._by_name.get(path) if "/" not in path else None)
        if member is None:
            raise BadImage(f"{name[:SHOWN]} is not in the ZIP")
        try:
            with self._file.open(member) as stream:
                return stream.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError) as error:
            why = "it is encrypted" if "encrypted" in str(error) else "it is damaged there"
            raise BadImage(f"{name[:SHOWN]} cannot be read from the ZIP: {why}") from None


def open_archive(stream: BinaryIO) -> Archive:
    """A ZIP of images. Raises: Invalid (field images) when it is none, or holds too many files."""
    try:
        file = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Invalid([Problem("images", "this is no ZIP archive, or a damaged one")]) from None
    if len(file.infolist()) > MOST_MEMBERS:
        raise Invalid([Problem("images", f"the ZIP holds more than {MOST_MEMBERS:,} files")])
    return Archive(file)


def _plain(name: str) -> str:
    name = name.strip().replace("\\", "/")
    if name.startswith("/") or ".." in PurePosixPath(name).parts or (len(name) > 1 and name[1] == ":"):
        raise BadImage(f"{name[:SHOWN]} is no path below the images; write it without / at the start and without ..")
    return name


def _normal(path: str) -> str:
    return str(PurePosixPath(path.replace("\\", "/")))
