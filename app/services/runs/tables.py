"""A run's samples, calls and metrics as rows of plain values, read in portions, so that a million of them need no memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.services.runs.examples import Asked, images_of, texts_of
from app.services.runs.record import notes
from app.services.runs.speed import timing_in
from app.store.models import CallRow, Run, SampleRow
from app.store.speed import THOUGHT_ALOUD

Values: TypeAlias = dict[str, Any]

PORTION = 1000
"""Rows read at once."""
_CASE = ("case", "repeat", "split", "candidate")
_ANSWER = ("outcome", "score", "scores", "response", "feedback", "error", "calls", "tokens", "cost_usd", "seconds")
_CALL = (
    "id",
    "key",
    "role",
    "model",
    "served_model",
    "attempts",
    "retries",
    "wait_s",
    "uncertain",
    "cached",
    "throttled_s",
    "limited",
    "lane",
    "settled",
    "error",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
    "tokens_estimated",
    "cost_usd",
    "ttft_s",
    "ttlb_s",
    "request",
    "text",
)
SAMPLE_COLUMNS = (*_CASE, "version", "input", "reference", "image", *_ANSWER, "simulated")
SPEEDS = ("inter_token_s", "tokens_per_s", "output_tokens_per_s")
CALL_COLUMNS = (*_CALL, *SPEEDS, "simulated")
METRIC_COLUMNS = (
    "epoch",
    "train",
    "train_n",
    "validation",
    "validation_n",
    "best",
    "best_low",
    "best_high",
    "best_n",
    "best_number",
    "simulated",
)


def sample_rows(session: Session, run: Run, portion: int = PORTION) -> Iterator[Values]:
    """Every sample with its example, in the order in which they were finished.

    version: which proposal the candidate is, 0 for the initial prompts, None when the history does not say. image: the digest
    of the image, "" without one.
    """
    asked, simulated, versions = Asked.of(run), run.simulated, version_numbers(session, run)
    for rows in _portions(session, SampleRow, run.id, (*_CASE, *_ANSWER), portion):
        cases = {values["case"] for values in rows}
        texts, images = texts_of(session, asked, cases), images_of(session, asked.dataset_id, cases)
        session.commit()
        for values in rows:
            given, reference = texts.get(values["case"], ("", ""))
            version = versions.get(values["candidate"])
            shown = (images.get(values["case"]) or {}).get("digest", "")
            about = {"version": version, "input": given, "reference": reference, "image": shown}
            yield values | about | {"simulated": simulated}


def call_rows(session: Session, run: Run) -> Iterator[Values]:
    """Every call, in the order of their first sending. The times of a reply from the cache are those of its purchase."""
    simulated = run.simulated
    for rows in _portions(session, CallRow, run.id, _CALL, PORTION, THOUGHT_ALOUD):
        session.commit()
        for values in rows:
            took = timing_in(values)
            speeds = {name: getattr(took, name) if took else None for name in SPEEDS}
            yield values | speeds | {"simulated": simulated}


def _portions(
    session: Session,
    table: type[SampleRow | CallRow],
    run_id: str,
    names: Sequence[str],
    size: int,
    *more: ColumnElement[Any],
) -> Iterator[list[Values]]:
    """The rows of a run. Each portion is a transaction of its own: a slow reader must not hold one open."""
    after = 0
    columns = [*(getattr(table, name) for name in names), *more]
    while True:
        query = select(table.id.label("row_id"), *columns).where(table.run_id == run_id, table.id > after)
        found = session.execute(query.order_by(table.id).limit(size)).all()
        yield [{name: value for name, value in row._mapping.items() if name != "row_id"} for row in found]
        if len(found) < size:
            return
        after = found[-1].row_id


def metric_rows(session: Session, run: Run) -> Iterator[Values]:
    """A training's scores epoch by epoch; epoch 0 is the baseline."""
    for note in notes(session, run.id):
        if note.name == "baseline":
            start = note.data["validation"]
            yield _metrics(0, None, start, start, 0) | {"simulated": run.simulated}
        elif note.name == "epoch_end":
            data = note.data
            about = _metrics(data["epoch"], data["train"], data["validation"], data["best"], data["best_number"])
            yield about | {"simulated": run.simulated}


def version_numbers(session: Session, run: Run) -> dict[str, int]:
    """The number of each candidate that the run's history names, by digest."""
    named = [note.data for note in notes(session, run.id) if note.name in ("baseline", "proposal")]
    return {data["digest"]: data["number"] for data in reversed(named)}


def _metrics(epoch: int, train: Any, validation: Any, best: Any, best_number: int) -> Values:
    train, validation, best = (each or {} for each in (train, validation, best))
    return {
        "epoch": epoch,
        "train": train.get("mean"),
        "train_n": train.get("n"),
        "validation": validation.get("mean"),
        "validation_n": validation.get("n"),
        "best": best.get("mean"),
        "best_low": best.get("low"),
        "best_high": best.get("high"),
        "best_n": best.get("n"),
        "best_number": best_number,
    }
