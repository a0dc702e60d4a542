"""How fast the pages are over a million samples and a million calls, in SQLite and in PostgreSQL.

    python benchmarks/records.py [--samples 1000000] [--progress 100000] [--postgres | --database URL] [--only TEXT]

Fills a new database (see benchmarks/million.py) and measures every page, list and API answer that reads runs, samples, calls,
events, examples, datasets or prompts, with every filter and from deep places, once for the run as it ended and once as if it
were still under way. times_bare = the page's p95 over the median of a bare read of the same rows by their primary key in the
same database. --database names an empty database to fill, or one that was filled before. The result goes to
benchmarks/results/ as JSON.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from flask.testing import FlaskClient  # noqa: E402
from sqlalchemy import Engine, func, select, text, update  # noqa: E402

from app import api  # noqa: E402
from app.config import Settings  # noqa: E402
from app.store.database import Database  # noqa: E402
from app.store.models import Run, SampleRow  # noqa: E402
from app.web import create_app  # noqa: E402
from app.web.context import Backend  # noqa: E402
from benchmarks.million import PARTS, PROMPT_VERSIONS, PROMPTS, RUN, SMALL_RUNS, VERSIONS, Size, candidate, fill  # noqa: E402

GOAL_MS = 300
REPEATS = 20
MOST_S = 6.0
"""A question that takes longer is asked fewer times, at least thrice."""
LOOKS = ("fixed", "broken", "both_right", "both_wrong", "unscored")


@dataclass(frozen=True)
class Question:
    """An address to measure; a ``{table}`` in it is a random row id. table, rows: what a bare read of its rows reads."""

    address: str
    table: str
    rows: int


@dataclass(frozen=True)
class Figures:
    """Server time of one address. times_bare: p95 over the median of a bare read of as many rows."""

    address: str
    n: int
    p50_ms: float
    p95_ms: float
    max_ms: float
    bare_ms: float
    times_bare: float


def questions() -> Iterator[Question]:
    """Everything that is asked."""
    yield from _lists()
    yield from _run_pages()
    yield from _library()
    yield from _api()


def _lists() -> Iterator[Question]:
    yield Question("/", "runs", 8)
    yield Question("/spending", "spending", 100)
    narrowed = ("", "status=done", "status=queued", "search=small", "search=nothing-like-it", f"search={RUN}")
    for query in (*narrowed, "status=failed&search=small", "sort=name"):
        yield Question(f"/runs?{query}", "runs", 40)
        yield Question(f"/runs?{query}&after={{small run}}", "runs", 40)


def _run_pages() -> Iterator[Question]:
    here = f"/runs/{RUN}"
    yield Question(here, "events", 60)
    for part in ("head", "state", "proposals", "log_lines?after={events}"):
        yield Question(f"{here}/parts/{part}", "events", 60)
    for page in ("curves.json", "timeline.json", "proposals/3", "settings", "report.html", "bill", "unprocessed"):
        yield Question(f"{here}/{page}", "events", 60)
    for show in ("", "decision", "reasoning", "warning", "wait"):
        yield Question(f"{here}/log?show={show}", "events", 500)
        yield Question(f"{here}/log?show={show}&before={{events}}", "events", 500)
    for show in ("", "primary", "optimizer", "errors", "open"):
        yield Question(f"{here}/calls?show={show}", "calls", 51)
        yield Question(f"{here}/calls?show={show}&after={{calls}}", "calls", 51)
    yield Question(f"{here}/calls/{{calls}}", "calls", 1)
    for split in ("test", "validation", "train"):
        for show in ("", *LOOKS):
            yield Question(f"{here}/examples?split={split}&show={show}", "samples", 102)
            yield Question(f"{here}/examples?split={split}&show={show}&after={{{split}}}", "samples", 102)
        last = VERSIONS - 1
        yield Question(f"/compare?a={RUN}:0&b={RUN}:{last}&split={split}", "samples", 102)
        three = f"of={RUN}:0&of={RUN}:1&of={RUN}:{last}&split={split}"
        yield Question(f"/compare?{three}", "samples", 153)
        yield Question(f"/api/v1/compare?{three}", "samples", 153)
        yield Question(f"/api/v1/compare/examples?{three}", "samples", 300)
    for kind in ("csv", "jsonl"):
        yield Question(f"{here}/samples.{kind}", "samples", 1000)


def _library() -> Iterator[Question]:
    yield Question("/datasets", "datasets", 300)
    yield Question("/datasets?search=299", "datasets", 300)
    for query in ("", "search=parcel", "search=nothing-like-it"):
        yield Question(f"/datasets/1?{query}", "examples", 26)
        yield Question(f"/datasets/1?{query}&after={{examples}}", "examples", 26)
    for query in ("", "search=support", "search=nothing-like-it", "tag=support"):
        yield Question(f"/prompts?{query}", "prompts", 40)
        yield Question(f"/prompts?{query}&after=prompt 00700", "prompts", 40)
    yield Question("/prompts/1", "prompt_versions", 30)
    yield Question("/prompts/1?show=kept&before=500", "prompt_versions", 30)
    yield Question("/prompts/1/versions/500", "prompt_versions", 1)
    yield Question("/prompts/1/diff?a=3&b=900", "prompt_versions", 2)
    for place in (
        "/trainings/new",
        "/compare",
        "/providers",
        "/playground",
        "/benchmarks",
        "/benchmarks/configs",
        "/models",
    ):
        yield Question(place, "runs", 50)


def _api() -> Iterator[Question]:
    base = "/api/v1"
    for query in ("", "status=done", "search=nothing-like-it", "after={small run}", "limit=1000"):
        yield Question(f"{base}/runs?{query}", "runs", 1000 if "limit" in query else 100)
    for page in ("", "/result", "/bill", "/timeline"):
        yield Question(f"{base}/runs/{RUN}{page}", "runs", 1)
    yield Question(f"{base}/runs/{RUN}/events", "events", 100)
    yield Question(f"{base}/runs/{RUN}/events?after={{events}}&limit=1000", "events", 1000)
    who = f"candidate={candidate(3)}"
    narrowed = ["", who, "split=test", "split=train", "outcome=scored", "outcome=provider_error", "outcome=timed_out"]
    narrowed += [f"{who}&split=validation", f"{who}&split=test", f"{who}&outcome=provider_error"]
    narrowed += [f"{who}&split=validation&outcome=timed_out", "split=validation&outcome=provider_error"]
    for query in narrowed:
        yield Question(f"{base}/runs/{RUN}/samples?{query}", "samples", 100)
        yield Question(f"{base}/runs/{RUN}/samples?{query}&after={{samples}}", "samples", 100)
    for kind in ("csv", "jsonl", "html"):
        yield Question(f"{base}/runs/{RUN}/export?format={kind}", "samples", 1000)
    yield Question(f"{base}/datasets", "datasets", 300)
    yield Question(f"{base}/datasets/1", "datasets", 1)
    yield Question(f"{base}/datasets/1/examples?after={{examples}}", "examples", 100)
    yield Question(f"{base}/datasets/1/examples?search=nothing-like-it", "examples", 100)
    for query in ("", "search=support"):
        yield Question(f"{base}/prompts?{query}", "prompts", PROMPTS)
    yield Question(f"{base}/prompts/prompt 00001", "prompt_versions", PROMPT_VERSIONS)
    yield Question(f"{base}/prompts/prompt 00001/versions/500", "prompt_versions", 1)


class Bench:
    """Asks the pages of one filled database."""

    def __init__(self, database: Database, folder: Path) -> None:
        settings = Settings(data_dir=folder, database_url="", redis_url="redis://127.0.0.1:1/0", secret_key="unused")
        self._engine = database.engine
        app = api.attach(create_app(Backend(settings, database.engine, lambda _: True, environ={})))
        self._client: FlaskClient = app.test_client()
        self._dice = random.Random(1)
        self._largest = {table: self._last(table) for table in ("samples", "calls", "events", "examples")}
        self._bare: dict[tuple[str, int], float] = {}

    def _last(self, table: str) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(text(f"SELECT max(id) FROM {table}")).scalar_one())

    def figures(self, question: Question) -> Figures:
        """Ask often enough, after a first time that is not counted."""
        times: list[float] = []
        self._ask(question.address)
        while len(times) < REPEATS and (len(times) < 3 or sum(times) < MOST_S):
            times.append(self._ask(question.address))
        p95 = sorted(times)[max(0, round(0.95 * len(times)) - 1)]
        bare = self._bare_read(question.table, question.rows)
        ms = [round(1000 * value, 2) for value in (statistics.median(times), p95, max(times), bare)]
        return Figures(question.address, len(times), ms[0], ms[1], ms[2], ms[3], round(p95 / bare, 1))

    def _ask(self, address: str) -> float:
        address = self._filled(address)
        begin = time.perf_counter()
        response = self._client.get(address, buffered=False)
        next(response.iter_encoded(), None)
        took = time.perf_counter() - begin
        response.close()
        if response.status_code not in (200, 404) or (response.status_code == 404 and "/calls/" not in address):
            raise SystemExit(f"{address} answered {response.status_code}")
        return took

    def _filled(self, address: str) -> str:
        for table, last in self._largest.items():
            address = address.replace(f"{{{table}}}", str(self._dice.randint(last // 2, last)))
        for split in ("test", "validation", "train"):
            if f"{{{split}}}" in address:
                address = address.replace(f"{{{split}}}", str(self._sample_of(split)))
        return address.replace("{small run}", f"s{self._dice.randrange(SMALL_RUNS):05}")

    def _sample_of(self, split: str) -> int:
        """A sample of the initial prompts, from where a page may go on."""
        query = select(func.min(SampleRow.id), func.max(SampleRow.id)).where(SampleRow.run_id == RUN)
        with self._engine.connect() as connection:
            found = connection.execute(query.where(SampleRow.candidate == candidate(0), SampleRow.split == split)).one()
        return self._dice.randint(*found) if split in PARTS.values() else 1

    def _bare_read(self, table: str, rows: int) -> float:
        if (table, rows) not in self._bare:
            times = []
            for _ in range(REPEATS):
                start = self._dice.randint(0, max(0, self._largest.get(table, 0) - rows))
                statement = text(f"SELECT * FROM {table} WHERE id > :start ORDER BY id LIMIT :rows")
                first: Any = "" if table == "runs" else start
                with self._engine.connect() as connection:
                    begin = time.perf_counter()
                    connection.execute(statement, {"start": first, "rows": rows}).all()
                    times.append(time.perf_counter() - begin)
            self._bare[table, rows] = statistics.median(times)
        return self._bare[table, rows]


@contextmanager
def under_way(engine: Engine) -> Iterator[None]:
    """The large run as if a worker were still on it: its totals are nowhere but in its calls."""
    kept = {}
    with engine.begin() as connection:
        kept = dict(connection.execute(select(Run.status, Run.spent).where(Run.id == RUN)).one()._mapping)
        values = {"status": "running", "spent": None, "lease_until": time.time() + 10**6}
        connection.execute(update(Run).where(Run.id == RUN).values(values))
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(update(Run).where(Run.id == RUN).values(kept | {"lease_until": 0.0}))


def measure(url: str, size: Size, only: str) -> dict[str, Any]:
    """Fill the database when it is empty, and measure every question in both states of the run."""
    with Database(url) as database, tempfile.TemporaryDirectory() as folder:
        database.upgrade()
        with database.session() as session:
            filled = session.get(Run, RUN) is not None
        began = time.perf_counter()
        if not filled:
            fill(database, size)
        fill_s = round(time.perf_counter() - began, 1)
        bench = Bench(database, Path(folder))
        wanted = [question for question in questions() if only in question.address]
        ended = [asdict(bench.figures(question)) for question in wanted]
        with under_way(database.engine):
            running = [asdict(bench.figures(q)) for q in wanted if q.address == "/" or "/runs" in q.address]
        kind = "sqlite" if database.is_sqlite else "postgresql"
        return {"database": kind, "fill_s": fill_s, "ended": ended, "under_way": running}


def show(result: dict[str, Any]) -> None:
    """Print the table, the slowest first, and what misses the goal."""
    for state in ("ended", "under_way"):
        lines = sorted(result[state], key=lambda line: -line["p95_ms"])
        late = sum(line["p95_ms"] > GOAL_MS for line in lines)
        print(f"{result['database']}, run {state}: {late} of {len(lines)} addresses above {GOAL_MS} ms")
        for line in lines:
            figures = "  ".join(f"{line[name]:>9}" for name in ("p50_ms", "p95_ms", "max_ms", "times_bare"))
            print(f"{figures}  {line['address']}")


@contextmanager
def database_url(options: argparse.Namespace) -> Iterator[str]:
    """The database that the options name, or a new one."""
    if options.database:
        yield options.database
    elif options.postgres:
        from tests.servers import postgres

        with postgres() as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/records.db"


def main() -> None:
    """Measure, print a table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--progress", type=int, default=100_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with database_url(options) as url:
        result = measure(url, Size(options.samples, options.progress), options.only)
    machine = {"python": platform.python_version(), "cpus": os.cpu_count(), "machine": platform.machine()}
    machine |= {"sqlalchemy": importlib.metadata.version("sqlalchemy")}
    result |= {"samples": options.samples, "goal_ms": GOAL_MS, "machine": machine}
    target = Path(__file__).parent / "results" / f"records-{result['database']}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n")
    show(result)


if __name__ == "__main__":
    main()
