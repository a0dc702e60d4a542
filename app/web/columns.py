"""Which columns of a table are shown, and by which it is ordered: both stand in the address, beside filters and place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from app.services.errors import Invalid, Problem
from app.web import params

FIELD = "columns"


@dataclass(frozen=True)
class Column:
    """A column. css: its class. optional: False for the one that is always there. usual: shown when nobody has chosen."""

    key: str
    title: str
    css: str = ""
    optional: bool = True
    usual: bool = True


@dataclass(frozen=True)
class Columns:
    """The columns of a table, and those of them that are chosen."""

    every: Sequence[Column]
    chosen: frozenset[str]
    asked: bool

    def has(self, key: str) -> bool:
        """Whether the column is shown."""
        return key in self.chosen

    @property
    def shown(self) -> list[Column]:
        """The columns that are shown, in their order."""
        return [one for one in self.every if one.key in self.chosen]

    @property
    def address(self) -> dict[str, Any]:
        """What keeps the choice in an address; nothing while it is the usual one."""
        return {FIELD: [one.key for one in self.shown]} if self.asked else {}


def chosen(every: Sequence[Column]) -> Columns:
    """What the address says: the field ``columns`` once for each column, or once with commas. Raises: Invalid."""
    said = [key for text in request.args.getlist(FIELD) for key in params.clean(text).split(",") if key]
    known = {one.key for one in every}
    if unknown := [key for key in said if key not in known]:
        raise Invalid([Problem(FIELD, f"there is no column {unknown[0][:40]}; known: {', '.join(sorted(known))}")])
    usual = {one.key for one in every if one.usual}
    fixed = {one.key for one in every if not one.optional}
    wanted = frozenset({*said, *fixed} if said else usual)
    return Columns(every, wanted, bool(said) and wanted != usual)


def heads(
    columns: Columns, orders: dict[str, tuple[str, str]], order: str, here: Callable[..., str]
) -> list[tuple[str, ...]]:
    """The heads of the table as the macro takes them.

    orders: for a column that it can be ordered by, the orders' names, the first being what a first click asks for. here: the
    address with another order.
    """
    found: list[tuple[str, ...]] = []
    for one in columns.shown:
        if one.key not in orders:
            found.append((one.title, one.css))
            continue
        first, second = orders[one.key]
        now = {first: "ascending" if one.key == "name" else "descending", second: "ascending"}.get(order, "")
        found.append((one.title, one.css, here(sort=second if order == first else first), now))
    return found
