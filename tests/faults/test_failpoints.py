"""A worker that dies at any commit, just before or just after it: the next one ends as if nothing had happened."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.catalog import KINDS
from app.store.database import Database
from tests.faults import crash_process as crash
from tests.faults import measured
from tests.faults.kinds import small
from tests.faults.oracle import assert_bill, end_state
from tests.servers import migrated

LAST = 10_000
MOMENTS: tuple[crash.Moment, ...] = ("before", "after")


class Sweep:
    """Crashes of one kind of run on one database."""

    def __init__(self, nursery: crash.Nursery, url: str, kind: str, folder: Path, concurrency: int = 4) -> None:
        self._nursery, self._url, self._kind, self._folder = nursery, url, kind, folder
        self._concurrency = concurrency
        undisturbed = self._queue()
        assert crash.work(url, undisturbed, kind, self._paid(undisturbed)) == "done"
        with Database(url) as database:
            self._expected = end_state(database, undisturbed)
        self._cost = self._count(undisturbed)

    def crash_at(self, commit: int, moment: crash.Moment) -> bool:
        """Die there and resume. False when the run is over before that commit."""
        run_id, where = self._queue(), f"{self._kind}, {moment} commit {commit}"
        paid = self._paid(run_id)
        code = self._nursery.die_at_commit(self._url, run_id, self._kind, paid, commit, moment)
        assert code in (0, -signal.SIGKILL), (where, code)
        # The crash just after the last commit leaves nothing to do.
        assert crash.work(self._url, run_id, self._kind, paid) in ("done", ""), where
        with Database(self._url) as database:
            assert end_state(database, run_id) == self._expected, where
            assert self._count(run_id) - self._cost <= self._concurrency, where
            assert_bill(database, [run_id], self._count(run_id))
        return code != 0

    def crash_everywhere(self) -> int:
        """Die at every commit, before and after it. Returns how often."""
        crashes = 0
        for moment in MOMENTS:
            crashes += next(n for n in range(LAST) if not self.crash_at(n + 1, moment))
        return crashes

    def _queue(self) -> str:
        with Database(self._url) as database, database.session() as session:
            return small(self._kind).queue(session, {"concurrency": self._concurrency})

    def _paid(self, run_id: str) -> Path:
        return self._folder / f"paid-{run_id}"

    def _count(self, run_id: str) -> int:
        file = self._paid(run_id)
        return len(file.read_text()) if file.exists() else 0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return migrated(request, tmp_path)


@pytest.fixture(scope="module")
def nursery() -> Iterator[crash.Nursery]:
    with crash.Nursery() as nursery:
        yield nursery


@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_at_some_commits_changes_nothing(nursery: crash.Nursery, url: str, kind: str, tmp_path: Path) -> None:
    sweep = Sweep(nursery, url, kind, tmp_path)
    assert all(sweep.crash_at(commit, moment) for commit in (1, 2, small(kind).late) for moment in MOMENTS)


@pytest.mark.faults
@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_at_any_commit_changes_nothing(nursery: crash.Nursery, url: str, kind: str, tmp_path: Path) -> None:
    """One call at a time: then every single write has a commit of its own, and the crashes are the same each time."""
    crashes = Sweep(nursery, url, kind, tmp_path, concurrency=1).crash_everywhere()
    assert crashes >= small(kind).least
    crashes += Sweep(nursery, url, kind, tmp_path).crash_everywhere()
    measured.write(f"failpoints_{kind}_{url.partition(':')[0]}", crashes=crashes)
