"""Answers that were paid for while the store was away wait in a file of this machine for the run's next claim.

One file for each claim, one line for each call: a checksum, then the call's intent and result by column name, so that another
version can read them. Only results are kept: samples, steps and notes follow from them when the run is repeated. A line that is
not whole (the power failed in the middle of it) ends the file.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from sqlalchemy import JSON, Connection, Table, insert, select, update

from app.ports.journal import JournalError
from app.ports.llm import Json
from app.store.claims import Claim, guard
from app.store.database import Database
from app.store.models import CallRow
from app.store.rows import INTENT_COLUMNS, RESULT_COLUMNS, Write
from app.store.types import utc_now

SUFFIX = ".spool"

logger = logging.getLogger(__name__)

_CALLS = cast(Table, CallRow.__table__)
_JSON_COLUMNS = frozenset(column.name for column in _CALLS.columns if isinstance(column.type, JSON))


@dataclass(frozen=True, slots=True)
class Saved:
    """One paid call. intent: None when it is not known here. Both by column name."""

    key: str
    intent: dict[str, Any] | None
    result: dict[str, Any]


class Spool:
    """The file of one claim; it is made with the first call and locked while its process lives. Any thread may use it."""

    def __init__(self, folder: Path, claim: Claim) -> None:
        self.path = folder / f"{claim.run_id}.{claim.fence}.{secrets.token_hex(4)}{SUFFIX}"
        self._file: IO[bytes] | None = None
        self._keys: set[str] = set()
        self._lock = threading.Lock()

    @property
    def saved(self) -> int:
        """How many answers are in the file."""
        return len(self._keys)

    def keep(self, calls: Iterable[tuple[Write | None, Write]]) -> None:
        """Add intents and results of calls that are not in the file yet; they are on the disk on return.

        Raises: OSError, and the file is as it was.
        """
        with self._lock:
            new = {result.key: _line(intent, result) for intent, result in calls if result.key not in self._keys}
            if not new:
                return
            file = self._file = self._file or self._create()
            before = os.fstat(file.fileno()).st_size
            try:
                file.write(b"".join(new.values()))
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), before)
                raise
            self._keys.update(new)

    def clear(self) -> None:
        """Everything is on record: remove the file."""
        with self._lock:
            if self._file:
                self.path.unlink(missing_ok=True)
                self._file.close()
            self._file, self._keys = None, set()

    def close(self) -> None:
        """Leave the file, if there is one, to the next claim."""
        with self._lock:
            if self._file:
                self._file.close()

    def _create(self) -> IO[bytes]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("ab", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name of the file must survive a power failure too
        finally:
            os.close(folder)
        return file


def waiting(folder: Path) -> Counter[str]:
    """How many answers wait for each run."""
    found: Counter[str] = Counter()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with path.open("rb") as file:
            found[path.name.split(".")[0]] += sum(1 for _ in _read(file))
    return found


def restore(database: Database, claim: Claim, folder: Path, *, helpers: bool = False) -> int:
    """Bring what earlier claims of the run left in the folder on record, then remove it. Returns how many answers were missing.

    helpers: also what those left who bought under this claim. A newer record under a call's key stands.
    Raises: LeaseLost and SQLAlchemy's errors, and nothing is changed.
    """
    with ExitStack() as stack:
        files: list[IO[bytes]] = []
        for path in _left(folder, claim.run_id, claim.fence - (not helpers)):
            with suppress(FileNotFoundError):  # its owner has just brought it on record
                files.append(stack.enter_context(path.open("r+b")))
        if not files:
            return 0
        # A file that its owner still holds may grow: it is read now, and left for a later claim.
        finished = [file for file in files if _take(file)]
        with database.engine.begin() as connection:
            guard(connection, claim)
            added = sum(_record(connection, claim.run_id, saved) for file in files for saved in _read(file))
        for file in finished:
            os.unlink(file.name)
    logger.info("run %s: %d paid answers that had waited in %s are on record now", claim.run_id, added, folder)
    return added


def _left(folder: Path, run_id: str, newest: int) -> Iterator[Path]:
    for path in sorted(folder.glob(f"{run_id}.*{SUFFIX}")):
        fence = path.name.split(".")[1]
        if fence.isdigit() and int(fence) <= newest:
            yield path


def _take(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _line(intent: Write | None, result: Write) -> bytes:
    asked = None if intent is None else dict(zip(INTENT_COLUMNS, intent.values, strict=False))
    ended = dict(zip(RESULT_COLUMNS, result.values, strict=False))
    body = json.dumps([result.key, asked, ended], ensure_ascii=False, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _read(file: IO[bytes]) -> Iterator[Saved]:
    for number, line in enumerate(file, start=1):
        mark, _, body = line.rstrip(b"\n").partition(b" ")
        if not line.endswith(b"\n") or mark != b"%08x" % zlib.crc32(body):
            logger.warning("%s: line %d is not whole; it and what follows is left out", file.name, number)
            return
        yield Saved(*json.loads(body))


def _record(connection: Connection, run_id: str, saved: Saved) -> bool:
    """Write one call down unless something newer is there. Returns whether it was missing."""
    columns = (_CALLS.c.attempts, _CALLS.c.settled, _CALLS.c.uncertain)
    here = (_CALLS.c.run_id == run_id) & (_CALLS.c.key == saved.key)
    row = connection.execute(select(*columns).where(here)).first()
    attempt = saved.intent["attempts"] if saved.intent else row.attempts if row else 0
    result = _values(saved.result) | {"settled": True, "settled_at": utc_now()}
    if row and row.attempts >= attempt:
        if row.settled:
            return False
        # Sent again meanwhile: that sending stays in doubt, this answer is no longer.
        result["uncertain"] = max(result["uncertain"], row.uncertain)
    elif saved.intent is None:
        logger.warning("run %s: an answer is left out, because its call %s is not on record", run_id, saved.key)
        return False
    else:
        result = _values(saved.intent) | result
    _put(connection, run_id, row, saved.key, result)
    return True


def _put(connection: Connection, run_id: str, row: object, key: str, values: dict[str, Any]) -> None:
    if row is None:
        connection.execute(insert(_CALLS).values(values | {"run_id": run_id, "key": key}))
        return
    here = (_CALLS.c.run_id == run_id) & (_CALLS.c.key == key)
    if connection.execute(update(_CALLS).where(here).values(values)).rowcount != 1:
        raise JournalError(f"call {key} of run {run_id} cannot be written down")


def _values(saved: dict[str, Any]) -> dict[str, Json]:
    known = {name: value for name, value in saved.items() if name in _CALLS.columns and name not in ("run_id", "key")}
    return {name: json.loads(value) if name in _JSON_COLUMNS else value for name, value in known.items()}
