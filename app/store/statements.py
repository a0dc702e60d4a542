"""The journal's SQL, the same on SQLite and PostgreSQL but for the placeholder and the clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Dialect, Row, Table, and_, case, func, select, update

from app.ports.journal import CallRecord, CallResult, JournalError, Sample, Step, Totals
from app.ports.llm import Usage
from app.store.models import OPEN, STATE, CallRow, SampleRow, StepRow, narrowed
from app.store.rows import (
    EVENT_COLUMNS,
    INTENT_COLUMNS,
    RESULT_COLUMNS,
    SAMPLE_COLUMNS,
    STEP_COLUMNS,
    Kind,
    Write,
)
from app.store.types import utc_now

CHUNK = 500
"""Keys per query; both databases plan lists of that length well."""

_ORDER: tuple[Kind, ...] = ("intent", "result", "sample", "step", "look", "event")
_CALLS, _SAMPLES, _STEPS = (cast(Table, model.__table__) for model in (CallRow, SampleRow, StepRow))
_LOOK = (
    "INSERT INTO looks (dataset_id, run_id, split, candidate)"
    " SELECT coalesce(datasets.root_id, datasets.id), runs.id, ?, ? FROM runs"
    " JOIN datasets ON datasets.id = runs.dataset_id WHERE runs.id = ? ON CONFLICT DO NOTHING"
)
_UNKNOWN_YET = {
    "settled": "FALSE",
    "text": "''",
    "error": "''",
    "finish_reason": "''",
    "prompt_tokens": "0",
    "completion_tokens": "0",
    "reasoning_tokens": "0",
    "cached_tokens": "0",
    "tokens_estimated": "FALSE",
    "ttlb_s": "0",
    "served_model": "''",
    "retries": "0",
    "wait_s": "0",
}
"""What the result's columns hold until there is one."""


def apply(connection: Connection, writes: Sequence[Write]) -> None:
    """Write everything down as if one after the other.

    Applying the same writes again changes nothing but repeats what was told, so a commit of unknown fate can be repeated.
    Raises: JournalError when a call ends that was never intended.
    """
    texts = _texts(connection.dialect)
    for group in _groups(writes):
        for kind in _ORDER:
            rows = [write.values for write in group if write.kind == kind]
            if not rows:
                continue
            written = connection.exec_driver_sql(texts[kind], rows).rowcount
            if kind == "result" and written != len(rows):
                raise JournalError("a call ended that had never been intended")
    if told := next((write for write in writes if write.kind == "event" and "progress" in write.values[1:3]), None):
        connection.exec_driver_sql(_forget_text(connection.dialect), (told.values[0],) * 3)


def _groups(writes: Iterable[Write]) -> Iterator[list[Write]]:
    """Cut before a new sending of a call that has just ended: within a group, intents are written before results."""
    group: list[Write] = []
    ended: set[str] = set()
    for write in writes:
        if write.kind == "intent" and write.key in ended:
            yield group
            group, ended = [], set()
        if write.kind == "result":
            ended.add(write.key)
        group.append(write)
    yield group


@lru_cache(maxsize=4)
def _texts(dialect: Dialect) -> dict[Kind, str]:
    now = str(utc_now().compile(dialect=dialect))
    again = [f"{name} = excluded.{name}" for name in INTENT_COLUMNS[2:]]
    again += ["settled = FALSE", "settled_at = NULL", f"sent_at = {now}"]
    ended = [*(f"{name} = ?" for name in RESULT_COLUMNS), "settled = TRUE", f"settled_at = {now}"]
    sent = f"ON CONFLICT (run_id, key) DO UPDATE SET {', '.join(again)}"
    stands = "ON CONFLICT DO NOTHING"
    texts: dict[Kind, str] = {
        "intent": _insert("calls", INTENT_COLUMNS, sent, _UNKNOWN_YET),
        "result": f"UPDATE calls SET {', '.join(ended)} WHERE run_id = ? AND key = ?",  # noqa: S608 - our own names
        "sample": _insert("samples", SAMPLE_COLUMNS, stands),
        "step": _insert("steps", STEP_COLUMNS, stands),
        "look": _LOOK,
        "event": _insert("events", EVENT_COLUMNS, stands),
    }
    return texts if dialect.paramstyle == "qmark" else {kind: text.replace("?", "%s") for kind, text in texts.items()}


@lru_cache(maxsize=4)
def _forget_text(dialect: Dialect) -> str:
    """Older progress goes when newer is told: four times a second, it would outgrow all else. The last word before each change
    of status stays, because it tells how long a worker was there.
    """
    own = f"FROM events WHERE run_id = ? AND {STATE}"
    text = (
        f"DELETE {own} AND name = 'progress' AND id < (SELECT max(id) {own} AND name = 'progress')"
        f" AND id > (SELECT coalesce(max(id), 0) {own} AND name = 'status')"
    )
    return text if dialect.paramstyle == "qmark" else text.replace("?", "%s")


def _insert(table: str, columns: Sequence[str], conflict: str, fixed: dict[str, str] | None = None) -> str:
    fixed = fixed or {}
    names = ", ".join(f'"{name}"' for name in (*columns, *fixed))
    values = ", ".join([*("?" for _ in columns), *fixed.values()])
    return f"INSERT INTO {table} ({names}) VALUES ({values}) {conflict}"  # noqa: S608 - our own names


