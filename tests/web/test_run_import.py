"""Importing a run from its page: as the original looked, marked, refused in words, and never a page that breaks."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services.transfer.history import SPECS
from tests.services.pictures.drawn import loader
from tests.services.transfer_world import RED, changed, exported, exported_with_images, mutations, packed
from tests.web.forms import errors, post

TABS = (
    "",
    "/examples",
    "/calls",
    "/bill",
    "/log",
    "/settings",
    "/report.html",
    "/samples.csv",
    "/unprocessed",
    "/curves.json",
)
OWN = {
    "benchmark": (
        "/benchmarks/{}",
        "/benchmarks/{}/prompts/p1r1",
        "/benchmarks/{}/rank/p1r1",
        "/benchmarks/{}/results.csv",
        "/benchmarks/new?from={}",
        "/benchmarks",
        "/benchmarks/configs",
    ),
    "try": ("/playground/{}", "/playground/{}/answers", "/playground/{}/cards/0", "/playground"),
}
"""Pages of a kind's own."""
PLACES = ("/runs", "/", "/spending", "/datasets", "/prompts", "/find?search=a")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An exported folder of each kind, all from one installation."""
    return exported(tmp_path_factory.mktemp("elsewhere"))


def send(client: FlaskClient, stream: io.BytesIO) -> TestResponse:
    return post(client, "/runs/import", {"file": (io.BytesIO(stream.getvalue()), "run.zip")}, follow_redirects=False)


def run_of(sent: TestResponse) -> str:
    assert sent.status_code == 303, sent.text
    return sent.headers["Location"].removeprefix("/runs/")


@pytest.mark.parametrize("kind", SPECS)
def test_an_imported_run_has_all_its_pages(client: FlaskClient, folders: dict[str, Path], kind: str) -> None:
    assert "Import a run" in client.get("/runs/import").text
    run_id = run_of(send(client, packed(folders[kind])))
    for tab in TABS:
        assert client.get(f"/runs/{run_id}{tab}", follow_redirects=True).status_code == 200, tab
    for place in OWN.get(kind, ()):
        assert client.get(place.format(run_id)).status_code == 200, place
    head = client.get(f"/runs/{run_id}/calls").text
    assert ">imported</span>" in head
    assert f"run {folders[kind].name}" in head
    assert "imported" in client.get("/runs").text
    with zipfile.ZipFile(io.BytesIO(client.get(f"/runs/{run_id}/folder.zip").data)) as target:
        assert f"{run_id}/record/manifest.json" in target.namelist()
    if kind == "train":
        assert client.get(f"/runs/{run_id}/proposals/1").status_code == 200
        assert client.get(f"/compare?of={run_id}:0&of={run_id}").status_code == 200
        assert client.get(f"/runs/{run_id}/rejudge").status_code == 200
        assert "nothing is sent to the addresses" in post(client, f"/runs/{run_id}/rejudge", {"missing": "buy"}).text


def test_what_is_here_already_is_shown_and_can_come_again(client: FlaskClient, folders: dict[str, Path]) -> None:
    first = run_of(send(client, packed(folders["plan"])))
    known = send(client, packed(folders["plan"]))
    assert known.status_code == 200
    assert "It is here already" in known.text
    assert f'href="/runs/{first}"' in known.text
    token = known.text.partition('name="token" value="')[2][:32]
    again = run_of(post(client, "/runs/import", {"token": token, "again": "1"}))
    assert again != first
    assert post(client, "/runs/import", {"token": token, "again": "1"}).status_code == 404


def test_a_bad_file_is_told_beside_its_field(client: FlaskClient, folders: dict[str, Path]) -> None:
    assert "choose the ZIP file" in errors(post(client, "/runs/import"))["file"]
    assert "no ZIP file" in errors(send(client, io.BytesIO(b"junk")))["file"]
    wrong = send(client, changed(folders["plan"], "samples.jsonl", b'{"key":1}\n'))
    assert wrong.status_code == 422
    assert "record/samples.jsonl, line 1" in errors(wrong)["file"]


def test_the_folder_is_written_beside_the_request(
    client: FlaskClient, folders: dict[str, Path], tmp_path: Path
) -> None:
    run_id = run_of(send(client, packed(folders["plan"])))
    page = post(client, f"/runs/{run_id}/folder", follow_redirects=True)
    assert "The run is written to" in page.text
    assert json.loads((tmp_path / "experiments" / run_id / "record/run.json").read_text())["id"] == run_id
    assert client.get("/works/" + "0" * 32).status_code == 404


def test_a_try_that_was_stopped_shows_the_answers_on_record(client: FlaskClient, folders: dict[str, Path]) -> None:
    run = json.loads((folders["try"] / "record/run.json").read_text()) | {"outcome": None, "status": "cancelled"}
    run_id = run_of(send(client, changed(folders["try"], "run.json", json.dumps(run).encode() + b"\n")))
    assert client.get(f"/playground/{run_id}").text.count("the answer is parcel") >= 2
    calls = [json.loads(line) for line in (folders["try"] / "record/calls.jsonl").read_text().splitlines()]
    for raw in ([], {"adjustments": [{"action": "odd"}]}):
        lines = "".join(json.dumps(call | {"raw": raw}) + "\n" for call in calls)
        told = errors(send(client, changed(folders["try"], "calls.jsonl", lines.encode())))["file"]
        assert told.startswith("record/calls.jsonl, line 1: raw")


def test_images_come_along_and_are_shown(client: FlaskClient, tmp_path: Path) -> None:
    folder = exported_with_images(tmp_path, loader(tmp_path / "there"))
    digest = hashlib.sha256(RED).hexdigest()
    run_id = run_of(send(client, packed(folder)))
    assert f"/images/{digest}" in client.get("/datasets/1").text
    assert client.get(f"/images/{digest}").data == RED
    with zipfile.ZipFile(io.BytesIO(client.get(f"/runs/{run_id}/folder.zip").data)) as target:
        assert target.read(f"{run_id}/record/images/{digest}") == RED
    post(client, f"/runs/{run_id}/folder", follow_redirects=True)
    assert (tmp_path / "experiments" / run_id / "record/images" / digest).read_bytes() == RED
    name = f"record/images/{digest}"
    assert f"{name}: is not there" in errors(send(client, packed(folder, **{name: None})))["file"]


@pytest.mark.parametrize("kind", SPECS)
def test_no_record_however_odd_breaks_a_page(client: FlaskClient, folders: dict[str, Path], kind: str) -> None:
    """A record is either refused or shown; half of these changes are of the kind that a page would stumble over."""
    shown = 0
    for told, stream in mutations(folders[kind], 30, seed=7):
        sent = send(client, stream)
        assert sent.status_code in (303, 422), told
        if sent.status_code != 303:
            continue
        shown += 1
        run_id = run_of(sent)
        for place in (*(f"/runs/{run_id}{tab}" for tab in TABS), "/runs"):
            assert client.get(place).status_code < 500, (told, place)
        for place in OWN.get(kind, ()):
            assert client.get(place.format(run_id)).status_code == 200, (told, place)
        assert client.get(f"/compare?of={run_id}:0&of={run_id}").status_code < 500, told
        post(client, f"/runs/{run_id}/delete")
    assert shown
