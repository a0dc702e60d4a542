"""Every table, as plain SQLAlchemy on our own typed Base."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import JSON, ColumnElement, Float, ForeignKey, Index, MetaData, UniqueConstraint, false
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from app.ports.llm import Json
from app.store.types import CleanString, CleanText, JsonColumn, RowId, Utc, utc_now

UNSCORED = "outcome <> 'scored'"
NOT_PRIMARY = "role <> 'primary'"
FAILED = "error <> ''"
OPEN = "settled IN (false)"
CACHED = "cached IN (true)"
STATE = "name IN ('progress', 'status')"
"""What partial indexes hold. SQLite uses one only where a query repeats the condition word for word: see narrowed()."""


def only_where(condition: str) -> dict[str, Any]:
    """Arguments that make an index partial in both databases."""
    return {"sqlite_where": sql(condition), "postgresql_where": sql(condition)}


def narrowed(condition: str) -> ColumnElement[bool]:
    """The condition of a partial index, as a query has to say it."""
    return sql(condition)  # type: ignore[return-value]


class Base(DeclarativeBase):
    """Our declarative base; Flask-SQLAlchemy wraps it for the web."""

    # Constraints have names, so that a later migration can change them on SQLite too.
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar = {dt.datetime: Utc(), str: CleanText(), Json: JsonColumn}


class Dataset(Base):
    """An imported set of examples. Its examples never change; digest marks their content and order."""

    __tablename__ = "datasets"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(200), unique=True)
    digest: Mapped[str] = mapped_column(CleanString(64))
    source: Mapped[str]
    """Name of the file it came from."""
    rows: Mapped[int]
    report: Mapped[Json] = mapped_column(JsonColumn)
    """How the file was read: encoding, delimiter, columns used, dropped rows with reasons."""
    statistics: Mapped[Json] = mapped_column(JsonColumn)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    deleted_at: Mapped[dt.datetime | None]
    """A deleted dataset leaves the lists and frees its name; runs that use it keep its examples."""
    root_id: Mapped[int | None] = mapped_column(RowId)
    """The first version of this dataset; None for that one itself."""
    parent_id: Mapped[int | None] = mapped_column(RowId)
    """The version that this one was corrected from."""
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class Example(Base):
    """One row of a dataset, as it was given."""

    __tablename__ = "examples"
    __table_args__ = (UniqueConstraint("dataset_id", "row"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    row: Mapped[int]
    """Number of the row in the file's data, from 1."""
    input: Mapped[str]
    reference: Mapped[str]
    extra: Mapped[Json] = mapped_column(JsonColumn)
    """The other columns, by name."""
    image: Mapped[Json] = mapped_column(JSON(none_as_null=True), nullable=True)
    """What is shown with the input (see app.core.pictures), with its "source" and maybe a "note"; None for nothing."""


class Ruling(Base):
    """What a person decided about one example's label. The next version of the dataset is made from them."""

    __tablename__ = "rulings"
    __table_args__ = (UniqueConstraint("dataset_id", "row"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    row: Mapped[int]
    ruling: Mapped[str] = mapped_column(CleanString(10))
    """keep, correct or exclude."""
    reference: Mapped[str | None]
    """For correct: the answer that is right."""
    note: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime] = mapped_column(server_default=utc_now(), onupdate=utc_now())


class Look(Base):
    """A candidate was measured on a hidden split. It stays when the run is deleted: what was seen stays seen."""

    __tablename__ = "looks"
    __table_args__ = (
        UniqueConstraint("run_id", "split", "candidate"),
        Index("ix_looks_dataset_id", "dataset_id", "split", "run_id", "id"),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    dataset_id: Mapped[int] = mapped_column(RowId)
    """The dataset's first version: a correction does not make its rows unseen."""
    run_id: Mapped[str] = mapped_column(CleanString(16))
    split: Mapped[str] = mapped_column(CleanString(12))
    candidate: Mapped[str] = mapped_column(CleanString(64))
    at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())


class Prompt(Base):
    """A named prompt of the library: kind "pair" (system and output prompt) or "chat" (a message list)."""

    __tablename__ = "prompts"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(200), unique=True)
    kind: Mapped[str] = mapped_column(CleanString(10))
    description: Mapped[str] = mapped_column(default="")
    category: Mapped[str] = mapped_column(CleanString(100), default="")
    tags: Mapped[Json] = mapped_column(JsonColumn, default=list)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    deleted_at: Mapped[dt.datetime | None]
    versions: Mapped[list[PromptVersion]] = relationship(back_populates="prompt", order_by="PromptVersion.number")
    labels: Mapped[list[PromptLabel]] = relationship(back_populates="prompt", order_by="PromptLabel.label")


