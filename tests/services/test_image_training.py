"""A training on pictures from import to verdict: cut short anywhere it ends the same, and no byte of an image is on record."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Retention, Settings
from app.core.catalog import KINDS
from app.llm.gateway import Gateway
from app.llm.simulated import SimulatedLLM
from app.ports.llm import Json
from app.ports.scoring import Tools
from app.services import datasets, labels, rejudging, retention, runs, training
from app.services.drive import drive, prepare
from app.services.pictures import Folder, Loader
from app.services.rejudging.missing import count
from app.store.database import Database
from app.store.images import LEFT_ALONE_S, ImageFiles
from app.store.memory import MemoryRecord
from app.store.models import CallRow, Dataset, Run
from tests.core.crash import Crash, CrashingJournal
from tests.core.training_world import engine
from tests.services.pictures.drawn import picture

SAMPLE = "shape_cards.csv"


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    return ImageFiles(tmp_path / "images")


@pytest.fixture
def loader(files: ImageFiles) -> Loader:
    return Loader(files, Settings().images)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(f"sqlite:///{tmp_path}/app.db") as database:
        database.upgrade()
        yield database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def spec_of(session: Session, settings: Settings = Settings(), **changes: object) -> Json:  # noqa: B008 - frozen
    form = {
        "dataset": "shape_cards",
        "system_prompt": "Say what is on the card.",
        "primary_model": "simulated/primary",
        "optimizer_model": "simulated/optimizer",
        "epochs": 2,
    }
    return training.parse(session, form | changes, settings=settings, gateway=Gateway(settings, {}))


def driven(database: Database, session: Session, spec: Json, files: ImageFiles) -> Run:
    run_id = training.start(session, spec).id
    llm = lambda: SimulatedLLM(0.0, files)  # noqa: E731
    assert drive(run_id, database=database, open_llm=llm, owner="t", lease_s=30) == "done"
    with database.session() as fresh:
        return fresh.get_one(Run, run_id)


def test_a_training_on_pictures_learns_and_keeps_them_out_of_its_records(
    database: Database, session: Session, loader: Loader, files: ImageFiles, tmp_path: Path
) -> None:
    made = datasets.import_sample(session, SAMPLE, loader)
    assert (made.statistics["images"]["loaded"], made.statistics["duplicates"], made.statistics["conflicts"]) == (
        48,
        0,
        [],
    )
    assert made.statistics["input_chars"]["max"] == len("Which shape is on the card?"), "marks are no characters"
    assert datasets.import_sample(session, SAMPLE, loader).id == made.id, "the same content is the same dataset"
    spec = spec_of(session)
    assert spec["primary"]["vision"] is True
    assert "Images are estimated at about 85 tokens each" in training.estimate(session, spec, gateway=GATEWAY).notes[0]
    done = driven(database, session, spec, files)
    means = [done.outcome["test"][side]["mean"] for side in ("initial", "final")]
    assert means[0] == 0.0
    assert means[1] > 0.6

    calls = session.scalars(select(CallRow).where(CallRow.run_id == done.id, CallRow.role == "primary")).all()
    shown = {digest for call in calls for m in call.request["messages"] for digest in m.get("images", ())}
    assert 40 < len(shown) <= 48
    one = next(iter(shown))
    assert base64.b64encode(files.read(one))[:40].decode() not in json.dumps([[c.request, c.raw] for c in calls])

    folder = runs.export_folder(session, runs.get(session, done.id), tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO((folder / "samples.csv").read_text())))
    assert {row["image"] for row in rows} == shown
    assert "[image shape_cards/" in (folder / "report.html").read_text() or not done.outcome["test"]["paired"]["fixed"]

    again = rejudging.parse(session, done, {"missing": "leave"}, settings=Settings(), gateway=GATEWAY, tools=Tools())
    assert count(session, again, gateway=GATEWAY, tools=Tools()).nothing, "the split is found again, pictures and all"


GATEWAY = Gateway(Settings(), {})


async def test_a_crash_at_some_writes_changes_nothing(
    database: Database, session: Session, loader: Loader, files: ImageFiles
) -> None:
    datasets.import_sample(session, SAMPLE, loader)
    run = training.start(session, spec_of(session, epochs=1, batch_size=8))
    kind = KINDS["train"]
    prepared = prepare(database, kind, run.spec, Tools())

    async def conduct(journal: Any, *, resumed: bool = False) -> Json:
        llm: Any = SimulatedLLM(0.0, files)
        return await engine(llm, journal, resumed=resumed).conduct(lambda run: kind.execute(run, prepared))

    undisturbed = MemoryRecord()
    counting = CrashingJournal(undisturbed.claim(), at=10**9, flushing=True)
    outcome = await conduct(counting)
    expected = json.dumps([outcome, [e[1:] for e in undisturbed.history]])
    for at in range(5, counting.writes, max(1, counting.writes // 8)):
        record = MemoryRecord()
        with pytest.raises((Crash, BaseExceptionGroup)):
            await conduct(CrashingJournal(record.claim(), at=at, flushing=True))
        ended = await conduct(record.claim(), resumed=True)
        assert json.dumps([ended, [e[1:] for e in record.history]]) == expected


def small(session: Session, loader: Loader, folder: Path, extra: str = "") -> Dataset:
    """Two dozen pictures of one colour each, and rows of one's own."""
    rows = ["image,input,answer"]
    for n in range(24):
        (folder / f"{n}.png").write_bytes(picture(colour=("red", "blue")[n % 2], size=(8 + n, 8)))
        rows.append(f"{n}.png,Which colour?,{('red', 'blue')[n % 2]}")
    text = "\n".join(rows) + "\n" + extra
    there = Loader(loader.files, loader.limits, Folder(folder))
    return datasets.import_file(session, io.BytesIO(text.encode()), "colours.csv", images=there)


