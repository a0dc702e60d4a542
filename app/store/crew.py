"""The shards of a run in the database: offered by its driver, taken by whoever has time, held by leases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, not_, or_, select, update

from app.ports.crew import Ended, Shard
from app.ports.journal import LeaseLost
from app.ports.llm import Json
from app.store.claims import Claim, guard, is_ahead
from app.store.database import Database
from app.store.models import ShardRow
from app.store.outage import insist
from app.store.types import epoch_now

LEASE_S = 10.0
"""A shard whose worker has been silent for so long is taken by somebody else."""

T = TypeVar("T")


class SqlCrew:
    """Implements app.ports.crew.Crew for one worker.

    owner: who holds what it takes. call: asks other workers for help. threshold: see the port. patience_s: how long a store
    that does not answer is waited for; JournalUnavailable then.
    """

    def __init__(
        self,
        database: Database,
        claim: Claim,
        owner: str,
        *,
        threshold: int = 0,
        call: Callable[[], None] = lambda: None,
        patience_s: float = 0.0,
    ) -> None:
        self._patience_s = patience_s
        self.threshold = threshold
        self._database = database
        self._claim = claim
        self._owner = owner
        self._call = call

    async def offer(self, works: Sequence[Json]) -> None:
        """See the port."""
        claim = self._claim

        def work(connection: Connection) -> None:
            guard(connection, claim)
            connection.execute(delete(ShardRow).where(ShardRow.run_id == claim.run_id))
            rows = [
                {"run_id": claim.run_id, "fence": claim.fence, "number": number, "status": "open", "work": each}
                for number, each in enumerate(works)
            ]
            connection.execute(
                insert(ShardRow), [row | {"owner": "", "lease_until": 0.0, "reason": ""} for row in rows]
            )

        await self._do(work)
        await asyncio.to_thread(self._call)

    async def take(self) -> Shard | None:
        """See the port."""
        free = or_(
            ShardRow.status == "open", and_(ShardRow.status == "taken", not_(is_ahead(ShardRow.lease_until, LEASE_S)))
        )
        first = select(ShardRow.id, ShardRow.status).where(self._mine(), free).order_by(ShardRow.number).limit(1)

        def work(connection: Connection) -> Shard | None:
            found = connection.execute(first.with_for_update(skip_locked=True)).one_or_none()
            if found is None:
                return None
            values = {"status": "taken", "owner": self._owner, "lease_until": epoch_now() + LEASE_S}
            taken = update(ShardRow).where(ShardRow.id == found.id).values(values)
            row = connection.execute(taken.returning(ShardRow.number, ShardRow.work)).one()
            return Shard(row.number, row.work, again=found.status == "taken")

        return await self._do(work)

    async def finish(self, number: int, ended: Ended) -> None:
        """See the port."""
        values = {
            "status": "done",
            "work": {"spent": ended.spent},
            "reason": ended.problem,
            "owner": "",
            "lease_until": 0.0,
        }
        held = and_(self._mine(), ShardRow.number == number, ShardRow.owner == self._owner)
        await self._do(lambda connection: connection.execute(update(ShardRow).where(held).values(values)))

    async def ended(self) -> dict[int, Ended]:
        """See the port."""
        query = select(ShardRow.number, ShardRow.work, ShardRow.reason).where(self._mine(), ShardRow.status == "done")
        rows = await self._do(lambda connection: connection.execute(query).all())
        return {row.number: Ended(row.work["spent"], row.reason) for row in rows}

    async def beat(self) -> int:
        """See the port."""
        taken = and_(self._mine(), ShardRow.status == "taken")
        renewed = update(ShardRow).where(taken, ShardRow.owner == self._owner).values(lease_until=epoch_now() + LEASE_S)
        others = select(func.count(func.distinct(ShardRow.owner))).where(
            taken, ShardRow.owner != self._owner, is_ahead(ShardRow.lease_until, LEASE_S)
        )

        def work(connection: Connection) -> int:
            connection.execute(renewed)
            if connection.execute(select(ShardRow.id).where(self._mine()).limit(1)).first() is None:
                raise LeaseLost("the shards of this run were withdrawn")
            return connection.scalar(others) or 0

        return await self._do(work)

    async def withdraw(self) -> None:
        """See the port."""
        await self._do(lambda connection: connection.execute(delete(ShardRow).where(self._mine())))

    def _mine(self) -> ColumnElement[bool]:
        return and_(ShardRow.run_id == self._claim.run_id, ShardRow.fence == self._claim.fence)

    async def _do(self, work: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with self._database.engine.begin() as connection:
                return work(connection)

        return await asyncio.to_thread(insist, transaction, self._patience_s)
