"""Datasets in a browser without scripts: upload, preview, import, browse, divide, delete."""

from __future__ import annotations

import io
import os
import re
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services import datasets
from app.store.database import Database
from app.store.models import Dataset
from app.web.datasets import kept
from tests.web.forms import errors, post

ROWS = "\n".join(f"question {n},{'yes' if n % 3 else 'no'}" for n in range(60))
GOOD = f"user_input,ground_truth_output\n{ROWS}\n".encode()
SCRIPT = "<script>alert(1)</script>"


def send(client: FlaskClient, content: bytes, filename: str = "mine.csv") -> TestResponse:
    """Upload a file and look at its preview."""
    return post(client, "/datasets/new", {"file": (io.BytesIO(content), filename)}, follow_redirects=True)


def address(preview: TestResponse) -> str:
    return preview.request.path


@pytest.fixture
def dataset(database: Database) -> Dataset:
    with database.session() as session:
        return datasets.import_file(session, io.BytesIO(GOOD), "mine.csv")


def test_an_empty_list_offers_an_import_and_the_samples(client: FlaskClient) -> None:
    page = client.get("/datasets").text
    assert "No datasets yet" in page
    assert "Support intents" in page


def test_a_sample_is_imported_by_one_click(client: FlaskClient) -> None:
    page = post(client, "/datasets/samples", {"filename": "support_intents.csv"}, follow_redirects=True)
    assert "support_intents is imported: 160 rows." in page.text
    assert "Support intents" not in client.get("/datasets").text
    assert post(client, "/datasets/samples", {"filename": "../../etc/passwd"}).status_code == 404


def test_a_file_is_looked_at_and_then_imported(
    client: FlaskClient, app: Flask, database: Database, tmp_path: Path
) -> None:
    seen = send(client, GOOD)
    assert seen.status_code == 200
    assert "Nothing is stored yet." in seen.text
    assert "question 9" in seen.text
    assert "Import 60 rows" in seen.text
    with database.session() as session:
        assert datasets.list_datasets(session) == []
    form = {"name": "my data", "input_column": "user_input", "answer_column": "ground_truth_output"}
    page = post(client, address(seen), form, follow_redirects=True)
    assert "my data is imported: 60 rows." in page.text
    assert list((tmp_path / "uploads").iterdir()) == []
    assert client.get(address(seen)).status_code == 404


def test_columns_are_chosen_when_their_names_are_not_known(client: FlaskClient, database: Database) -> None:
    seen = send(client, b"id,wort,mot, \n1,Haus,maison,x\n2,Hund,chien,y\n")
    assert seen.status_code == 422
    assert "there is no input column" in errors(seen)["input_column"]
    assert "Haus" in seen.text
    chosen = post(
        client, address(seen), {"do": "look", "input_column": "wort", "answer_column": "mot"}, follow_redirects=True
    )
    assert chosen.status_code == 200
    assert '<option value="wort" selected>' in chosen.text
    same = post(client, address(seen), {"name": "x", "input_column": "wort", "answer_column": "wort"})
    assert same.status_code == 422
    assert "choose two columns" in errors(same)["answer_column"]
    gone = post(client, address(seen), {"name": "x", "input_column": "nothing", "answer_column": "mot"})
    assert "there is no column 'nothing'" in errors(gone)["input_column"]
    post(client, address(seen), {"name": "words", "input_column": "wort", "answer_column": "mot"})
    with database.session() as session:
        (first, _) = datasets.examples(session, datasets.get(session, "words"))
        assert (first.input, first.reference, first.extra) == ("Haus", "maison", {"id": "1", "column 4": "x"})


def test_dropped_rows_are_reported_with_their_place(client: FlaskClient) -> None:
    seen = send(client, b"input,answer\na,1\nb,\nc,3\nd,4,5\n")
    assert "2 rows dropped" in seen.text
    assert '<td class="num">2</td><td class="num">3</td>' in seen.text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "text"),
        (b"input,answer\n", "no rows"),
        (b"input,input,answer\na,b,c\n", "columns 1 and 2 have the same name"),
        (b'input,answer\n"a,b\nc,d\n', "quote"),
        (b"input,answer\n,\n", "row"),
    ],
)
def test_a_broken_file_is_refused_beside_the_field(
    client: FlaskClient, tmp_path: Path, content: bytes, says: str
) -> None:
    refused = send(client, content)
    assert refused.status_code == 422
    assert says in errors(refused)["file"].lower()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_no_file_is_refused_beside_the_field(client: FlaskClient) -> None:
    refused = post(client, "/datasets/new", {})
    assert refused.status_code == 422
    assert "choose a CSV" in errors(refused)["file"]


@pytest.mark.parametrize(
    ("name", "says"), [("mine", "already"), ("x" * 201, "1 to 200"), ("\x07", "ordinary characters")]
)
def test_a_wrong_name_keeps_everything_else(client: FlaskClient, dataset: Dataset, name: str, says: str) -> None:
    seen = send(client, b"ask,mot,answer\na,b,c\n")
    form = {"name": name, "input_column": "ask", "answer_column": "mot"}
    refused = post(client, address(seen), form)
    assert refused.status_code == 422
    assert says in errors(refused)["name"]
    assert '<option value="ask" selected>' in refused.text
    assert '<option value="mot" selected>' in refused.text


