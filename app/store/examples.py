"""Examples go into the database many at a time, past the object mapper: a million rows take seconds and not a minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy.orm import Session

from app.core.storable import storable
from app.ports.llm import Json
from app.store.types import dumps

NewExample: TypeAlias = tuple[int, str, str, Mapping[str, str], Json]
"""Row number, input, reference, the other columns by name, the image or None."""

_INSERT = 'INSERT INTO examples (dataset_id, "row", input, reference, extra, image)'
_UNNEST = "SELECT * FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::json[], %s::json[])"


def add_examples(session: Session, dataset_id: int, rows: Sequence[NewExample]) -> None:
    """Insert the rows of a dataset within the session's transaction. Raises: IntegrityError for a row number used twice."""
    values = [
        (dataset_id, row, storable(text), storable(answer), dumps(dict(extra)), dumps(image) if image else None)
        for row, text, answer, extra, image in rows
    ]
    if not values:
        return
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"{_INSERT} VALUES (?, ?, ?, ?, ?, ?)", values)
    else:  # whole columns at once: a statement for each row would take most of the time
        connection.exec_driver_sql(f"{_INSERT} {_UNNEST}", tuple(list(column) for column in zip(*values, strict=True)))
