"""A worker in a process of its own that is killed (SIGKILL, no cleaning up) at its n-th journal write.

    python tests/services/killed_worker.py DATABASE_URL RUN_ID WRITE PAID_FILE

The models are computed by rule; every paid reply appends a line to PAID_FILE. WRITE 0 lets the worker live; it then prints
how many journal writes it made.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.ports.llm import ModelRef, Price, Reply, Request
from app.services.drive import drive
from app.store.claims import Claim
from app.store.database import Database
from app.store.journal import SqlJournal
from tests.core.training_world import OPTIMIZER
from tests.fakes.llm import RuleLLM
from tests.fakes.rule_optimizer import propose
from tests.fakes.rule_world import RuleWorld


class DyingJournal(SqlJournal):
    """Kills its process in the middle of its n-th write."""

    def __init__(self, database: Database, claim: Claim, at: int, **options: Any) -> None:
        super().__init__(database, claim, **options)
        self.writes = 0
        self._at = at

    def _count(self) -> None:
        self.writes += 1
        if self.writes == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def intend(self, *args: Any) -> Awaitable[None]:  # type: ignore[override]
        self._count()
        return super().intend(*args)

    def settle(self, *args: Any) -> None:
        self._count()
        super().settle(*args)

    def keep(self, *args: Any) -> None:
        self._count()
        super().keep(*args)

    def keep_step(self, *args: Any) -> None:
        self._count()
        super().keep_step(*args)

    def note(self, *args: Any) -> None:
        self._count()
        super().note(*args)


class CountingLLM(RuleLLM):
    """Writes down each paid reply where the death of its process does not reach."""

    def __init__(self, rule: Callable[[Request], str], file: Path) -> None:
        super().__init__(rule)
        self._file = file

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        reply = await super().complete(request, deadline_s=deadline_s)
        with self._file.open("a") as paid:
            paid.write(f"{request.model.name}\n")
        return reply

    def price(self, model: ModelRef) -> Price | None:
        return super().price(model)


def rule(request: Request) -> str:
    """What the models of tests/core/training_world.py say."""
    messages = [{"role": m.role, "content": m.content} for m in request.messages]
    return propose(messages, junk=0.3) if request.model.name == OPTIMIZER.name else RuleWorld().answer(messages)


def work(url: str, run_id: str, at: int, paid: Path) -> tuple[str, int]:
    """Drive the run; returns its status and the number of journal writes."""
    opened: list[DyingJournal] = []

    def open_journal(database: Database, claim: Claim, **options: Any) -> DyingJournal:
        opened.append(DyingJournal(database, claim, at, **options))
        return opened[0]

    with Database(url) as database:
        status = drive(
            run_id,
            database=database,
            open_llm=lambda: CountingLLM(rule, paid),
            owner="test",
            lease_s=1,
            open_journal=open_journal,
        )
    return status, opened[0].writes if opened else 0


if __name__ == "__main__":
    print(*work(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])))