def test_an_upload_can_be_let_go(client: FlaskClient, tmp_path: Path) -> None:
    seen = send(client, GOOD)
    assert "Samples to begin with" in post(client, address(seen), {"do": "forget"}, follow_redirects=True).text
    assert list((tmp_path / "uploads").iterdir()) == []


@pytest.mark.parametrize("token", ["0" * 32, "..", "x", "%2e%2e%2fapp.db"])
def test_only_uploads_are_found(client: FlaskClient, token: str) -> None:
    assert client.get(f"/datasets/uploads/{token}").status_code == 404


def test_forgotten_uploads_go_after_a_day(tmp_path: Path) -> None:
    old = kept.keep(tmp_path, io.BytesIO(b"old"), "C:\\data\\old.csv")
    assert old.filename == "old.csv"
    os.utime(old.path.parent, times=(0, time.time() - kept.FORGOTTEN_S - 1))
    new = kept.keep(tmp_path, io.BytesIO(b"new"), "../new.csv")
    assert new.filename == "new.csv"
    assert not old.path.exists()
    assert kept.find(tmp_path, new.token).path.read_bytes() == b"new"


def test_what_a_file_says_is_text_and_nothing_else(client: FlaskClient) -> None:
    content = f"input,answer,{SCRIPT}\n{SCRIPT},{SCRIPT},x\ny,z,w\n".encode()
    seen = send(client, content, f"{SCRIPT}.csv")
    assert "&lt;script&gt;" in seen.text
    page = post(client, address(seen), {"name": SCRIPT, "input_column": "input"}, follow_redirects=True)
    assert page.status_code == 200
    assert SCRIPT not in seen.text + page.text + client.get("/datasets").text


def test_a_dataset_shows_rows_figures_and_its_split(client: FlaskClient, dataset: Dataset) -> None:
    page = client.get(f"/datasets/{dataset.id}").text
    assert "question 24" in page
    assert "question 25" not in page
    assert 'rel="next"' in page
    assert "36 <span" in page
    second = client.get(f"/datasets/{dataset.id}?after=25").text
    assert "question 25" in second
    assert "First page" in second
    found = client.get(f"/datasets/{dataset.id}?search=yes+question+7").text
    assert "question 7" in found
    assert "question 8" not in found
    assert "No row fits" in client.get(f"/datasets/{dataset.id}?search=nothing").text


def test_another_split_is_shown(client: FlaskClient, dataset: Dataset) -> None:
    page = client.get(f"/datasets/{dataset.id}?split=50/50/0&seed=7").text
    assert page.count("30 <span") == 2
    assert "There is no test split" in page
    assert client.get(f"/datasets/{dataset.id}?split=50/50/0&seed=7&after=25").status_code == 200


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("split=60/20", "split", "three shares"),
        ("split=60/20/21", "split", "sum to 100"),
        ("split=0/50/50", "split", "must not be 0"),
        ("split=60/20/20&seed=x", "seed", "whole number"),
        ("split=60/20/20&seed=-1", "seed", "whole number"),
        ("split=60/20/20&seed=99999999999999999999", "seed", "whole number"),
    ],
)
def test_a_wrong_split_is_explained(client: FlaskClient, dataset: Dataset, query: str, field: str, says: str) -> None:
    refused = client.get(f"/datasets/{dataset.id}?{query}")
    assert refused.status_code == 422
    assert says in errors(refused)[field]
    assert "question 1" in refused.text


def test_a_conflict_is_pointed_out(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        made = datasets.import_file(session, io.BytesIO(b"input,answer\na,1\nA ,2\nb,1\nb,1\n"), "odd.csv")
    page = client.get(f"/datasets/{made.id}").text
    assert "1 input has different answers." in page
    assert "rows 1, 2" in page
    assert "1 conflict" in client.get("/datasets").text


def test_the_list_searches(client: FlaskClient, dataset: Dataset) -> None:
    assert "mine.csv" in client.get("/datasets?search=mine").text
    assert "No dataset fits" in client.get("/datasets?search=other").text


def test_a_deleted_dataset_is_gone(client: FlaskClient, dataset: Dataset) -> None:
    page = post(client, f"/datasets/{dataset.id}/delete", follow_redirects=True).text
    assert "mine is deleted." in page
    assert client.get(f"/datasets/{dataset.id}").status_code == 404
    assert client.get("/datasets/999").status_code == 404


@pytest.mark.parametrize(
    "path", ["/datasets/new", "/datasets/samples", "/datasets/1/delete", f"/datasets/uploads/{'0' * 32}"]
)
def test_nothing_is_changed_without_the_csrf_mark(client: FlaskClient, dataset: Dataset, path: str) -> None:
    assert client.post(path, data={}).status_code == 400


def test_many_datasets_come_in_pages(client: FlaskClient, database: Database) -> None:
    with database.session() as session:
        for number in range(60):
            datasets.import_file(
                session, io.BytesIO(f"input,answer\nq {number},a\nr,b\n".encode()), f"set{number:02}.csv"
            )
    first = client.get("/datasets")
    assert "set59" in first.text
    assert "set09" not in first.text
    more = re.search(r'href="(/datasets\?after=\d+)"', first.text)
    assert more
    second = client.get(more[1])
    assert [f"set{n:02}" in second.text for n in (10, 9, 0)] == [False, True, True]
    assert "First page" in second.text
    found = client.get("/datasets?search=set05")
    assert "set05" in found.text
    assert "set06" not in found.text
    assert client.get("/datasets?after=x").status_code == 422
