"""Column types that make SQLite and PostgreSQL hand back the same values."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, String, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from app.core.storable import storable, storable_json
from app.ports.llm import Json

JsonColumn = JSON()
"""Kept as text on both databases: what is read back has the order of keys and the numbers that were written.

PostgreSQL's JSONB would sort the keys and turn 1e22 into an integer; a replayed run would then build other requests.
"""

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite gives row ids only to INTEGER columns."""


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def dumps(value: Json) -> str:
    """JSON text of a value, clean of what databases cannot hold.

    Raises: TypeError for what JSON cannot hold, ValueError for NaN and infinity.
    """
    text = _encode(value)
    return text if storable(text) is text and "\\u0000" not in text else _encode(storable_json(value))


class CleanText(TypeDecorator[str]):
    """Text of any length, without NUL and lone surrogates."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the hook's signature
        """Clean what goes in."""
        return None if value is None else storable(value)


class CleanString(TypeDecorator[str]):
    """Text of limited length, without NUL and lone surrogates."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the hook's signature
        """Clean what goes in."""
        return None if value is None else storable(value)


class Utc(TypeDecorator[dt.datetime]):
    """A moment, always aware and in UTC. SQLite keeps no time zone, so it is converted before and added after."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Naive times are refused: nobody knows what they mean."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """What comes out says that it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class utc_now(FunctionElement[dt.datetime]):  # noqa: N801 - reads as the SQL function that it is
    """The database's present moment, as a Utc column stores it.

    SQLite's CURRENT_TIMESTAMP has whole seconds and compares wrongly with times that have a fraction.
    """

    type = Utc()
    inherit_cache = True


@compiles(utc_now)
def _standard_now(element: utc_now, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001 - the hook's signature
    return "CURRENT_TIMESTAMP"


@compiles(utc_now, "sqlite")
def _sqlite_now(element: utc_now, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001 - the hook's signature
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


class utc_day(FunctionElement[str]):  # noqa: N801 - reads as the SQL function that it is
    """The day of a Utc column, as 2026-11-25."""

    type = String()
    inherit_cache = True


@compiles(utc_day, "postgresql")
def _postgres_day(element: utc_day, compiler: SQLCompiler, **kw: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **kw)} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"


@compiles(utc_day, "sqlite")
def _sqlite_day(element: utc_day, compiler: SQLCompiler, **kw: Any) -> str:
    return f"substr({compiler.process(element.clauses, **kw)}, 1, 10)"


class epoch_second(FunctionElement[int]):  # noqa: N801 - reads as the SQL function that it is
    """A Utc column as whole seconds since the epoch, rounded down."""

    type = BigInteger()
    inherit_cache = True


@compiles(epoch_second, "postgresql")
def _postgres_second(element: epoch_second, compiler: SQLCompiler, **kw: Any) -> str:
    return f"FLOOR(EXTRACT(EPOCH FROM {compiler.process(element.clauses, **kw)}))::bigint"


@compiles(epoch_second, "sqlite")
def _sqlite_second(element: epoch_second, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


class epoch_now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function that it is
    """Seconds since the epoch by the database's clock, for leases: workers' clocks may disagree."""

    inherit_cache = True


@compiles(epoch_now, "postgresql")
def _postgres_epoch(element: epoch_now, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001 - the hook's signature
    return "EXTRACT(EPOCH FROM clock_timestamp())::float8"


@compiles(epoch_now, "sqlite")
def _sqlite_epoch(element: epoch_now, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ARG001 - the hook's signature
    return "((julianday('now') - 2440587.5) * 86400.0)"
