"""The images of a table's rows: a data URL, a web address, a stored image's digest, or a file name, each loaded once."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote_to_bytes

from app.config.settings import Images as Limits
from app.core.tokens import image_tokens
from app.llm.outbound import Guard
from app.ports.images import ImageGone
from app.ports.llm import Json
from app.services.pictures.archive import Nowhere, Place
from app.services.pictures.decoding import BadImage, checked
from app.services.pictures.fetching import fetch_all
from app.store.images import ImageFiles

_WEB = re.compile(r"https?://", re.IGNORECASE)
_DATA = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
STORED = "sha256:"
"""Before the digest of an image that is stored already, as an export writes it."""
DATA_URL = "data URL"
LISTED = 1000
"""Images that could not be loaded, listed one by one; all of them are counted."""


@dataclass(frozen=True, slots=True)
class Loader:
    """How images are loaded here. place: where file names lead. guard: which web addresses are fetched."""

    files: ImageFiles
    limits: Limits
    place: Place = field(default_factory=Nowhere)
    guard: Guard = field(default_factory=Guard)

    def begin(self) -> Loading:
        """For one table."""
        return Loading(self)


class Loading:
    """The images of one table, row by row; web addresses are fetched together at the end."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._known: dict[str, Json] = {}
        self._waiting: dict[str, list[int]] = {}
        self.found: dict[int, Json] = {}
        """By row, as app.core.pictures.picture_of() reads it, with its "source" and maybe a "note"."""

    @property
    def rows(self) -> int:
        """Rows with an image so far, loaded or not."""
        return len(self.found) + sum(len(rows) for rows in self._waiting.values())

    def take(self, row: int, cell: str) -> None:
        """Load the image that a cell names; nothing for an empty one."""
        cell = cell.strip()
        if not cell:
            return
        if _WEB.match(cell):
            self._waiting.setdefault(cell, []).append(row)
        elif cell[:5].lower() == "data:":
            self.found[row] = self._stored(DATA_URL, lambda: _in_data_url(cell), _declared(cell))
        else:
            if cell not in self._known:
                self._known[cell] = self._named(cell)
            self.found[row] = self._known[cell]

    def finish(self) -> Mapping[int, Json]:
        """Fetch what stands at web addresses; returns everything that was found."""
        loader, waiting = self._loader, self._waiting

        def done(url: str, content: bytes | BadImage) -> None:
            self.found |= dict.fromkeys(waiting[url], self._stored(url, partial(_or_raise, content)))

        fetch_all(list(waiting), loader.guard, loader.limits, done)
        self._waiting = {}
        return self.found

    def _named(self, cell: str) -> Json:
        loader = self._loader
        if cell.startswith(STORED):
            return self._stored(DATA_URL, lambda: self._kept(cell.removeprefix(STORED)))
        return self._stored(cell, lambda: loader.place.read(cell, loader.limits.max_mb * 2**20))

    def _kept(self, digest: str) -> bytes:
        try:
            return self._loader.files.read(digest)
        except ImageGone as gone:
            raise BadImage(str(gone)) from None

    def _stored(self, source: str, read: Callable[[], bytes], declared: str = "") -> Json:
        """What a dataset keeps of an image, which is stored by then. Raises: OSError when it cannot be stored."""
        try:
            image = checked(read(), self._loader.limits)
        except BadImage as bad:
            return {"problem": str(bad), "source": source}
        digest = self._loader.files.put(image.content, image.small)
        facts = {"digest": digest, "media_type": image.media_type, "width": image.width, "height": image.height}
        notes = [image.note] if image.note else []
        if declared and declared != image.media_type and not image.note:
            notes.append(f"it was called {declared[:60]} and is {image.media_type}")
        return {**facts, "source": source} | ({"note": "; ".join(notes)} if notes else {})


def kind_of(cell: str) -> str:
    """What a cell that names an image holds: a data URL, a web address, a stored image or a file name."""
    cell = cell.strip()
    if _WEB.match(cell):
        return "web address"
    return "data URL" if cell[:5].lower() == "data:" else "stored image" if cell.startswith(STORED) else "file name"


def as_cell(stored: Json) -> str:
    """A cell from which an import loads the image again: what it was, or the stored image where that was a data URL."""
    if not stored:
        return ""
    return (
        f"{STORED}{stored['digest']}" if stored["source"] == DATA_URL and "digest" in stored else str(stored["source"])
    )


def _or_raise(content: bytes | BadImage) -> bytes:
    if isinstance(content, BadImage):
        raise content
    return content


def _declared(cell: str) -> str:
    found = _DATA.match(cell)
    named = found[1].strip().lower() if found else ""
    return "image/jpeg" if named == "image/jpg" else named


def _in_data_url(cell: str) -> bytes:
    found = _DATA.match(cell)
    if not found:
        raise BadImage("the data URL is broken: it has no comma before its data")
    body = cell[found.end() :]
    if not found[2].lower().endswith(";base64"):
        return unquote_to_bytes(body)
    try:
        return base64.b64decode(unquote_to_bytes(body), validate=True)
    except (binascii.Error, ValueError):
        raise BadImage("the data URL is broken: its data is not base64") from None


def figures(found: Mapping[int, Json]) -> Json:
    """Facts about a dataset's images. tokens_mean: about how many one has (see app.core.tokens)."""
    sizes = [image_tokens(one["width"], one["height"]) for one in found.values() if not one.get("problem")]
    return {
        "rows": len(found),
        "loaded": len(sizes),
        "tokens_mean": round(sum(sizes) / len(sizes), 1) if sizes else 0.0,
    }


def report(column: str, found: Mapping[int, Json]) -> Json:
    """What became of the images, for the record and for pages."""
    failed = [(row, one) for row, one in sorted(found.items()) if one.get("problem")]
    noted = [(row, one) for row, one in sorted(found.items()) if one.get("note")]
    return {
        "column": column,
        "rows": len(found),
        "loaded": len(found) - len(failed),
        "problems_total": len(failed),
        "problems": [{"row": row, "reason": one["problem"]} for row, one in failed[:LISTED]],
        "notes_total": len(noted),
        "notes": [{"row": row, "note": one["note"]} for row, one in noted[:LISTED]],
    }
