"""The shapes of what the API takes and gives, for its document. Services check what comes in; tests check what goes out.

Any is what belongs to a kind of run, a scorer or an importer and differs between them; the guide says what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from app.core.kinds.rejudge import MISSING
from app.services.rejudging import FIELDS
from app.services.training import MEANINGS, TrainingForm

Time = str
"""UTC in ISO 8601, to the second."""


class Shape(BaseModel):
    """A JSON object with these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class Error(Shape):
    """One thing that is wrong. field: name of the input, "" for the whole."""

    field: str
    message: str


class Errors(Shape):
    """A refusal: what kind it is, and one entry for each thing that is wrong."""

    type: Literal[
        "unreadable", "unauthorized", "foreign", "not_found", "method_not_allowed", "conflict", "too_large",
        "unsupported_media_type", "invalid", "unavailable", "fault",
    ]  # fmt: skip
    errors: list[Error]


class _Page(Shape):
    next: Any = Field(description="give it back as after for the next page; null at the end")


def page(item: type[BaseModel]) -> type[BaseModel]:
    """A page of a list of these."""
    items: Any = (list.__class_getitem__(item), ...)
    return create_model(f"{item.__name__}Page", __base__=_Page, __doc__="A page of a list.", items=items)


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


class Prompt(Shape):
    """A prompt without its texts."""

    name: str
    kind: Literal["pair", "chat"]
    description: str
    category: str
    tags: list[str]
    versions: int
    labels: dict[str, int]
    created_at: Time


class Version(Shape):
    """One version of a prompt: system_prompt and output_prompt, or messages."""

    prompt: str
    kind: Literal["pair", "chat"]
    version: int
    system_prompt: str | None = None
    output_prompt: str | None = None
    messages: Any = None
    labels: list[str]
    digest: str
    author: str
    parent: int | None
    run: str | None
    fate: str
    reasoning: str
    scores: Any
    created_at: Time


class FullPrompt(Prompt):
    """A prompt with all its versions, the newest first."""

    history: list[Version]


class About(Shape):
    """What is said about a prompt; what is left out stays."""

    name: str | None = None
    description: str | None = None
    category: str | None = None
    tags: list[str] | None = None


class LabelMove(Shape):
    """A label was pointed at a version; null when it was taken away."""

    label: str
    version: int | None
    at: Time


class Which(Shape):
    """A version by its number, or by a label."""

    version: int | str


class Labelled(Shape):
    """Where a label points."""

    prompt: str
    label: str
    version: int


class Text(Shape):
    """The content of a file."""

    text: str


class TextOf(Text):
    """The content of a file with its name, whose ending says what it is."""

    filename: str


class ImportedVersion(Version):
    """A version that was imported. adjusted: variables that stood in single braces."""

    adjusted: list[str]


class ImportedPrompts(Shape):
    """The versions that an import made."""

    items: list[ImportedVersion]


class NamedText(Text):
    """The content of a file, and a name in place of its own."""

    name: str = ""


class Price(Shape):
    """US dollars per million tokens."""

    prompt: float
    completion: float
    cached: float | None = None


class ModelConfigSaid(Shape):
    """What a new revision of a model config says; active alone makes no revision."""

    model: str | None = None
    api_base: str = ""
    region: str = ""
    params: dict[str, Any] = Field(default_factory=dict)
    target_rpm: float | None = None
    price: Price | None = None
    active: bool = True


class NewModelConfig(ModelConfigSaid):
    """A new model config."""

    name: str


class Name(Shape):
    """A name; "" for one that is made from the old one."""

    name: str = ""


class ModelConfig(Shape):
    """A model config, as one of its revisions says it."""

    name: str
    model: str
    api_base: str
    region: str
    params: Any
    target_rpm: float | None
    price: Any
    active: bool
    revision: int
    created_at: Time


class ListedModelConfig(ModelConfig):
    """A model config with how it did."""

    used: Any


class FullModelConfig(ModelConfig):
    """A model config with what it comes to, and all its revisions, the newest first."""

    comes_to: Any
    history: list[ModelConfig]


class ImportedModels(Shape):
    """What an import did, by name."""

    created: list[str]
    revised: list[str]
    unchanged: list[str]


class Run(Shape):
    """A run; outcome belongs to its kind."""

    id: str
    kind: str
    name: str
    status: str
    reason: str
    wish: str
    simulated: bool
    dataset: str | None
    prompt: str | None
    cloned_from: str | None
    origin: str | None
    imported_at: Time | None
    resume_at: Time | None
    created_at: Time
    started_at: Time | None
    ended_at: Time | None
    calls_pruned_at: Time | None
    outcome: Any