def read_calls(connection: Connection, run_id: str, keys: Sequence[str]) -> dict[str, CallRecord]:
    """The calls on record among these."""
    return {row.key: _call_record(row) for row in _by_key(connection, _CALLS, run_id, keys)}


def read_remembered(connection: Connection, _run_id: str, cache_keys: Sequence[str]) -> dict[str, CallResult]:
    """The first reply that any run bought under each of these cache keys."""
    calls = _CALLS.c
    found: dict[str, CallResult] = {}
    for chunk in _chunks(cache_keys):
        query = select(_CALLS).where(calls.cache_key.in_(chunk), calls.settled, calls.error == "", ~calls.cached)
        for row in connection.execute(query.order_by(calls.id)):
            found.setdefault(row.cache_key, _result(row))
    return found


def read_samples(connection: Connection, run_id: str, keys: Sequence[str]) -> dict[str, Sample]:
    """The samples on record among these."""
    rows = _by_key(connection, _SAMPLES, run_id, keys)
    return {row.key: Sample(**{name: getattr(row, name) for name in SAMPLE_COLUMNS[1:]}) for row in rows}


def read_steps(connection: Connection, run_id: str, keys: Sequence[str]) -> dict[str, Step]:
    """The steps on record among these."""
    return {row.key: Step(row.key, row.value) for row in _by_key(connection, _STEPS, run_id, keys)}


def read_totals(connection: Connection, run_id: str, *only: ColumnElement[bool]) -> Totals:
    """What the calls of a run add up to. A call without a result may have been paid for once more than is known.

    only: further conditions on the calls; none for all of them.
    """
    row = connection.execute(select(*spending_columns()).where(_CALLS.c.run_id == run_id, *only)).one()
    return totals_of(row)


def cut_off(connection: Connection, run_id: str) -> int:
    """How many of a run's calls were cut off after sending. Only to be asked while no worker has the run."""
    query = select(func.count()).select_from(_CALLS).where(_CALLS.c.run_id == run_id, narrowed(OPEN))
    return connection.scalar(query) or 0


def decide_cut_off(connection: Connection, run_id: str, *, error: str) -> None:
    """Let the calls that were cut off count as ended with this error; they stay uncertain. Does not commit."""
    calls = _CALLS.c
    ended = {"settled": True, "error": error, "uncertain": calls.uncertain + 1, "settled_at": utc_now()}
    connection.execute(update(_CALLS).where(calls.run_id == run_id, narrowed(OPEN)).values(ended))


def spending_columns() -> tuple[ColumnElement[Any], ...]:
    """The sums over calls that totals_of() reads."""
    calls = _CALLS.c
    bought = and_(calls.settled, ~calls.cached)
    replied = and_(bought, calls.error == "")
    doubts = calls.uncertain + case((calls.settled, 0), else_=1)
    return (
        func.sum(case((replied, 1), else_=0)),
        func.sum(case((bought, calls.prompt_tokens), else_=0)),
        func.sum(case((bought, calls.completion_tokens), else_=0)),
        func.sum(case((bought, calls.cost_usd), else_=0.0)),
        func.sum(
            case((and_(replied, calls.cost_usd.is_(None)), 1), else_=0)
            + case((calls.reserved_usd.is_(None), doubts), else_=0)
        ),
        func.sum(doubts),
        func.sum(doubts * func.coalesce(calls.reserved_usd, 0.0)),
        func.sum(case((calls.settled, 0), else_=1)),
        func.sum(case((calls.cached, 1), else_=0)),
        func.sum(case((calls.cached, calls.cost_usd), else_=0.0)),
    )


def totals_of(row: Sequence[Any]) -> Totals:
    """The sums of spending_columns() as Totals."""
    values = (value or 0 for value in row)
    replies, prompt, completion, cost, unpriced, uncertain, uncertain_usd, open_calls, cached, saved = values
    return Totals(
        calls=int(replies),
        prompt_tokens=int(prompt),
        completion_tokens=int(completion),
        cost_usd=float(cost),
        unpriced_calls=int(unpriced),
        uncertain_calls=int(uncertain),
        uncertain_usd=float(uncertain_usd),
        open_calls=int(open_calls),
        cached_calls=int(cached),
        saved_usd=float(saved),
    )


def _by_key(connection: Connection, table: Table, run_id: str, keys: Sequence[str]) -> Iterator[Row[Any]]:
    for chunk in _chunks(keys):
        yield from connection.execute(select(table).where(table.c.run_id == run_id, table.c.key.in_(chunk)))


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    return (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))


def _call_record(row: Row[Any]) -> CallRecord:
    if not row.settled:
        return CallRecord(row.key, row.attempts, None, row.uncertain)
    return CallRecord(row.key, row.attempts, _result(row), row.uncertain)


def _result(row: Row[Any]) -> CallResult:
    usage = Usage(
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        reasoning_tokens=row.reasoning_tokens,
        cached_tokens=row.cached_tokens,
        estimated=row.tokens_estimated,
    )
    return CallResult(
        text=row.text,
        error=row.error,
        finish_reason=row.finish_reason,
        usage=usage,
        cost_usd=row.cost_usd,
        ttft_s=row.ttft_s,
        ttlb_s=row.ttlb_s,
        served_model=row.served_model,
        raw=row.raw,
        retries=row.retries,
        wait_s=row.wait_s,
        uncertain=row.uncertain,
        throttled_s=row.throttled_s,
        limited=row.limited,
        cached=row.cached,
    )
