"""A dataset with doubtful answers, and a training whose candidates have answered it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from app.services import datasets
from app.store.models import Dataset, Run, SampleRow

GOOD, ALSO, WEAK = "a" * 32, "b" * 32, "c" * 32
ROWS = ("red", "green", "blue", "white", "black", "grey", "pink", "teal")
"""The answers of rows 1 to 8; the input of row n is "colour n"."""


def colours(session: Session, extra: str = "") -> Dataset:
    """The dataset "colours". extra: further lines of the file."""
    lines = "\n".join(f"colour {row},{answer}" for row, answer in enumerate(ROWS, 1))
    return datasets.import_file(session, io.BytesIO(f"input,answer\n{lines}\n{extra}".encode()), "colours.csv")


def trained(session: Session, dataset: Dataset, run_id: str = "run1", **spec: object) -> Run:
    """A finished training on it without any answer."""
    run = Run(id=run_id, kind="train", name="colours", status="done", simulated=True, dataset_id=dataset.id, outcome={})
    run.spec = {"dataset": {"id": dataset.id, "name": dataset.name, "digest": dataset.digest}, **spec}
    session.add(run)
    session.commit()
    return run


def answered(
    session: Session,
    run: Run,
    candidate: str,
    wrong: Mapping[int, str | Sequence[str]],
    *,
    rows: Sequence[int] = range(1, 9),
    split: str = "validation",
) -> None:
    """A candidate's answers to rows: right, but for those that are given; several answers are repeats."""
    for row in rows:
        given = wrong.get(row, ROWS[row - 1])
        for repeat, text in enumerate([given] if isinstance(given, str) else given):
            session.add(
                SampleRow(
                    run_id=run.id, key=f"{candidate[:4]}{row}/{split}/{repeat}", candidate=candidate, case=str(row),
                    repeat=repeat, split=split, outcome="provider_error" if text == "!" else "scored",
                    score=None if text == "!" else float(text == ROWS[row - 1]), feedback="", response=text, scores=None,
                    error="", calls=1, tokens=1, cost_usd=0.0, seconds=0.1,
                )
            )  # fmt: skip
    session.commit()
