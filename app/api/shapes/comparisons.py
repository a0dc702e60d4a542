"""The shapes of what /compare and /comparisons take and give."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, create_model

from app.api.shapes import Shape
from app.core.kinds.compare import PARTS
from app.services.comparison import FIELDS
from app.services.training import MEANINGS, TrainingForm


class Difference(Shape):
    """A setting that the runs do not share, with its value in each."""

    name: str
    values: list[Any]


class ComparedVersion(Shape):
    """A version with its scores. difference: from the first, null for that one; why: why it cannot be read, "" when it can."""

    of: str
    run: str
    run_name: str
    simulated: bool
    number: int
    title: str
    fate: str
    system_prompt: str
    output_prompt: str
    mean: Any
    answers: Any
    difference: Any
    comparable: bool
    why: str
    sentence: str


class Comparison(Shape):
    """Versions side by side, each against the first."""

    split: str
    versions: list[ComparedVersion]
    settings: list[Difference]


class ComparedExample(Shape):
    """An example with every version's answer; change: from the first one's."""

    id: int
    case: str
    repeat: int
    input: str
    reference: str
    answers: list[Any]


class ComparisonEstimate(Shape):
    """What a comparison on a dataset may take at most; usd is null when a price is unknown."""

    calls: int
    tokens: int
    usd: float | None
    examples: int
    detectable: float
    notes: list[str]


_KNOWN = TrainingForm.model_fields
_FIELDS: dict[str, Any] = {
    name: (_KNOWN[name].annotation | None, Field(None, description=MEANINGS[name]))  # type: ignore[operator]
    for name in FIELDS
    if name in _KNOWN
}
_FIELDS |= {
    "version": (list[str], Field(description="two to eight of NAME@NUMBER-or-label or RUN:NUMBER")),
    "part": (Literal[*PARTS] | None, Field(None, description="what of the dataset they are measured on")),
}
ComparisonOrder = create_model(
    "ComparisonOrder",
    __base__=Shape,
    __doc__="What is compared, and on what; what is left out has its default.",
    **_FIELDS,
)
NamedComparisonOrder = create_model(
    "NamedComparisonOrder", __base__=Shape, __doc__="The same, and a name for the run.", **_FIELDS, name=(str, "")
)
