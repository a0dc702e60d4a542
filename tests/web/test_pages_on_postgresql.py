"""The pages read PostgreSQL as they read SQLite."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.config import Settings
from app.services.benchmarks import ballots
from app.services.errors import Conflict
from app.store.database import Database
from app.web import create_app
from app.web.context import Backend
from tests.services.benchmark_world import finished
from tests.services.test_ballots import ballot
from tests.web import seed


def test_every_kind_of_page_answers(migrated_postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        database_url=migrated_postgres_url,
        redis_url="redis://127.0.0.1:1/0",
        secret_key="a key for tests",
    )
    with Database(migrated_postgres_url) as database:
        with database.session() as session:
            seed.fill(session)
            bench = finished(session)
            first = ballots.save(session, bench, ballot())
            assert ballots.save(session, bench, replace(ballot(), revision=first.revision)).revision == 2
            with pytest.raises(Conflict):
                ballots.save(session, bench, ballot())
            ballots.mark(session, bench.run, bench.answers[0].key, "unacceptable")
            at = f"/benchmarks/{bench.run.id}"
        client = create_app(Backend(settings, database.engine, lambda _: True, environ={})).test_client()
        runs = [f"/runs/r0finished{part}" for part in ("", "/examples", "/calls", "/log", "/settings")]
        paths = ["/", "/runs", "/runs?status=done", *runs, "/runs/r1running", "/compare?a=r0finished:0&b=r0finished"]
        paths += [
            "/datasets",
            "/datasets?search=a",
            "/prompts",
            "/prompts?search=a",
            "/trainings/new",
            "/providers",
            "/models",
        ]
        cell = "/runs/r0finished/examples?expected=card+arrival&answered=card+arrival&of=b"
        paths += [
            "/trainings/new?from=r0finished",
            "/readyz",
            "/runs/r0finished/timeline.json",
            "/runs?sort=name",
            cell,
        ]
        paths += ["/benchmarks", "/benchmarks/reviews", "/benchmarks/configs", at, f"{at}/prompts/p1", f"{at}/rank/p1"]
        assert {path: status for path in paths if (status := client.get(path).status_code) != 200} == {}
        assert "Answers by label" in client.get("/runs/r0finished").text
        assert client.get("/runs/r0finished/timeline.json").get_json()["points"]
        assert 'data-label="Change"' in client.get(cell).text
