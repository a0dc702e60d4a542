"""A run's journal in the database: everything goes through one writer thread, in order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.ports.journal import CallIntent, CallRecord, CallResult, Sample, Step, Totals, Wish
from app.ports.llm import Json
from app.store import rows
from app.store.claims import Claim
from app.store.database import Database
from app.store.looks import read_comparison
from app.store.spool import Spool
from app.store.statements import read_calls, read_remembered, read_samples, read_steps, read_totals
from app.store.writer import Writer


class SqlJournal:
    """The journal of one claim. It is driven from one event loop; hurry() and stop() may be called from anywhere.

    spool_in: folder for paid answers while the store is away; None keeps them in memory alone. patience_s: how long a store
    that does not answer is waited for.
    """

    def __init__(
        self, database: Database, claim: Claim, *, spool_in: Path | None = None, patience_s: float = 0.0
    ) -> None:
        self._run_id = claim.run_id
        self._writer = Writer(database, claim, Spool(spool_in, claim) if spool_in else None, patience_s)

    async def calls(self, keys: Sequence[str]) -> dict[str, CallRecord]:
        """See the port."""
        return await self._writer.look_up(read_calls, keys)

    async def samples(self, keys: Sequence[str]) -> dict[str, Sample]:
        """See the port."""
        return await self._writer.look_up(read_samples, keys)

    async def step(self, key: str) -> Step | None:
        """See the port."""
        return (await self._writer.look_up(read_steps, [key])).get(key)

    async def totals(self) -> Totals:
        """See the port."""
        return await self._writer.ask(read_totals)

    async def remembered(self, cache_keys: Sequence[str]) -> dict[str, CallResult]:
        """See the port."""
        return await self._writer.look_up(read_remembered, cache_keys)

    def reuse(self, intent: CallIntent, result: CallResult) -> None:
        """See the port."""
        self._writer.write(rows.intent(self._run_id, intent))
        self._writer.write(rows.result(self._run_id, intent.key, result))

    async def intend(self, intent: CallIntent) -> None:
        """See the port."""
        await self._writer.flush(rows.intent(self._run_id, intent))

    def settle(self, key: str, result: CallResult) -> None:
        """See the port."""
        self._writer.write(rows.result(self._run_id, key, result))

    def keep(self, sample: Sample) -> None:
        """See the port."""
        self._writer.write(rows.sample(self._run_id, sample))

    def keep_step(self, step: Step) -> None:
        """See the port."""
        self._writer.write(rows.step(self._run_id, step))

    def look(self, split: str, candidates: Sequence[str]) -> None:
        """See the port."""
        for candidate in candidates:
            self._writer.write(rows.look(self._run_id, split, candidate))

    async def comparison(self, split: str) -> int:
        """See the port."""
        await self._writer.flush()
        return await self._writer.ask(partial(read_comparison, split))

    def note(self, number: int, name: str, data: Json) -> None:
        """See the port."""
        self._writer.write(rows.event(self._run_id, number, name, data))

    def tell(self, name: str, data: Json) -> None:
        """See the port."""
        self._writer.write(rows.event(self._run_id, None, name, data))

    async def flush(self) -> None:
        """See the port."""
        await self._writer.flush()

    async def heartbeat(self) -> Wish:
        """See the port."""
        return await self._writer.beat()

    def hurry(self) -> None:
        """Wait for no store any more, since this process is about to end; paid answers are on this machine's disk."""
        self._writer.hurry()

    def stop(self) -> None:
        """Commit what is queued and end the writer; the journal is not used afterwards."""
        self._writer.stop()
