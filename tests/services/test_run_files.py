"""A run taken away as files: complete, reversible, self-contained, harmless, and honest about being simulated."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from app.services import runs
from app.services.cells import unprotect
from app.services.runs.chart import Curves, draw
from app.services.runs.tables import sample_rows
from app.store.database import Database
from app.store.models import CallRow, Run
from app.store.portable import TABLES
from tests.services.run_world import AFTER, BAD, BEFORE, CASES, NEW, OLD, RUN, TEXTS, add_examples, add_run, train


@pytest.fixture
def run(database: Database, session: Session) -> Run:
    """A finished training."""
    add_run(database, name="First <b>training</b>")
    add_examples(database)
    train(database)
    return runs.get(session, RUN)


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_samples_as_csv(session: Session, run: Run) -> None:
    rows = read_csv("".join(runs.export_csv(session, run)))
    assert len(rows) == len(BEFORE) + len(AFTER)
    first = rows[0]
    assert (first["case"], first["candidate"], first["version"], first["score"]) == ("1", OLD, "0", "0.0")
    assert first["input"] == '\'=HYPERLINK("http://x")'
    assert unprotect(first["input"]) == '=HYPERLINK("http://x")'
    assert [unprotect(row["response"]) for row in rows] == [sample.response for sample in (*BEFORE, *AFTER)]
    assert {row["version"] for row in rows if row["candidate"] == NEW} == {"2"}
    assert rows[8]["score"] == ""
    assert {row["simulated"] for row in rows} == {"yes"}


def test_samples_as_json_lines(session: Session, run: Run) -> None:
    rows = [json.loads(line) for line in "".join(runs.export_jsonl(session, run)).splitlines()]
    assert [row["response"] for row in rows] == [sample.response for sample in (*BEFORE, *AFTER)]
    assert rows[0]["input"] == '=HYPERLINK("http://x")'
    assert rows[0]["scores"] == {"exact_match": 0}
    assert rows[8]["score"] is None
    assert all(row["simulated"] is True for row in rows)


def test_a_slow_reader_holds_no_transaction_open(database: Database, session: Session, run: Run) -> None:
    session.commit()
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    held = [pool.checkedout() for _ in sample_rows(session, run, portion=3)]
    assert held == [0] * 2 * CASES


def test_the_folder_holds_everything(session: Session, run: Run, tmp_path: Path) -> None:
    folder = runs.export_folder(session, run, tmp_path / "experiments")
    assert folder == tmp_path / "experiments" / RUN
    found = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    versions = {
        f"prompts/{version}/{file}"
        for version in ("000-initial", "001-rejected", "002-accepted", "final")
        for file in ("system_prompt.txt", "output_prompt.txt", "about.json")
    }
    files = {"spec.json", "outcome.json", "samples.csv", "calls.csv", "metrics.csv", "speed.csv", "report.html"}
    record = {f"record/{name}" for name in ("manifest.json", "run.json", "dataset.jsonl", *TABLES)}
    assert found == files | versions | record
    assert (folder / "prompts/final/system_prompt.txt").read_text() == TEXTS[NEW][0]
    assert (folder / "prompts/001-rejected/output_prompt.txt").read_text() == TEXTS[BAD][1]
    assert json.loads((folder / "spec.json").read_text())["strategy"] == "auto"
    about = json.loads((folder / "outcome.json").read_text())
    assert (about["run"]["simulated"], about["outcome"]["verdict"]) == (True, "ship")
    assert about["spent"]["calls"] == 18
    calls = read_csv((folder / "calls.csv").read_text())
    assert len(calls) == 2 * CASES + 1
    assert {call["simulated"] for call in calls} == {"yes"}
    (speed,) = read_csv((folder / "speed.csv").read_text())
    assert (speed["role"], speed["replies"], speed["ttft_s_n"], speed["ttft_s_p50"]) == ("primary", "18", "0", "")
    assert float(speed["ttlb_s_p50"]) == pytest.approx(0.2, rel=0.01)
    assert {(call["tokens_per_s"] == "") for call in calls if call["error"]} == {True}, "a failed call has no speed"
    assert "Last token" in (folder / "report.html").read_text()
    metrics = read_csv((folder / "metrics.csv").read_text())
    assert [row["epoch"] for row in metrics] == ["0", "1", "2"]
    assert [row["best_number"] for row in metrics] == ["0", "2", "2"]


def test_a_second_export_replaces_the_first(session: Session, run: Run, tmp_path: Path) -> None:
    folder = runs.export_folder(session, run, tmp_path)
    (folder / "stale.txt").write_text("from before")
    runs.export_folder(session, run, tmp_path)
    assert not (folder / "stale.txt").exists()
    assert [file.name for file in tmp_path.iterdir() if file.name != "app.db" and file.is_dir()] == [RUN]


def test_an_export_that_fails_leaves_nothing_and_keeps_the_earlier_one(
    database: Database, session: Session, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "experiments"
    folder = runs.export_folder(session, run, target)
    before = (folder / "outcome.json").read_bytes()
    run.spec = None
    session.flush()
    with pytest.raises(AttributeError):
        runs.export_folder(session, run, target)
    assert [file.name for file in target.iterdir()] == [RUN]
    assert (folder / "outcome.json").read_bytes() == before


class Page(HTMLParser):
    """What a browser would make of a page: elements, addresses and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str | None] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "data")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_report_loads_nothing_and_escapes_everything(session: Session, run: Run) -> None:
    text = runs.report_html(session, run)
    page = Page(text)
    assert page.addresses == []
    assert page.tags.count("script") == 1
    assert "<script>alert" not in text
    assert "<script>alert(1)</script>" in page.words
    assert "Because <i>it</i> was vague." in page.words
    assert {"i", "b", "img", "link"}.isdisjoint(page.tags)
    assert runs.REPORT_POLICY.startswith("default-src 'none'")


