"""Which label was answered where which was expected, before and after, and the examples behind a count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import request, url_for

from app.core.stats.confusion import Confusion
from app.services import runs
from app.services.errors import Invalid, Problem
from app.store.models import Run
from app.web import params
from app.web.database import session
from app.web.story import Story, Version

AT_ONCE = 5_000
"""Rows of a dataset up to which every answer is counted without being asked to."""
SPLITS = (("validation", "Validation"), ("test", "Sealed test"))
Address = Callable[[str, str | None], str]


@dataclass(frozen=True)
class Shown:
    """labels: whether there is a matrix at all. tables: (title, matrix, address of a cell). waits: only counted when asked."""

    labels: bool
    split: str = ""
    splits: tuple[tuple[str, str, bool], ...] = ()
    tables: tuple[tuple[str, Confusion, Address], ...] = ()
    waits: bool = False
    ask: str = ""


def shown(run: Run, tale: Story) -> Shown:
    """The matrices of the initial prompts and of the best ones, on the split in the address (the test once it is open)."""
    if runs.labels_of(session(), run) is None:
        return Shown(labels=False)
    open_splits = [one for one in SPLITS if one[0] == "validation" or tale.test]
    split = params.choice("split", [name for name, _ in SPLITS], open_splits[-1][0])
    here = partial(url_for, "runs.overview", run_id=run.id)
    splits = tuple((title, here(split=name), name == split) for name, title in open_splits)
    if run.dataset and run.dataset.rows > AT_ONCE and not request.args.get("count"):
        return Shown(labels=True, split=split, splits=splits, waits=True, ask=here(split=split, count=1))
    first, last = tale.initial, tale.versions.get(_final(run, tale))
    chosen = [one for one in ((first,) if first is last else (first, last)) if one]
    found = runs.confusions(session(), run, [one.digest for one in chosen], split)
    tables = tuple(
        (_title(one), found[one.digest], _address(run, split, one, chosen)) for one in chosen if one.digest in found
    )
    return Shown(labels=True, split=split, splits=splits, tables=tables)


def _final(run: Run, tale: Story) -> int:
    ended = (run.outcome or {}).get("final") or {}
    return int(ended.get("number") or (tale.best.number if tale.best else 0))


def _title(version: Version) -> str:
    return "Initial prompts" if version.number == 0 else f"Proposal {version.number}"


def _address(run: Run, split: str, version: Version, chosen: list[Version]) -> Address:
    sides: dict[str, Any] = {"a": chosen[0].number, "b": chosen[-1].number}
    of = "b" if version is chosen[-1] else "a"

    def address(expected: str, answered: str | None) -> str:
        cell = {"answered": answered} if answered is not None else {"other": 1}
        return url_for("runs.examples", run_id=run.id, **sides, split=split, of=of, expected=expected, **cell)

    return address


@dataclass(frozen=True)
class Cell:
    """A cell as the address of the examples names it. of: "a" or "b", whose answers; answered: None for none of the labels."""

    of: str
    expected: str
    answered: str | None

    @property
    def address(self) -> dict[str, Any]:
        """What keeps it in the address."""
        said = {"answered": self.answered} if self.answered is not None else {"other": 1}
        return {"of": self.of, "expected": self.expected, **said}


def cell() -> Cell | None:
    """The cell in the address, if one is named. Raises: Invalid."""
    if "expected" not in request.args:
        return None
    if "answered" not in request.args and "other" not in request.args:
        raise Invalid([Problem("answered", "say which label was answered, or other=1 for none of them")])
    answered = None if "other" in request.args else params.text("answered", longest=2000)
    return Cell(params.choice("of", ("a", "b"), "b"), params.text("expected", longest=2000), answered)