def test_what_cannot_be_shown_is_said_before_and_is_one_record_each_after(
    database: Database, session: Session, loader: Loader, files: ImageFiles, tmp_path: Path
) -> None:
    made = small(session, loader, tmp_path, 'none.png,Which colour?,red\n"data:image/png;base64,AAAA",,blue\n')
    facts = made.report["images"]
    assert (facts["rows"], facts["loaded"], [one["row"] for one in facts["problems"]]) == (26, 24, [25, 26])
    assert made.rows == 26, "rows stay, also the one that has a picture and no text"
    blind = Settings(vision={"simulated/primary": False})
    spec = spec_of(session, blind, dataset="colours")
    notes = training.estimate(session, spec, gateway=Gateway(blind, {})).notes
    assert notes[:2] == (
        "2 of 26 images could not be loaded; these examples get no score.",
        "simulated/primary cannot see images: the 26 examples with one get no answer and no score.",
    )
    done = driven(database, session, spec, files)
    assert done.outcome["verdict"] == "indecisive"
    left = runs.unprocessed(session, done)
    assert {one.sample.error for one in left} >= {"simulated/primary cannot see images"}
    assert {(one.sample.outcome, one.sample.calls) for one in left} == {("provider_error", 0)}
    assert runs.totals(session, done.id).calls == 0

    seeing = driven(database, session, spec_of(session, dataset="colours", epochs=1, conflicts="allow"), files)
    errors = {one.sample.error for one in runs.unprocessed(session, seeing)}
    assert errors <= {
        "image could not be loaded: none.png cannot be read in the folder of the images: No such file or directory",
        "image could not be loaded: it is no JPEG, PNG, GIF, WebP or BMP image",
    }


def test_an_export_and_a_corrected_version_keep_the_pictures(session: Session, loader: Loader, tmp_path: Path) -> None:
    made = small(session, loader, tmp_path)
    text = "".join(datasets.export_csv(session, made))
    twin = datasets.import_file(
        session, io.BytesIO(text.encode()), "again.csv", images=Loader(loader.files, loader.limits, Folder(tmp_path))
    )
    assert twin.digest == made.digest
    labels.rule(session, made, 1, labels.Decision("correct", "scarlet", ""), most_chars=100)
    labels.rule(session, made, 2, labels.Decision("exclude", "", ""), most_chars=100)
    version = labels.make_version(session, made)
    pictures = datasets.pictures_of(session, version.id)
    assert sorted(pictures) == [1, *range(3, 25)]
    assert version.statistics["images"]["rows"] == 23
    assert pictures[1] == datasets.pictures_of(session, made.id)[1]


def test_prune_removes_images_that_no_example_has(
    database: Database, session: Session, loader: Loader, files: ImageFiles, tmp_path: Path
) -> None:
    small(session, loader, tmp_path)
    lonely, fresh = files.put(b"\xff\xd8\xff old", b"small"), files.put(b"\xff\xd8\xff new", b"small")
    long_ago = time.time() - LEFT_ALONE_S - 60
    for path in (tmp_path / "images").rglob("*"):
        if path.is_file() and fresh not in path.name:
            os.utime(path, (long_ago, long_ago))
    assert retention.prune(database, Retention(), dry_run=True, images=files).images == 2
    assert files.holds(lonely)
    assert retention.prune(database, Retention(), images=files).images == 2, "the image and its small one"
    assert (files.holds(lonely), files.holds(fresh)) == (False, True)
    assert all(files.holds(one.image.digest) for one in datasets.pictures_of(session, 1).values() if one.image)
    assert retention.prune(database, Retention(), images=files).images == 0


def test_a_column_of_images_can_be_left_alone(session: Session, loader: Loader) -> None:
    rows = b"image,input,answer\na.png,x,1\nb.png,y,2\n"
    plain = datasets.import_file(session, io.BytesIO(rows), "plain.csv", datasets.Columns(image="-"), images=loader)
    assert "images" not in plain.report
    (first, _) = datasets.examples(session, plain)
    assert (first.extra, first.image) == ({"image": "a.png"}, None)
    seen = datasets.preview(io.BytesIO(rows), "plain.csv")
    assert (seen.mapping and seen.mapping.image, seen.images) == ("image", {"file name": 2})
