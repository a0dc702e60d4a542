"""The images of a run's dataset go along, each once, and come in like an upload: checked, or refused in words."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.ports.llm import Json
from app.services import runs, transfer
from app.services.errors import Invalid
from app.services.pictures import Loader
from app.services.transfer import FolderSource, Limits, ZipSource
from app.store.models import Dataset, Example, Run
from tests.services.pictures.drawn import loader, picture
from tests.services.transfer_world import BLUE, RED, changed, exported_with_images, packed

LIMITS = Limits(2**30)
FILM = picture("GIF")


@pytest.fixture
def there(tmp_path: Path) -> Loader:
    return loader(tmp_path / "there")


@pytest.fixture
def here(tmp_path: Path) -> Loader:
    return loader(tmp_path / "here")


@pytest.fixture
def folder(tmp_path: Path, there: Loader) -> Path:
    """An exported run on four rows, two with the same image, one with a broken one."""
    return exported_with_images(tmp_path, there)


def rows_of(folder: Path) -> list[Json]:
    return [json.loads(line) for line in (folder / "record/dataset.jsonl").read_text().splitlines()]


def test_images_travel_once_each_and_are_the_same_there(
    folder: Path, session: Session, there: Loader, here: Loader, tmp_path: Path
) -> None:
    names = {file.name for file in (folder / "record/images").iterdir()}
    assert names == {hashlib.sha256(content).hexdigest() for content in (RED, BLUE)}
    run = transfer.import_run(session, FolderSource(folder), LIMITS, images=here).run
    assert run.dataset is not None
    assert {here.files.read(name) for name in names} == {RED, BLUE}
    assert here.files.read_small(min(names)) == there.files.read_small(min(names))
    stored = session.scalars(select(Example.image).order_by(Example.row)).all()
    assert stored == [row["image"] for row in rows_of(folder)[1:]]
    assert "no JPEG" in stored[3]["problem"]
    assert run.dataset.statistics["images"] == {"rows": 4, "loaded": 3, "tokens_mean": 85.0}
    assert run.dataset.report["images"]["problems"] == [{"row": 4, "reason": stored[3]["problem"]}]
    assert rows_of(runs.export_folder(session, run, tmp_path / "back", images=here.files)) == rows_of(folder)
    with zipfile.ZipFile(io.BytesIO(b"".join(runs.export_zip(session, run, here.files)))) as file:
        assert {file.read(f"{run.id}/record/images/{name}") for name in names} == {RED, BLUE}
    again = transfer.import_run(session, FolderSource(folder), LIMITS, again=True, images=here).run
    assert again.dataset_id == run.dataset_id


def refused(session: Session, stream: io.BytesIO, images: Loader | None, limits: Limits = LIMITS) -> str:
    with pytest.raises(Invalid) as error:
        transfer.import_run(session, ZipSource(stream), limits, images=images)
    assert session.scalars(select(Run.id)).all() == session.scalars(select(Dataset.id)).all() == []
    return str(error.value.problems[0].message)


def renamed(folder: Path, change: Callable[[Any], None]) -> bytes:
    """The dataset's lines with the image of the first row changed."""
    lines = rows_of(folder)
    change(lines[1]["image"])
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def test_an_image_that_is_missing_or_does_not_fit_is_refused(folder: Path, session: Session, here: Loader) -> None:
    name = f"record/images/{hashlib.sha256(RED).hexdigest()}"
    assert refused(session, packed(folder, **{name: None}), here) == f"{name}: is not there"
    for content in (BLUE, RED[:-9]):
        assert "is not the image that its name says" in refused(session, packed(folder, **{name: content}), here)
    tiny = Loader(here.files, here.limits.model_copy(update={"max_mb": 1e-6}))
    assert "is larger than 1 bytes" in refused(session, packed(folder), tiny)
    assert "images.max_count" in refused(
        session, packed(folder), Loader(here.files, here.limits.model_copy(update={"max_count": 2}))
    )
    assert "images are not kept here" in refused(session, packed(folder), None)
    files = json.loads((folder / "record/manifest.json").read_text())["files"]
    size = sum(one["bytes"] for one in files.values())
    assert "uploads.max_unpacked_mb" in refused(session, packed(folder), here, Limits(size))
    for content, told in ((b"junk", "it is no JPEG, PNG"), (FILM, "is no image as they are kept (GIF, kept as PNG)")):
        digest = hashlib.sha256(content).hexdigest()
        lines = renamed(folder, lambda image, digest=digest: image.update(digest=digest))  # type: ignore[misc]
        stream = changed(folder, "dataset.jsonl", lines)
        with zipfile.ZipFile(stream, "a") as file:
            file.writestr(f"{folder.name}/record/images/{digest}", content)
        assert told in refused(session, stream, here)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"width": 9}, "image.width is 9; the image has 8"),
        ({"media_type": "image/jpeg"}, "image.media_type is 'image/jpeg'; the image has 'image/png'"),
        ({"digest": "../" * 21 + "x"}, "image.digest must be a SHA-256 digest"),
        ({"media_type": "text/html"}, "image.media_type must be one of"),
        ({"problem": "gone"}, "image has an unknown key 'digest'"),
        ({"more": 1}, "has an unknown key 'more'"),
    ],
)
def test_what_a_row_says_of_its_image_must_be_so(
    folder: Path, session: Session, here: Loader, changes: Json, told: str
) -> None:
    lines = renamed(folder, lambda image: image.update(changes))
    message = refused(session, changed(folder, "dataset.jsonl", lines), here)
    assert message.startswith("record/dataset.jsonl, line 2")
    assert told in message


def test_links_among_images_are_not_followed(folder: Path, session: Session, here: Loader, tmp_path: Path) -> None:
    (folder / "record/images").rename(tmp_path / "elsewhere")
    (folder / "record/images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Invalid, match="record/images: is a link"):
        transfer.import_run(session, FolderSource(folder), LIMITS, images=here)
