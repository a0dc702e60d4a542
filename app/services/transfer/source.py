"""The record of a run as it lies in a folder or a ZIP file; whatever else lies there is not read, and nothing is unpacked."""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Protocol

from app.config import Settings
from app.services.errors import Invalid, Problem

FIELD = "file"
RECORD = "record"
MANIFEST = f"{RECORD}/manifest.json"
MOST_ENTRIES = 100_000
"""Entries of a ZIP file; a run has three files for each of its proposals."""
LONGEST_LINE = 64 * 2**20
"""Bytes of one row."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""How reading a damaged file ends: zipfile raises each of them for some kind of damage."""


@dataclass(frozen=True)
class Limits:
    """What may be read: bytes of the record when it is unpacked."""

    unpacked: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The operator's limits."""
        return cls(settings.uploads.max_unpacked_mb * 2**20)


class Source(Protocol):
    """Where a record lies."""

    def size(self, name: str) -> int | None:
        """Bytes of a file of the record; None when there is none. Raises: Invalid for what must not be read."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """The file's content."""
        ...


def refuse(place: str, message: str) -> Invalid:
    """A refusal that names the place in the record."""
    return Invalid([Problem(FIELD, f"{place}: {message}" if place else message)])


class FolderSource:
    """A run folder, as ``whetstone runs export`` writes it. Links are not followed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if not folder.is_dir():
            raise refuse("", f"there is no folder {folder}")
        if self.size(MANIFEST) is None:
            raise refuse(MANIFEST, "is not there; this is no run folder of a release that can be imported")

    def size(self, name: str) -> int | None:
        """See Source."""
        path = self._folder / name
        for part in (path, *path.parents[: len(PurePosixPath(name).parts) - 1]):
            if part.is_symlink():
                raise refuse(str(part.relative_to(self._folder)), "is a link, which is not followed")
        if not path.exists():
            return None
        if not path.is_file():
            raise refuse(name, "is no plain file")
        return path.stat().st_size

    def open(self, name: str) -> IO[bytes]:
        """See Source."""
        return (self._folder / name).open("rb")


class ZipSource:
    """A run folder as a ZIP file. stream: seekable; it stays open as long as the source is read."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(stream)
        except UNREADABLE as error:
            raise refuse("", f"this is no ZIP file, or a damaged one ({error})") from None
        entries = self._zip.infolist()
        if len(entries) > MOST_ENTRIES:
            raise refuse("", f"the ZIP file has {len(entries):,} entries; at most {MOST_ENTRIES:,} are read")
        for entry in entries:
            _check(entry)
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise refuse("", "the ZIP file has two entries of the same name")
        self._prefix = self._found(entries)

    def _found(self, entries: list[zipfile.ZipInfo]) -> str:
        manifests = [entry.filename for entry in entries if f"/{entry.filename}".endswith(f"/{MANIFEST}")]
        if not manifests:
            raise refuse(MANIFEST, "is not in the ZIP file; it is no run folder of a release that can be imported")
        if len(manifests) > 1:
            raise refuse("", f"the ZIP file holds {len(manifests)} runs; import them one by one")
        return manifests[0].removesuffix(MANIFEST)

    def size(self, name: str) -> int | None:
        """See Source."""
        entry = self._entries.get(self._prefix + name)
        return entry.file_size if entry else None

    def open(self, name: str) -> IO[bytes]:
        """See Source."""
        return self._zip.open(self._prefix + name)


def _check(entry: zipfile.ZipInfo) -> None:
    """Raises: Invalid for an entry that no export of ours has."""
    name, place = entry.filename, entry.filename[:120]
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or (path.parts and path.parts[0].endswith(":")):
        raise refuse(place, "leads out of the folder; such a ZIP file is not read")
    mode = entry.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refuse(place, "is a link or a device; such a ZIP file is not read")
    if entry.flag_bits & _ENCRYPTED:
        raise refuse(place, "is encrypted; unpack it first")
    if entry.compress_type not in _METHODS:
        raise refuse(place, "is packed in a way that is not read here; pack it again with the usual method")


def whole(source: Source, name: str, most: int) -> bytes:
    """A small file of the record. Raises: Invalid."""
    size = source.size(name)
    if size is None:
        raise refuse(name, "is not there")
    if size > most:
        raise refuse(name, f"is larger than {most:,} bytes")
    try:
        with source.open(name) as file:
            return file.read(most + 1)
    except UNREADABLE as error:
        raise refuse(name, f"cannot be read; the file is damaged ({error})") from None


@dataclass
class Lines:
    """The lines of a file of the record with their numbers. digest, size (in bytes): of what was read so far."""

    source: Source
    name: str
    size: int = 0

    def __post_init__(self) -> None:
        self._marked = hashlib.sha256()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """(number from 1, line). Raises: Invalid."""
        number = 0
        try:
            with self.source.open(self.name) as file:
                while line := file.readline(LONGEST_LINE + 1):
                    number += 1
                    if len(line) > LONGEST_LINE:
                        raise refuse(f"{self.name}, line {number}", f"is longer than {LONGEST_LINE:,} bytes")
                    self._marked.update(line)
                    self.size += len(line)
                    yield number, line
        except UNREADABLE as error:
            raise refuse(f"{self.name}, line {number + 1}", f"cannot be read; the file is damaged ({error})") from None

    @property
    def digest(self) -> str:
        """SHA-256 of what was read."""
        return self._marked.hexdigest()
