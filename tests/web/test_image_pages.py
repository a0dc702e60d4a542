"""Pictures in pages: imported with a ZIP, shown small beside their rows, served as what they are and nothing else."""

from __future__ import annotations

import io

from flask import Flask
from flask.testing import FlaskClient

from app import wiring
from app.services import datasets
from app.store.database import Database
from app.web.context import Backend
from tests.services.pictures.drawn import archive, picture
from tests.web.forms import errors, post

TABLE = b"image,input,answer\nset/a.jpg,Which?,red\nb.gif,Which?,blue\nnone.png,Which?,green\n"


def upload(client: FlaskClient, zipped: bytes):  # type: ignore[no-untyped-def]
    fields = {"file": (io.BytesIO(TABLE), "cards.csv"), "images": (io.BytesIO(zipped), "cards.zip")}
    return post(client, "/datasets/new", fields, follow_redirects=True)


def test_a_table_with_a_zip_becomes_rows_with_pictures(client: FlaskClient, database: Database) -> None:
    seen = upload(client, archive({"set/a.jpg": picture("JPEG"), "b.gif": picture("GIF", frames=2)}).getvalue())
    assert seen.status_code == 200
    assert "3 file names in the column of images" in seen.text
    assert "no ZIP came" not in seen.text
    made = post(client, seen.request.path, {"do": "import", "name": "cards"}, follow_redirects=True)
    assert "cards is imported: 3 rows, 1 image could not be loaded." in made.text
    assert "2 of 3 loaded, from the column image." in made.text
    assert "none.png is not in the ZIP" in made.text
    assert "the first frame of an animated GIF, kept as PNG" in made.text
    assert 'alt="Image of row 1: set/a.jpg"' in made.text
    with database.session() as session:
        first, *_ = datasets.examples(session, datasets.get(session, "cards"))
    whole, small = (client.get(f"/images/{first.image['digest']}{end}") for end in ("", "/small"))
    assert (whole.mimetype, whole.data) == ("image/jpeg", picture("JPEG"))
    assert (small.mimetype, small.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert whole.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    for wrong in ("0" * 64, "abc", "%2e%2e%2fapp.db", f"{first.image['digest']}.small"):
        assert client.get(f"/images/{wrong}").status_code == 404


def test_a_zip_that_is_none_is_said_beside_its_field(client: FlaskClient) -> None:
    refused = upload(client, b"no zip at all")
    assert refused.status_code == 422
    assert "no ZIP archive" in errors(refused)["images"]


def test_without_a_zip_the_preview_says_what_will_be_missing(client: FlaskClient) -> None:
    seen = post(client, "/datasets/new", {"file": (io.BytesIO(TABLE), "cards.csv")}, follow_redirects=True)
    assert "no ZIP came with the table" in seen.text
    left = post(
        client, seen.request.path, {"do": "import", "name": "plain", "image_column": "-"}, follow_redirects=True
    )
    assert "plain is imported: 3 rows." in left.text
    both = post(client, seen.request.path, {"do": "import", "name": "two", "image_column": "input"})
    assert both.status_code == 303  # the upload is imported already: it leads there


def test_a_run_shows_the_pictures_that_it_asked_about(client: FlaskClient, app: Flask, database: Database) -> None:
    from app.llm.simulated import SimulatedLLM
    from app.services import training
    from app.services.drive import drive

    backend: Backend = app.extensions["whetstone"]
    post(client, "/datasets/samples", {"filename": "shape_cards.csv"})
    with database.session() as session:
        form = {
            "dataset": "shape_cards",
            "system_prompt": "Say what is on the card.",
            "primary_model": "simulated/primary",
            "optimizer_model": "simulated/optimizer",
            "epochs": 1,
        }
        spec = training.parse(session, form, settings=backend.settings, gateway=backend.gateway)
        run_id = training.start(session, spec).id
    files = wiring.image_files(backend.settings)
    drive(run_id, database=database, open_llm=lambda: SimulatedLLM(0.0, files), owner="t", lease_s=30)
    calls = client.get(f"/runs/{run_id}/calls").text
    first = calls.split(f"/runs/{run_id}/calls/")[1].split('"')[0]
    assert 'alt="Image 1 of the request, ' in client.get(f"/runs/{run_id}/calls/{first}").text
    assert 'alt="Image of example ' in client.get(f"/runs/{run_id}/examples").text
    assert "Speed" in client.get(f"/runs/{run_id}/bill").text
