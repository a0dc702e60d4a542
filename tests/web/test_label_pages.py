"""The label doctor and the versions of a dataset in a browser, without and with scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.services import datasets, labels
from app.store.database import Database
from tests.services.label_world import ALSO, GOOD, answered, colours, trained
from tests.web.conftest import Site, Visit
from tests.web.forms import errors, post


@pytest.fixture
def doctor(database: Database) -> str:
    """Address of the doctor's page: row 3 is doubtful by two prompts, row 4 too, which a sealed test has read."""
    with database.session() as session:
        dataset = colours(session)
        run = trained(session, dataset)
        for candidate in (GOOD, ALSO):
            answered(session, run, candidate, {3: "azure<br>"})
            answered(session, run, candidate, {4: "snow"}, rows=[4], split="test")
        answered(session, run, GOOD, {4: "snow"}, rows=[4], split="train")
    return f"/datasets/{dataset.id}/labels"


def test_each_doubtful_example_stands_with_its_evidence(client: FlaskClient, doctor: str) -> None:
    page = client.get(doctor)
    assert page.status_code == 200
    assert "All 2 strong prompts that were asked are wrong; all of them say the same" in page.text
    assert "azure&lt;br&gt;" in page.text
    assert '<dd class="text"><strong>blue</strong></dd>' in page.text
    assert "run1" in page.text


def test_prompts_are_not_named_beside_examples_of_a_sealed_test(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        dataset = colours(session)
        run = trained(session, dataset)
        for candidate in (GOOD, ALSO):
            answered(session, run, candidate, {}, rows=[1, 2, 3])
            answered(session, run, candidate, {4: "snow"}, rows=[4], split="test")
    page = client.get(f"/datasets/{dataset.id}/labels")
    assert "sealed test" in page.text
    assert "Judge by the input alone" in page.text
    assert "run1" not in page.text
    assert "run1" in client.get(f"/datasets/{dataset.id}/labels?names=1").text


def test_a_ruling_takes_the_example_off_the_list_and_can_be_undone(client: FlaskClient, doctor: str) -> None:
    sent = post(client, f"{doctor}/3", {"do": "correct", "reference": "azure", "note": ""})
    assert sent.status_code == 303
    after = client.get(sent.location)
    assert "Row 3: corrected." in after.text
    assert 'id="row-3"' not in after.text
    assert 'id="row-3"' in client.get(f"{doctor}?state=ruled").text
    back = post(client, f"{doctor}/3", {"do": "undo"})
    assert 'id="row-3"' in client.get(back.location).text


@pytest.mark.parametrize(("sent", "words"), [("", "write the answer"), ("blue", "stands there already")])
def test_a_bad_correction_is_told_beside_its_field_and_nothing_is_lost(
    client: FlaskClient, doctor: str, sent: str, words: str
) -> None:
    page = post(client, f"{doctor}/3", {"do": "correct", "reference": sent, "note": "my <note>"})
    assert page.status_code == 422
    assert words in errors(page)["reference-3"]
    assert "my &lt;note&gt;" in page.text


def test_what_does_not_exist_is_not_found(client: FlaskClient, doctor: str) -> None:
    assert post(client, f"{doctor}/99", {"do": "keep"}).status_code == 404
    assert client.get("/datasets/99/labels").status_code == 404
    assert client.get(f"{doctor}?after=there").status_code == 422
    assert client.get(f"{doctor}?sign=odd").status_code == 422
    assert post(client, f"{doctor}/3", {"do": "dance"}).status_code == 422


def test_a_version_is_made_shown_and_compared(client: FlaskClient, database: Database, doctor: str) -> None:
    made = f"{doctor.removesuffix('/labels')}/versions"
    assert post(client, made).status_code == 409
    post(client, f"{doctor}/3", {"do": "correct", "reference": "azure"})
    post(client, f"{doctor}/5", {"do": "exclude"})
    sent = post(client, made)
    assert sent.status_code == 303
    assert post(client, made).location == sent.location
    page = client.get(sent.location)
    assert "<del>blue</del>" in page.text
    assert "<ins>azure</ins>" in page.text
    assert "excluded" in page.text
    with database.session() as session:
        second = datasets.get(session, "colours v2")
        assert len(labels.versions(session, second)) == 2
    assert "Version 2" in client.get(f"/datasets/{second.id}").text
    assert "version 2" in client.get("/datasets").text
    assert client.get(f"/datasets/{second.id}/changes?against={second.id}").status_code == 200
    assert post(client, f"/datasets/{second.id}/delete").status_code == 303


def test_a_large_dataset_is_examined_when_asked(client: FlaskClient, database: Database, doctor: str) -> None:
    with database.session() as session:
        datasets.get(session, "colours").rows = 20_001
        session.commit()
    assert "Not examined yet" in client.get(doctor).text
    assert 'id="row-3"' in client.get(f"{doctor}?examine=1").text


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_rulings_by_keyboard(site: Site, visit: Callable[..., Visit], width: int, scheme: str) -> None:
    dataset = site.seeded.dataset.id
    with site.world.database.session() as session:
        first, second = (case.finding.row for case in labels.cases(session, site.seeded.dataset, state="open")[:2])
    seen = visit(f"/datasets/{dataset}/labels", width=width, scheme=scheme)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    seen.page.keyboard.press("c")
    assert seen.page.evaluate("document.activeElement.id") == f"reference-{first}"
    seen.page.evaluate("document.activeElement.blur()")
    seen.page.keyboard.press("x")
    seen.page.wait_for_selector(f"text=Row {first}: excluded.")
    assert seen.page.locator("article h2").first.inner_text() == f"Row {second}"
    seen.page.keyboard.press("u")
    seen.page.wait_for_selector(f"#row-{first}")
    seen.page.locator(f"#note-{first}").fill("enter decides nothing")
    seen.page.locator(f"#note-{first}").press("Enter")
    with site.world.database.session() as session:
        assert labels.rulings_of(session, site.seeded.dataset) == {}
    assert (seen.complaints, seen.foreign) == ([], [])