class PromptVersion(Base):
    """An immutable version of a prompt, numbered from 1 within it."""

    __tablename__ = "prompt_versions"
    __table_args__ = (UniqueConstraint("prompt_id", "number"), Index("ix_prompt_versions_run_id", "run_id"))
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    prompt_id: Mapped[int] = mapped_column(ForeignKey("prompts.id", ondelete="CASCADE"))
    number: Mapped[int]
    system_prompt: Mapped[str] = mapped_column(default="")
    output_prompt: Mapped[str] = mapped_column(default="")
    messages: Mapped[Json] = mapped_column(JsonColumn, default=list)
    """For kind chat: [{"role": ..., "content": ...}, ...]; else []."""
    digest: Mapped[str] = mapped_column(CleanString(64))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("prompt_versions.id"))
    author: Mapped[str] = mapped_column(CleanString(20))
    """"person", "run" or "import"."""
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"))
    run_number: Mapped[int | None]
    """Which proposal of that run it was; 0 is the run's initial prompt."""
    fate: Mapped[str] = mapped_column(CleanString(20), default="")
    """"" for a person's version; accepted, rejected, invalid or shortened for a proposal."""
    reasoning: Mapped[str] = mapped_column(default="")
    scores: Mapped[Json] = mapped_column(JsonColumn, default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    prompt: Mapped[Prompt] = relationship(back_populates="versions")
    parent: Mapped[PromptVersion | None] = relationship(remote_side="PromptVersion.id")


class PromptLabel(Base):
    """A movable name, such as "production", for one version of a prompt."""

    __tablename__ = "prompt_labels"
    __table_args__ = (UniqueConstraint("prompt_id", "label"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    prompt_id: Mapped[int] = mapped_column(ForeignKey("prompts.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(CleanString(60))
    version_id: Mapped[int] = mapped_column(ForeignKey("prompt_versions.id", ondelete="CASCADE"))
    set_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now(), onupdate=utc_now())
    prompt: Mapped[Prompt] = relationship(back_populates="labels")
    version: Mapped[PromptVersion] = relationship()


class ModelConfig(Base):
    """A named way to call a model. What it says stands in its revisions, the newest of which is in force."""

    __tablename__ = "model_configs"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(200), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    """An inactive one is kept, and offered to no new run."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    deleted_at: Mapped[dt.datetime | None]
    """A deleted config leaves the lists and frees its name; runs have pinned what they used."""
    revisions: Mapped[list[ModelConfigRevision]] = relationship(
        back_populates="config", order_by="ModelConfigRevision.number"
    )


class ModelConfigRevision(Base):
    """What a model config said from some moment on; never changed."""

    __tablename__ = "model_config_revisions"
    __table_args__ = (UniqueConstraint("config_id", "number"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    config_id: Mapped[int] = mapped_column(ForeignKey("model_configs.id", ondelete="CASCADE"))
    number: Mapped[int]
    model: Mapped[str] = mapped_column(CleanString(200))
    api_base: Mapped[str]
    """"" for the provider's own address."""
    region: Mapped[str] = mapped_column(CleanString(60))
    """"" for the operator's setting."""
    params: Mapped[Json] = mapped_column(JsonColumn)
    """As they were asked for; what the model takes of them is resolved when it is used."""
    target_rpm: Mapped[float | None] = mapped_column(Float(53))
    price: Mapped[Json] = mapped_column(JsonColumn, nullable=True)
    """USD per million tokens: {"prompt", "completion", "cached" or null}; None for the table's."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    config: Mapped[ModelConfig] = relationship(back_populates="revisions")


class Run(Base):
    """One persisted execution of any kind."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_created_at", "created_at", "id"),
        Index("ix_runs_status", "status"),
        Index("ix_runs_origin_id", "origin_id", **only_where("origin_id IS NOT NULL")),
        Index("ix_runs_deleted_at", "deleted_at", **only_where("deleted_at IS NOT NULL")),
    )
    id: Mapped[str] = mapped_column(CleanString(16), primary_key=True)
    kind: Mapped[str] = mapped_column(CleanString(20))
    name: Mapped[str] = mapped_column(CleanString(200))
    status: Mapped[str] = mapped_column(CleanString(12))
    """queued, running, paused, done, cancelled or failed."""
    reason: Mapped[str] = mapped_column(default="")
    """Why it is paused, cancelled or failed, in words for a person."""
    wish: Mapped[str] = mapped_column(CleanString(8), default="")
    """What the user asked of the worker: "", pause or cancel."""
    spec: Mapped[Json] = mapped_column(JsonColumn)
    simulated: Mapped[bool]
    """True when any model of the run is the simulated provider."""
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("datasets.id"))
    prompt_id: Mapped[int | None] = mapped_column(ForeignKey("prompts.id"))
    cloned_from: Mapped[str | None] = mapped_column(CleanString(16))
    origin_id: Mapped[str | None] = mapped_column(CleanString(16))
    """Of an imported run: its id where it was made."""
    imported_at: Mapped[dt.datetime | None]
    """When it came from another installation; it is only looked at and never worked on."""
    outcome: Mapped[Json] = mapped_column(JsonColumn, default=None, nullable=True)
    spent: Mapped[Json] = mapped_column(JsonColumn, default=None, nullable=True)
    """Its totals (app.ports.journal.Totals) when the last worker ended it; None while one may still be spending."""
    fence: Mapped[int] = mapped_column(default=0)
    """Number of the newest claim; only its holder may write."""
    lease_owner: Mapped[str] = mapped_column(CleanString(80), default="")
    lease_until: Mapped[float] = mapped_column(Float(53), default=0.0)
    """Seconds since the epoch by the database's clock; 0 when nobody holds the run."""
    resume_at: Mapped[float] = mapped_column(Float(53), default=0.0, server_default="0")
    """When a run that an outage paused is tried again, by the database's clock; 0 when only a person resumes it."""
    outages: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many times in a row an outage has paused it without one answer in between."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    calls_pruned_at: Mapped[dt.datetime | None]
    """When its calls began to be removed to save room; its totals stay in ``spent``."""
    deleted_at: Mapped[dt.datetime | None]
    """A deleted run is nowhere to be seen; its records go in portions, and then it goes itself."""
    dataset: Mapped[Dataset | None] = relationship()
    prompt: Mapped[Prompt | None] = relationship()


class SampleRow(Base):
    """One candidate's scored answer to one case (see app.ports.journal.Sample)."""

    __tablename__ = "samples"
    __table_args__ = (
        UniqueConstraint("run_id", "key"),
        # What the lists are narrowed by stands in the indexes, so that a filter that fits nothing need not read the rows.
        Index("ix_samples_run_id", "run_id", "id", "split", "outcome"),
        Index("ix_samples_run_candidate", "run_id", "candidate", "id", "split", "outcome"),
        Index("ix_samples_case", "run_id", "split", "case", "repeat", "candidate", "outcome", "score", "id"),
        Index("ix_samples_unscored", "run_id", "id", "outcome", **only_where(UNSCORED)),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(CleanString(64))
    candidate: Mapped[str] = mapped_column(CleanString(64))
    case: Mapped[str] = mapped_column(CleanString(64))
    repeat: Mapped[int]
    split: Mapped[str] = mapped_column(CleanString(12))
    outcome: Mapped[str] = mapped_column(CleanString(20))
    score: Mapped[float | None]
    feedback: Mapped[str]
    response: Mapped[str]
    scores: Mapped[Json] = mapped_column(JsonColumn, nullable=True)
    error: Mapped[str]
    calls: Mapped[int]
    tokens: Mapped[int]
    cost_usd: Mapped[float | None]
    seconds: Mapped[float]


class CallRow(Base):
    """One model call: the intent before each sending and, once known, the result (see app.ports.journal)."""

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("run_id", "key"),
        Index("ix_calls_run_id", "run_id", "id"),
        Index("ix_calls_cache_key", "cache_key"),
        # Each holds what is rare, so an ordinary call pays for none of them but the third.
        Index("ix_calls_role", "run_id", "role", "id", **only_where(NOT_PRIMARY)),
        Index("ix_calls_failed", "run_id", "id", **only_where(FAILED)),
        Index("ix_calls_open", "run_id", "id", **only_where(OPEN)),
        Index("ix_calls_cached", "run_id", "id", **only_where(CACHED)),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(CleanString(120))
    attempts: Mapped[int]
    role: Mapped[str] = mapped_column(CleanString(12))
    model: Mapped[str] = mapped_column(CleanString(200))
    request: Mapped[Json] = mapped_column(JsonColumn)
    reserved_usd: Mapped[float | None]
    settled: Mapped[bool]
    """False while the fate of the last sending is unknown."""
    text: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(CleanString(30), default="")
    finish_reason: Mapped[str] = mapped_column(CleanString(20), default="")
    prompt_tokens: Mapped[int] = mapped_column(default=0)
    completion_tokens: Mapped[int] = mapped_column(default=0)
    reasoning_tokens: Mapped[int] = mapped_column(default=0)
    cached_tokens: Mapped[int] = mapped_column(default=0)
    tokens_estimated: Mapped[bool] = mapped_column(default=False)
    cost_usd: Mapped[float | None]
    ttft_s: Mapped[float | None]
    ttlb_s: Mapped[float] = mapped_column(default=0.0)
    served_model: Mapped[str] = mapped_column(CleanString(200), default="")
    raw: Mapped[Json] = mapped_column(JsonColumn, nullable=True)
    retries: Mapped[int] = mapped_column(default=0)
    wait_s: Mapped[float] = mapped_column(default=0.0)
    uncertain: Mapped[int] = mapped_column(default=0)
    """Sendings whose fate is unknown although the call went on (crashes, timeouts after sending)."""
    cache_key: Mapped[str] = mapped_column(CleanString(32), default="", server_default=sql("''"))
    """What later runs find the reply by; "" when the run must not share it."""
    cached: Mapped[bool] = mapped_column(default=False, server_default=false())
    """True when the reply was bought earlier, by this run or another one, and cost nothing here."""
    lane: Mapped[str] = mapped_column(CleanString(250), default="", server_default=sql("''"))
    """What shares a rate limit: model@region."""
    throttled_s: Mapped[float] = mapped_column(Float(53), default=0.0, server_default="0")
    """Seconds spent waiting for our own rate limit."""
    limited: Mapped[int] = mapped_column(default=0, server_default="0")
    """Sendings that the provider refused because of its rate limit."""
    sent_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    settled_at: Mapped[dt.datetime | None]


class ShardRow(Base):
    """A part of an evaluation that any worker may buy for the run's driver."""

    __tablename__ = "shards"
    __table_args__ = (UniqueConstraint("run_id", "fence", "number"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    fence: Mapped[int]
    """The driver's claim; a shard of an older claim is void."""
    number: Mapped[int]
    status: Mapped[str] = mapped_column(CleanString(12))
    """open, taken, done or failed."""
    work: Mapped[Json] = mapped_column(JsonColumn)
    owner: Mapped[str] = mapped_column(CleanString(80), default="")
    lease_until: Mapped[float] = mapped_column(Float(53), default=0.0)
    """Seconds since the epoch by the database's clock."""
    reason: Mapped[str] = mapped_column(default="")


class SpendingRow(Base):
    """What a run spent on one day, for one role, on one model. It stays when the run or its calls are deleted."""

    __tablename__ = "spending"
    __table_args__ = (UniqueConstraint("run_id", "day", "role", "model"), Index("ix_spending_day", "day"))
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[str] = mapped_column(CleanString(16))
    day: Mapped[str] = mapped_column(CleanString(10))
    """In UTC, as 2026-11-25."""
    role: Mapped[str] = mapped_column(CleanString(12))
    model: Mapped[str] = mapped_column(CleanString(200))
    totals: Mapped[Json] = mapped_column(JsonColumn)
    """As app.ports.journal.Totals."""


class StepRow(Base):
    """The recorded result of one other effect of a run."""

    __tablename__ = "steps"
    __table_args__ = (UniqueConstraint("run_id", "key"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(CleanString(120))
    value: Mapped[Json] = mapped_column(JsonColumn, nullable=True)


class Event(Base):
    """What happened in a run, in order. id is the cursor of the event stream."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("run_id", "note"),
        Index("ix_events_run_id", "run_id", "id"),
        Index("ix_events_state", "run_id", "name", "id", **only_where(STATE)),
    )
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    note: Mapped[int | None]
    """Number within the run's history; None for what was only told to watchers."""
    name: Mapped[str] = mapped_column(CleanString(30))
    data: Mapped[Json] = mapped_column(JsonColumn)
    at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
