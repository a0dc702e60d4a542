"""Datasets, their examples, and what was decided about their labels."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app.api.shapes.base import Shape, Time


class Dataset(Shape):
    """A dataset."""

    id: int
    name: str
    rows: int
    digest: str
    source: str
    version: int
    made_from: int | None
    created_at: Time


class FullDataset(Dataset):
    """A dataset with its statistics and the report of its import."""

    statistics: Any
    report: Any


class BundledSample(Shape):
    """A sample that comes with Whetstone. dataset: the name that it gets; scorer and prompts: for a first training on it."""

    filename: str
    dataset: str
    title: str
    description: str
    scorer: str
    system_prompt: str
    output_prompt: str


class SampleName(Shape):
    """Which bundled sample."""

    filename: str


class Example(Shape):
    """One row of a dataset. image: digest, media_type, width, height and source, or the problem; null without one."""

    row: int
    input: str
    answer: str
    extra: Any
    image: Any


class Ruled(Shape):
    """What a person decided about a row."""

    ruling: str
    reference: str | None
    note: str
    at: Time


class RuledRow(Ruled):
    """A ruling with its place."""

    dataset: str
    row: int


class Doubt(Shape):
    """An example that is worth a look, with what speaks against its answer."""

    row: int
    input: str
    answer: str
    suspicion: float
    evidence: str
    failing: Any
    conflict: Any
    flips: Any
    suggestion: str
    splits: list[str]
    ruling: Ruled | None


class Change(Shape):
    """A row that a version changed; after is null when it was left out."""

    row: int
    input: str
    before: str
    after: str | None


class Ruling(Shape):
    """A decision about a row."""

    ruling: Literal["keep", "correct", "exclude"]
    reference: str = Field("", description="for correct: the answer that is right")
    note: str = ""
