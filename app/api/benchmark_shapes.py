"""The shapes of what the API takes and gives about benchmarks and review prompts."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, create_model

from app.api.shapes import Shape, Time
from app.services.benchmarks.form import BenchmarkForm
from app.services.benchmarks.meanings import MEANINGS

_FIELDS: dict[str, Any] = {
    name: (field.annotation | None, Field(None, description=MEANINGS[name]))  # type: ignore[operator]
    for name, field in BenchmarkForm.model_fields.items()
}
Benchmark = create_model(
    "Benchmark", __base__=Shape, __doc__="The fields of a benchmark; what is left out has its default.", **_FIELDS
)
NamedBenchmark = create_model(
    "NamedBenchmark",
    __base__=Shape,
    __doc__="The fields of a benchmark, and a name for the run.",
    **_FIELDS | {"name": (str, "")},
)


class BenchmarkEstimate(Shape):
    """What a benchmark may take; usd is null when a price is unknown."""

    prompts: int
    calls_low: int
    calls_high: int
    tokens_low: int
    tokens_high: int
    usd_low: float | None
    usd_high: float | None
    notes: list[str]
    adjustments: Any


class ReviewAgain(Shape):
    """By whom, and with what, the same answers are reviewed again."""

    review_prompt: str = ""
    reviewer_model: str = ""
    name: str = ""


class BenchmarkResults(Shape):
    """What a benchmark comes to as things stand; null what nobody has judged."""

    run: str
    name: str
    status: str
    simulated: bool
    scale: list[int]
    configs: list[Any]
    recommendation: Any
    agreement: Any
    worth_ranking: Any
    prompts: list[Any]
    failed_reviews: list[Any]


class PromptAnswers(Shape):
    """One prompt of a benchmark with every answer to it."""

    id: str
    name: str
    messages: list[Any]
    reference: str
    answers: list[Any]
    rankings: list[Any]


class ConfigStatistics(Shape):
    """A config over all benchmarks. score: mean review as a share of its scale."""

    config: str
    model: str
    runs: int
    answered: int
    failed: int
    unacceptable: int
    score: float | None
    reviews: int
    seconds: float | None
    cost_usd: float | None


class AllConfigs(Shape):
    """Every config that a benchmark names."""

    items: list[ConfigStatistics]


class Ranking(Shape):
    """A person's ranking of the answers to one prompt. with_reviewer: compared with the reviewer's."""

    prompt: str
    repeat: int
    run: int
    ranker: str
    places: dict[str, int]
    notes: str
    seconds: float
    blind: bool
    revision: int
    saved_at: Time | None
    with_reviewer: Any


class Rankings(Shape):
    """All rankings of a benchmark."""

    items: list[Ranking]


class NewRanking(Shape):
    """A ranking to be saved. places: config to place, from 1; equal places are ties. revision: of what it replaces, or 0."""

    prompt: str
    repeat: int = Field(0, ge=0)
    ranker: str
    places: dict[str, int]
    notes: str = ""
    seconds: float = Field(0, ge=0)
    blind: bool = False
    revision: int = Field(0, ge=0)


class Mark(Shape):
    """Whether an answer, given by its key, is acceptable; an empty verdict takes a mark back."""

    key: str
    verdict: Literal["", "acceptable", "unacceptable"] = ""
    by: str = ""


class Marked(Shape):
    """An answer and how it is marked now."""

    key: str
    verdict: str


class ReviewPrompt(Shape):
    """A review prompt with what stands against it. version: 0 for one that ships with Whetstone."""

    model_config = ConfigDict(extra="allow")

    name: str
    description: str
    version: int
    shipped: bool
    criteria: Any
    scale: list[int] | None
    details: bool | None
    model: str | None
    runs: int
    last_used: Time | None
    errors: list[Any]
    warnings: list[Any]


class ReviewPrompts(Shape):
    """All review prompts."""

    items: list[ReviewPrompt]


class ReviewText(Shape):
    """The wording of a review prompt. settings: criteria, scale, details and model as JSON text."""

    template: str
    settings: str = ""


class NewReviewPrompt(ReviewText):
    """A review prompt to be saved."""

    name: str
    description: str = ""


class CheckedReview(Shape):
    """What stands against a review prompt."""

    usable: bool
    errors: list[Any]
    warnings: list[Any]


class Duplicate(Shape):
    """Which one, and the name of the new one."""

    name: str
    new_name: str = ""
