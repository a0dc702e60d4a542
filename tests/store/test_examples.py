"""Examples written in bulk read back as they were given, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.store.database import Database
from app.store.examples import NewExample, add_examples
from app.store.models import Dataset, Example

IMAGE = {"digest": "ab", "media_type": "image/png", "width": 2, "height": 3, "source": "\u00e4.png"}
ROWS: list[NewExample] = [
    (1, "100 % of 'it' ?", " 007 ", {"b": "é", "a": ""}, IMAGE),
    (3, "two\r\nlines", "NUL \0 and \ud800", {"n\0": "\ud800"}, None),
]


def dataset() -> Dataset:
    return Dataset(name="x", digest="d", source="x.csv", rows=2, report={}, statistics={})


def test_what_is_written_in_bulk_comes_back(database: Database) -> None:
    with database.session() as session:
        session.add(found := dataset())
        session.flush()
        add_examples(session, found.id, ROWS)
        add_examples(session, found.id, [])
        session.commit()
    with database.session() as session:
        rows = session.scalars(select(Example).order_by(Example.row)).all()
        read = [(one.row, one.input, one.reference, one.extra, one.image) for one in rows]
    assert read == [ROWS[0], (3, "two\r\nlines", "NUL \ufffd and \ufffd", {"n\ufffd": "\ufffd"}, None)]
    with database.session() as session:
        assert session.scalars(select(Example.row).where(Example.image.is_not(None))).all() == [1], "none is NULL"
    assert list(read[0][3]) == ["b", "a"]


def test_a_row_number_is_used_once(database: Database) -> None:
    with database.session() as session:
        session.add(found := dataset())
        session.flush()
        with pytest.raises(IntegrityError):
            add_examples(session, found.id, [ROWS[0], ROWS[0]])