class Spent(Shape):
    """What a run has used; the true cost lies between the two, and both are null while a price is unknown."""

    calls: int
    tokens: int
    cost_usd: float | None
    cost_high_usd: float | None
    unpriced_calls: int
    uncertain_calls: int
    uncertain_usd: float
    open_calls: int
    cached_calls: int
    saved_usd: float


class FullRun(Run):
    """A run with what was asked, what it has spent and how far it is."""

    spec: Any
    spent: Spent
    progress: Any


class ImportedRun(Run):
    """A run that was imported. already: it was here, and nothing was imported."""

    already: bool


class RunFields(Shape):
    """The fields that start a run again: those of its form."""

    model_config = ConfigDict(extra="allow")

    dataset: str


class StartedRun(Run):
    """A run that was queued. hinted: false when Redis is away; it then waits in the database."""

    hinted: bool
    adjustments: Any = None


class Result(Spent):
    """How a run came out, on the sealed test alone; more keys belong to its kind."""

    model_config = ConfigDict(extra="allow")

    run: str
    status: str
    reason: str
    verdict: str | None
    sentence: str | None
    simulated: bool


class Bill(Spent):
    """What a run has cost, by role and model and by day, how its calls kept to the rate limits, and how fast they were."""

    model_config = ConfigDict(extra="allow")

    run: str
    simulated: bool
    known_usd: float
    by_model: list[Any]
    by_day: list[Any]
    rates: list[Any]
    speed: list[Any]


class Event(Shape):
    """Something that happened. note: its number in the history, null for what was only told to watchers."""

    id: int
    note: int | None
    name: str
    data: Any
    at: Time


class Sample(Shape):
    """One candidate's answer to one case, with its score."""

    model_config = ConfigDict(extra="allow")

    id: int
    candidate: str
    case: str
    repeat: int
    split: str
    outcome: str
    score: float | None
    feedback: str
    response: str
    error: str
    calls: int
    tokens: int
    cost_usd: float | None
    seconds: float | None


class Unprocessed(Sample):
    """An answer without a score. retries: how often it was asked again."""

    retries: int


class Resumed(Shape):
    """What becomes of calls that were cut off after sending."""

    uncertain: Literal["", "repeat", "skip"] = ""


class Folder(Shape):
    """Where a run was written to, on the server."""

    folder: str


class Spending(Shape):
    """What all runs have used, real and simulated money apart."""

    model_config = ConfigDict(populate_by_name=True, extra="forbid")

    first: str = Field(alias="from")
    last: str = Field(alias="to")
    real: Any
    simulated: Any


class Estimate(Shape):
    """What a training may take, from an early stop to the last epoch; usd is null when a price is unknown."""

    model_config = ConfigDict(extra="allow")

    calls_low: int
    calls_high: int
    tokens_low: int
    tokens_high: int
    usd_low: float | None
    usd_high: float | None
    notes: list[str]
    adjustments: Any


class Missing(Shape):
    """What is not on record for judging a run again, and its price."""

    on_record: int
    answers_low: int
    answers_high: int
    judgements_low: int
    judgements_high: int
    usd_low: float | None
    usd_high: float | None
    sealed: int


def _fields(names: Iterable[str]) -> dict[str, Any]:
    """Fields of the training form; each may be left out or be null, and then has its default."""
    known = TrainingForm.model_fields
    return {
        name: (known[name].annotation | None, Field(None, description=MEANINGS[name]))  # type: ignore[operator]
        for name in names
        if name in known
    }


def _body(name: str, about: str, fields: dict[str, Any]) -> type[BaseModel]:
    return create_model(name, __base__=Shape, __doc__=about, **fields)


_NAME: dict[str, Any] = {"name": (str, "")}
_MISSING: dict[str, Any] = {"missing": (Literal[*MISSING] | None, None)}
_JUDGED = _fields(FIELDS) | _MISSING
_TRAINED = _fields(TrainingForm.model_fields)
Training = _body("Training", "The fields of a training; what is left out has its default.", _TRAINED)
NamedTraining = _body("NamedTraining", "The fields of a training, and a name for the run.", _TRAINED | _NAME)
Rejudging = _body("Rejudging", "How a run is judged again; what is left out is as it was.", _JUDGED)
NamedRejudging = _body("NamedRejudging", "How a run is judged again, and a name for the new run.", _JUDGED | _NAME)
