"""What an example shows beside its text: an image by its content, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.ports.llm import Image, Json

Triple: TypeAlias = tuple[int, str, str]
"""Row, input, reference."""


@dataclass(frozen=True, slots=True)
class Picture:
    """image: None when it could not be loaded; problem then says why."""

    image: Image | None
    problem: str = ""

    @property
    def mark(self) -> str:
        """Same content, same mark."""
        return self.image.digest if self.image else f"!{self.problem}"


def picture_of(stored: Json) -> Picture | None:
    """A picture from what a dataset keeps of it: an image's facts, or a "problem". None when the example has none."""
    if not stored:
        return None
    if stored.get("problem"):
        return Picture(None, stored["problem"])
    return Picture(Image(stored["digest"], stored["media_type"], stored["width"], stored["height"]))


def as_json(picture: Picture) -> Json:
    """What picture_of() reads."""
    one = picture.image
    if one is None:
        return {"problem": picture.problem}
    return {"digest": one.digest, "media_type": one.media_type, "width": one.width, "height": one.height}


def with_marks(rows: Iterable[Triple], pictures: Mapping[int, Picture]) -> Iterator[Triple]:
    """The rows as duplicates, conflicts and splits tell them apart: the same question about two images is two inputs."""
    for row, text, reference in rows:
        shown = pictures.get(row)
        yield row, marked(text, shown), reference


def marked(text: str, picture: Picture | None) -> str:
    """An input with the mark of its picture; without one it stays as it is."""
    return f"{text}\n[image {picture.mark}]" if picture else text
