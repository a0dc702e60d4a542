"""The images of a record: each is checked like an upload, and must be what its row says of it."""

from __future__ import annotations

import hashlib

from app.core.pictures import Picture, picture_of
from app.ports.llm import Json
from app.services.pictures import BadImage, Checked, Loader, checked
from app.services.transfer.source import RECORD, Source, refuse, whole

FACTS = ("media_type", "width", "height")


class Images:
    """The images of one record's rows. loader: how images are kept here, None where none are. room: bytes for all of them."""

    def __init__(self, source: Source, loader: Loader | None, room: int) -> None:
        self._source, self._loader, self._room = source, loader, room
        self._known: dict[str, Checked] = {}
        self.found: dict[int, Json] = {}
        """By row, what the dataset keeps of it."""

    def take(self, row: int, stored: Json, place: str) -> Picture | None:
        """The picture of a row, None without one. Raises: Invalid, naming the row or the image."""
        if stored is None:
            return None
        if self._loader is None:
            raise refuse(place, "has an image, and images are not kept here")
        self.found[row] = stored
        if len(self.found) > self._loader.limits.max_count:
            most = f"{self._loader.limits.max_count:,}"
            raise refuse(place, f"is one of more than {most} rows with an image (setting images.max_count)")
        if "problem" not in stored:
            self._check(self._loader, stored, place)
        return picture_of(stored)

    def _check(self, loader: Loader, stored: Json, place: str) -> None:
        digest = stored["digest"]
        if digest not in self._known:
            image = read(self._source, loader, digest)
            self._room -= len(image.content)
            if self._room < 0:
                raise refuse(place, "brings the record over what uploads.max_unpacked_mb allows")
            self._known[digest] = Checked(b"", b"", image.media_type, image.width, image.height)
        image = self._known[digest]
        for name in FACTS:
            if stored[name] != getattr(image, name):
                raise refuse(place, f"image.{name} is {stored[name]!r}; the image has {getattr(image, name)!r}")


def read(source: Source, loader: Loader, digest: str) -> Checked:
    """An image of the record, checked. Raises: Invalid, naming its file."""
    name = f"{RECORD}/images/{digest}"
    content = whole(source, name, int(loader.limits.max_mb * 2**20))
    if hashlib.sha256(content).hexdigest() != digest:
        raise refuse(name, "is not the image that its name says; it was cut off or changed")
    try:
        image = checked(content, loader.limits)
    except BadImage as bad:
        raise refuse(name, str(bad)) from None
    if image.content != content:
        raise refuse(name, f"is no image as they are kept ({image.note})")
    return image