def test_the_report_says_the_verdict_first_and_that_it_is_simulated(session: Session, run: Run) -> None:
    words = Page(runs.report_html(session, run)).words
    order = [
        "Simulated models.",
        "Ship the new prompts",
        "Sealed test",
        "Scores by epoch",
        "What changed in the prompts",
        "Examples before and after",
        "Proposals",
        "Settings and spending",
    ]
    places = [words.index(each) for each in order]
    assert places == sorted(places)
    assert words.count("simulated") > 6
    assert "4 fixed" in words
    assert "18 calls, 240 tokens, between $0.0200 and $0.0300 with 1 sending of unknown fate" in words


def test_the_figures_are_in_the_report(session: Session, run: Run) -> None:
    text = runs.report_html(session, run)
    start = text.index('id="run-data">') + len('id="run-data">')
    data = json.loads(text[start : text.index("</script>", start)])
    assert data["outcome"]["final"]["system_prompt"] == TEXTS[NEW][0]
    assert [row["best"] for row in data["metrics"]] == [
        pytest.approx(4 / 9),
        pytest.approx(7 / 9),
        pytest.approx(7 / 9),
    ]


def test_a_real_model_is_not_called_simulated(session: Session, run: Run) -> None:
    run.simulated = False
    run.spec = {**run.spec, "primary": {"name": "openai/gpt-5-mini", "params": {}, "api_base": None}, "optimizer": None}
    session.execute(update(CallRow).values(model="openai/gpt-5-mini"))
    session.commit()
    visible = runs.report_html(session, run).partition('<script type="application/json"')[0]
    assert "imulated" not in visible.partition("</style>")[2]


@pytest.mark.parametrize("status", ["queued", "paused", "failed"])
def test_a_run_without_an_outcome_has_a_report_too(database: Database, session: Session, status: str) -> None:
    add_run(database)
    run = runs.get(session, RUN)
    run.status, run.reason = status, "a <reason>"
    session.commit()
    words = Page(runs.report_html(session, run)).words
    assert "No verdict yet" in words
    assert "a <reason>" in words


def test_the_chart_of_nothing_is_nothing() -> None:
    assert draw(Curves([], [], [], [], [], [])) == ""


def test_the_chart_draws_each_score_once_and_leaves_gaps() -> None:
    drawn = draw(
        Curves([0, 1, 2], [None, 0.5, 0.25], [0.5, None, 1.0], [0.5, 0.5, 1.0], [0.4, 0.4, 0.9], [0.6, 0.6, 1.0])
    )
    assert drawn.count("<rect") == 2 + 2
    assert drawn.count("<polyline") == 2
    assert drawn.count("<polygon") == 1
    assert "epoch 2, validation 1.000" in drawn
