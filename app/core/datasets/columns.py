"""Which column is the input and which the answer: the one that was named, else the first known name in the order below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.datasets.errors import BadFile

INPUT_NAMES = (
    "user_input", "input", "prompt", "question", "query", "user_message", "message", "text", "text_prompt", "utterance",
    "instruction", "source",
)  # fmt: skip
ANSWER_NAMES = (
    "ground_truth_output", "ground_truth", "expected_output", "expected", "answer", "label", "golden_answer", "reference",
    "output", "target", "completion", "response", "expected_answer", "intent", "category",
)  # fmt: skip
IMAGE_NAMES = ("image", "image_url", "url_image", "image_path")
NO_IMAGE = "-"
"""Named as the column of images when there is none."""


@dataclass(frozen=True)
class Mapping:
    """Names of the input and the answer column, and of the one with the images, None when there is none."""

    input: str
    answer: str
    image: str | None = None


def map_columns(
    columns: Sequence[str],
    input_column: str | None = None,
    answer_column: str | None = None,
    image_column: str | None = None,
) -> Mapping:
    """Choose the columns. A named column is found whatever its case; without a name the known ones are tried.

    Raises: BadFile that says which column is missing and lists those of the file; ``field`` names the input to correct.
    """
    text = _choose(columns, input_column, INPUT_NAMES, "input_column", "input")
    answer = _choose(columns, answer_column, ANSWER_NAMES, "answer_column", "answer")
    if text == answer:
        raise BadFile("it is chosen as input and as answer; choose two columns", column=text, field="answer_column")
    image = _image(columns, image_column)
    if image in (text, answer):
        if image_column:
            raise BadFile("it is chosen twice; choose another column", column=image, field="image_column")
        image = None
    return Mapping(text, answer, image)


def _image(columns: Sequence[str], wanted: str | None) -> str | None:
    """The column of images; nothing is missing when none has a known name."""
    if wanted == NO_IMAGE or (not wanted and {_plain(c) for c in columns}.isdisjoint(IMAGE_NAMES)):
        return None
    return _choose(columns, wanted, IMAGE_NAMES, "image_column", "image")


def aliased(columns: Sequence[str]) -> int:
    """How many of the two needed columns have a known name."""
    names = {_plain(column) for column in columns}
    return sum(not names.isdisjoint(known) for known in (INPUT_NAMES, ANSWER_NAMES))


def _choose(columns: Sequence[str], wanted: str | None, known: Sequence[str], field: str, role: str) -> str:
    if wanted:
        found = [c for c in columns if c == wanted] or [c for c in columns if _plain(c) == _plain(wanted)]
        missing = f"there is no column {wanted!r}"
    else:
        by_name = {_plain(column): column for column in reversed(columns)}
        found = [by_name[name] for name in known if name in by_name]
        missing = f"there is no {role} column: none is called {', '.join(known[:6])}..., so name the one to use"
    if not found:
        raise BadFile(f"{missing}; the file has the columns {listed(columns)}", field=field)
    return found[0]


def listed(columns: Sequence[str]) -> str:
    """The columns for a message, clipped."""
    told = ", ".join(column[:60] for column in columns[:20])
    return f"{told}, and {len(columns) - 20} more" if len(columns) > 20 else told


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())
