"""Confusion matrices: what they count, where their cells lead, and when there is none."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from app.services import runs
from app.services.runs.tables import version_numbers
from app.store.database import Database
from app.store.models import SampleRow
from tests.web import bank
from tests.web.seed import Seeded


def cells(page: str) -> list[tuple[str, int]]:
    found = re.findall(r'<td class="num \w+ heat-\d"><a href="([^"]+)"[^>]*>(\d+)</a>', page)
    return [(address.replace("&amp;", "&"), int(count)) for address, count in found]


def test_every_answer_with_a_score_is_in_one_cell(seeded: Seeded, database: Database) -> None:
    with database.session() as session:
        run = runs.get(session, "r0finished")
        final = run.outcome["final"]["number"]
        digests = {number: digest for digest, number in version_numbers(session, run).items()}
        tables = runs.confusions(session, run, [digests[0], digests[final]], "test")
        for number in (0, final):
            table = tables[digests[number]]
            mine = list(session.query(SampleRow).filter_by(run_id=run.id, split="test", candidate=digests[number]))
            assert table.asked == len(mine) == 24
            assert table.n == sum(one.outcome == "scored" for one in mine)
            assert table.agreeing == sum(one.score == 1 for one in mine)
            assert sorted(table.labels) == sorted(bank.LABELS)
        assert tables[digests[final]].agreeing > tables[digests[0]].agreeing


def test_a_count_leads_to_so_many_examples(client: FlaskClient, seeded: Seeded) -> None:
    page = client.get("/runs/r0finished").text
    assert "Answers by label" in page
    found = cells(page)
    test = seeded.finished.outcome["test"]
    assert sum(count for _, count in found) == test["initial"]["n"] + test["final"]["n"]
    for address, count in found[:4] + found[-4:]:
        shown = client.get(address).text
        assert shown.count('data-label="Change"') == count, address
        assert "Only where" in shown
    assert cells(client.get("/runs/r0finished?split=validation").text) != found


def test_the_report_holds_both_matrices(client: FlaskClient, seeded: Seeded) -> None:
    report = client.get("/runs/r0finished/report.html").text
    assert report.index("Answers by label") < report.index("Initial prompts: 12 of 24 answers")
    assert "Final prompts: 19 of 23 answers are the expected label; 1 of 24 never came" in report


def test_an_unreadable_cell_is_refused(client: FlaskClient, seeded: Seeded) -> None:
    assert client.get("/runs/r0finished/examples?expected=x").status_code == 422
    assert "No such examples" in client.get("/runs/r0finished/examples?expected=x&answered=y").text


def test_without_labels_there_is_none(client: FlaskClient, seeded: Seeded, database: Database) -> None:
    with database.session() as session:
        dataset = session.get_one(type(seeded.dataset), seeded.dataset.id)
        dataset.statistics = dataset.statistics | {"few_labels": False}
        session.commit()
    assert "Answers by label" not in client.get("/runs/r0finished").text
