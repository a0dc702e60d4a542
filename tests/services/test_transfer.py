"""A run goes to another installation and back, whole and never executed; damaged and hostile files are refused."""

from __future__ import annotations

import copy
import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import scorers
from app.services import benchmarks, comparison, documents, prompts, rejudging, runs, spending, transfer
from app.services.benchmarks import judgement
from app.services.benchmarks.results import results
from app.services.errors import Conflict, Invalid
from app.services.transfer.history import SPECS
from app.services.transfer.source import FolderSource, Limits, ZipSource
from app.store.models import CallRow, Dataset, Look, PromptVersion, Run, SpendingRow
from app.store.portable import TABLES
from tests.faults.kinds import drive_to_end, small
from tests.services.rejudge_world import GATEWAY, SETTINGS
from tests.services.transfer_world import changed, exported, packed

LIMITS = Limits(2**30)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An exported folder of each kind, all from one installation."""
    return exported(tmp_path_factory.mktemp("elsewhere"))


def record(folder: Path) -> dict[str, Any]:
    """The record of a folder as values."""
    found: dict[str, Any] = {"run.json": json.loads((folder / "record/run.json").read_text())}
    for name in ("dataset.jsonl", *TABLES):
        found[name] = [json.loads(line) for line in (folder / "record" / name).read_text().splitlines()]
    return found


def without_ids(found: dict[str, Any]) -> dict[str, Any]:
    """The record without what an import must renew."""
    found = copy.deepcopy(found)
    run = found["run.json"]
    spec, outcome = run["spec"], run["outcome"]
    run |= {"id": "", "origin": "", "prompt": ""}
    if "dataset" in spec:
        spec["dataset"]["id"] = ""
    if "strategy" in spec or "candidates" in spec:
        spec["prompt"] = ""
    if "source" in spec:
        spec["source"] |= {"run": "", "dataset": ""}
        outcome |= {"rejudged": "", "then": {**outcome["then"], "run": "", "dataset": ""}}
    return found


def take(session: Session, folder: Path, **options: Any) -> transfer.Imported:
    return transfer.import_run(session, FolderSource(folder), LIMITS, **options)


@pytest.mark.parametrize("kind", SPECS)
def test_there_and_back_everything_is_the_same_but_for_ids(
    kind: str, folders: dict[str, Path], session: Session, tmp_path: Path
) -> None:
    made = take(session, folders[kind])
    assert not made.already
    run = runs.get(session, made.run.id)
    before = record(folders[kind])
    assert (run.origin_id, run.kind, run.status) == (before["run.json"]["id"], kind, "done")
    assert run.imported_at is not None
    assert documents.run(run)["imported_at"]
    back = record(runs.export_folder(session, run, tmp_path / "back"))
    assert without_ids(back) == without_ids(before)
    assert back["run.json"]["id"] != before["run.json"]["id"]
    assert set(session.scalars(select(CallRow.cache_key))) <= {""}
    assert len(before["calls.jsonl"]) > 2


def test_what_people_said_of_a_benchmark_comes_along(folders: dict[str, Path], session: Session) -> None:
    run = take(session, folders["benchmark"]).run
    found = results(session, run)
    assert [(row.ranker, row.revision, row.blind) for row in found.rankings] == [("Ada", 2, True), ("Bo", 1, False)]
    assert [answer.mark for answer in found.answers].count("unacceptable") == 1
    assert judgement.summary(found).standing.mean_tau is not None
    assert run.dataset is not None
    assert benchmarks.as_form(run.spec)["dataset"] == run.dataset.name
    assert take(session, folders["try"]).run.dataset is None


def test_a_benchmark_without_a_dataset_travels_too(session: Session, tmp_path: Path) -> None:
    run_id = small("benchmark").queue(session, {"runs": 1})
    drive_to_end(session, run_id, small("benchmark").rule)
    session.expire_all()
    folder = runs.export_folder(session, runs.get(session, run_id), tmp_path / "out")
    made = take(session, folder, again=True).run
    assert (made.dataset, made.spec["dataset"]) == (None, {"id": None, "name": "", "digest": ""})
    assert without_ids(record(runs.export_folder(session, made, tmp_path / "back"))) == without_ids(record(folder))


@pytest.mark.parametrize(
    ("kind", "name", "old", "new", "told"),
    [
        ("benchmark", "rankings.jsonl", b'"case":"p1r1"', b'"case":"p9"', "'p9' is no prompt of this benchmark"),
        ("benchmark", "rankings.jsonl", b'"places":{"', b'"places":{"x', "is no config of this benchmark"),
        ("benchmark", "rankings.jsonl", b'"revision":2', b'"revision":0', "revision must be a whole number from 1"),
        ("benchmark", "marks.jsonl", b'"sample":"', b'"sample":"x', "sample is no answer of this run"),
        ("benchmark", "samples.jsonl", b'"case":"p1r1"', b'"case":"p9"', "'p9' is no prompt of this benchmark"),
        ("benchmark", "run.json", b'"scale":[1,10]', b'"scale":[10,1]', "must have the lower number first"),
        ("benchmark", "run.json", b'"label":"simulated/writer"', b'"label":"simulated/primary"', "same label twice"),
        ("try", "calls.jsonl", b'"key":"answer/0/', b'"key":"odd', "key must begin with answer/"),
        (
            "try",
            "looks.jsonl",
            b"",
            b'{"split":"test","candidate":"a","at":"2026-11-26T02:57:56+00:00"}\n',
            "no dataset",
        ),
        ("try", "dataset.jsonl", b"", b"{}\n", "the run has no dataset"),
        ("plan", "samples.jsonl", b'"split":"train"', b'"split":"review"', "the run is no benchmark"),
    ],
)
def test_what_does_not_belong_to_the_run_is_refused(
    folders: dict[str, Path], session: Session, kind: str, name: str, old: bytes, new: bytes, told: str
) -> None:
    content = (folders[kind] / "record" / name).read_bytes()
    assert old in content
    message = refused(session, changed(folders[kind], name, content.replace(old, new, 1)))
    assert message.startswith(f"record/{name}")
    assert told in message


def test_it_is_there_once_unless_it_is_asked_for_again(folders: dict[str, Path], session: Session) -> None:
    first = take(session, folders["train"])
    second = take(session, folders["train"])
    assert (second.already, second.run.id) == (True, first.run.id)
    third = take(session, folders["train"], again=True)
    assert (third.already, third.run.id != first.run.id) == (False, True)
    assert session.scalars(select(Dataset)).all() == [first.run.dataset]
    runs.delete(session, first.run.id)
    assert take(session, folders["train"]).run.id == third.run.id
    assert session.scalars(select(SpendingRow.run_id).distinct()).all() == [third.run.id]


def test_what_an_import_changes_here_and_what_not(folders: dict[str, Path], session: Session) -> None:
    prompts.create(session, "small", kind="pair", system_prompt="In use.")
    run = take(session, folders["train"]).run
    assert run.prompt is not None
    assert run.prompt.name == "small imported"
    assert prompts.head(prompts.get(session, "small")).system_prompt == "In use."
    proposals = [note for note in runs.notes(session, run.id) if note.name == "proposal"]
    kept = session.scalars(select(PromptVersion).where(PromptVersion.run_id == run.id)).all()
    assert {version.run_number for version in kept} >= {note.data["number"] for note in proposals}
    looks = session.scalars(select(Look).where(Look.run_id == run.id)).all()
    assert {look.dataset_id for look in looks} == {run.dataset_id}
    assert {look.split for look in looks} == {"validation", "test"}
    assert runs.bill(session, run).totals.calls == runs.totals(session, run.id).calls > 0
    assert spending.spending(session, days=10_000).simulated.totals.calls == 0
    columns = comparison.compare(session, comparison.sides(session, [f"{run.id}:0", run.id]), "test")
    assert columns[0].mean.n
    assert "Sealed test" in runs.report_html(session, run)


def test_an_imported_run_is_never_worked_on(folders: dict[str, Path], session: Session) -> None:
    run = take(session, folders["train"]).run
    run.status = "failed"
    session.commit()
    with pytest.raises(Conflict, match="imported from another installation"):
        runs.request_resume(session, run.id)
    run.status = "done"
    session.commit()
    world = {"settings": SETTINGS, "gateway": GATEWAY, "tools": scorers.NO_TOOLS}
    assert rejudging.parse(session, run, {"acceptance": "confidence"}, **world)
    with pytest.raises(Invalid, match="nothing is sent to the addresses"):
        rejudging.parse(session, run, {"missing": "buy"}, **world)


def test_a_judging_again_finds_its_training_here(folders: dict[str, Path], session: Session) -> None:
    source = record(folders["rejudge"])["run.json"]["spec"]["source"]["run"]
    alone = take(session, folders["rejudge"]).run
    assert alone.spec["source"]["run"] == source
    trained = take(session, folders["train"]).run
    if trained.origin_id == source:
        again = take(session, folders["rejudge"], again=True).run
        assert again.spec["source"]["run"] == again.outcome["rejudged"] == trained.id


def refused(session: Session, stream: io.BytesIO, limits: Limits = LIMITS) -> str:
    """The message of a refusal, after which nothing is stored."""
    with pytest.raises(Invalid) as error:
        transfer.import_run(session, ZipSource(stream), limits)
    assert session.scalars(select(Run)).all() == []
    assert session.scalars(select(Dataset)).all() == []
    assert {problem.field for problem in error.value.problems} == {"file"}
    return str(error.value.problems[0].message)


def test_the_download_is_the_folder(folders: dict[str, Path], session: Session, tmp_path: Path) -> None:
    made = transfer.import_run(session, ZipSource(packed(folders["plan"])), LIMITS).run
    stream = io.BytesIO(b"".join(runs.export_zip(session, made)))
    folder = runs.export_folder(session, made, tmp_path / "out")
    with zipfile.ZipFile(stream) as target:
        assert target.testzip() is None
        names = {name.removeprefix(f"{made.id}/") for name in target.namelist()}
        assert names == {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
        assert target.read(f"{made.id}/record/manifest.json") == (folder / "record/manifest.json").read_bytes()


def test_a_file_that_is_cut_off_or_changed_is_refused_with_its_place(
    folders: dict[str, Path], session: Session
) -> None:
    folder = folders["train"]
    stream = packed(folder).getvalue()
    for size in (0, 10, len(stream) // 2, len(stream) - 30):
        with pytest.raises(Invalid, match="no ZIP file"):
            ZipSource(io.BytesIO(stream[:size]))
    samples = (folder / "record/samples.jsonl").read_bytes()
    cut = samples[: len(samples) // 2]
    assert "record/samples.jsonl: has" in refused(session, packed(folder, **{"record/samples.jsonl": cut}))
    other = samples.replace(b'"repeat":0', b'"repeat":1', 1)
    assert "is not what the manifest says" in refused(session, packed(folder, **{"record/samples.jsonl": other}))
    assert "is not there" in refused(session, packed(folder, **{"record/calls.jsonl": None}))
    assert "record/manifest.json" in str(_error(packed(folder, **{"record/manifest.json": None})))
    flipped = bytearray(stream)
    flipped[stream.index(samples[:40]) + 5 if samples[:40] in stream else len(stream) // 3] ^= 0xFF
    with pytest.raises(Invalid):
        transfer.import_run(session, ZipSource(io.BytesIO(bytes(flipped))), LIMITS)
    assert session.scalars(select(Run)).all() == []


def _error(stream: io.BytesIO) -> Exception:
    with pytest.raises(Invalid) as error:
        ZipSource(stream)
    return error.value


def entry(name: str, content: bytes = b"x", *, mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """A ZIP file of one odd entry."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        about = zipfile.ZipInfo(name)
        about.external_attr, about.compress_type = mode << 16, method
        target.writestr(about, content)
    return stream


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        (entry("/etc/passwd"), "leads out of the folder"),
        (entry("a/../../record/manifest.json"), "leads out of the folder"),
        (entry("a\\..\\b"), "leads out of the folder"),
        (entry("r/record/run.json", mode=stat.S_IFLNK | 0o777), "is a link"),
        (entry("r/record/run.json", method=zipfile.ZIP_LZMA), "packed in a way"),
        (entry("r/spec.json"), "is not in the ZIP file"),
        (io.BytesIO(b"not a zip"), "no ZIP file"),
    ],
    ids=["absolute", "up", "backslash", "link", "method", "nothing", "no zip"],
)
def test_hostile_archives_are_refused(stream: io.BytesIO, told: str) -> None:
    assert told in str(_error(stream))


def test_a_bomb_is_refused_before_it_is_unpacked(folders: dict[str, Path], session: Session) -> None:
    zeros = b"0" * 5_000_000
    stream = io.BytesIO()
    whole = changed(folders["plan"], "calls.jsonl", zeros)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    assert len(stream.getvalue()) < 1_000_000
    assert "uploads.max_unpacked_mb allows 1" in refused(session, stream, Limits(2**20))
    assert "record/calls.jsonl, line 1" in refused(session, stream)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("manifest.json", b"whetstone-run/1", b"whetstone-run/9", "this release reads 'whetstone-run/1'"),
        ("run.json", b'"kind":"plan"', b'"kind":"odd"', "runs of the kind 'odd' cannot be imported"),
        ("run.json", b'"status":"done"', b'"status":"well"', "status must be one of"),
        ("run.json", b'"simulated":true', b'"simulated":1', "simulated must be true or false"),
        ("samples.jsonl", b'"repeat":0', b'"repeat":"0"', "line 1: repeat must be a whole number"),
        ("samples.jsonl", b'"repeat":0', b'"repeat":1e999', "line 1: holds a number that is too large"),
        ("samples.jsonl", b'"repeat":0', b'"repeat":99999999999', "line 1: repeat must be a whole number"),
        ("samples.jsonl", b'"repeat":0', b'"repeat":0,"more":1', "line 1: has an unknown key 'more'"),
        ("samples.jsonl", b"{", b"", "line 1: is not JSON"),
        ("calls.jsonl", b'"sent_at":"20', b'"sent_at":"99', "sent_at must be a moment"),
        ("calls.jsonl", b'"raw":', b'"raw":' + b"[" * 500 + b"]" * 500 + b',"x":', "nested too deeply"),
        ("dataset.jsonl", b'"input":"', b'"input":"x', "its rows are not those of the run's dataset"),
        ("events.jsonl", b'"data":{', b'"data":[{', "record/events.jsonl, line 1"),
    ],
)
def test_what_does_not_fit_is_named_with_file_and_line(
    folders: dict[str, Path], session: Session, name: str, old: bytes, new: bytes, told: str
) -> None:
    folder = folders["plan"]
    content = (folder / "record" / name).read_bytes()
    assert old in content
    content = content.replace(old, new, 1)
    stream = (
        packed(folder, **{f"record/{name}": content}) if name == "manifest.json" else changed(folder, name, content)
    )
    message = refused(session, stream)
    assert told in message
    assert message.startswith(f"record/{name}")


def test_rows_that_contradict_each_other_are_refused(folders: dict[str, Path], session: Session) -> None:
    samples = (folders["plan"] / "record/samples.jsonl").read_bytes()
    twice = samples + samples.splitlines(keepends=True)[0]
    assert "stood in an earlier line already" in refused(session, changed(folders["plan"], "samples.jsonl", twice))
    looks = (folders["train"] / "record/looks.jsonl").read_bytes()
    assert "cannot both be true" in refused(session, changed(folders["train"], "looks.jsonl", looks + looks))


def test_links_in_a_folder_are_not_followed(folders: dict[str, Path], tmp_path: Path) -> None:
    place = tmp_path / "run"
    place.mkdir()
    (place / "record").symlink_to(folders["plan"] / "record")
    with pytest.raises(Invalid, match="is a link"):
        FolderSource(place)
    with pytest.raises(Invalid, match="no folder"):
        FolderSource(tmp_path / "gone")


def test_a_run_that_had_not_ended_ends_here(folders: dict[str, Path], session: Session) -> None:
    content = (folders["plan"] / "record/run.json").read_bytes()
    content = content.replace(b'"status":"done"', b'"status":"running"', 1)
    made = transfer.import_run(session, ZipSource(changed(folders["plan"], "run.json", content)), LIMITS).run
    assert (made.status, "is not continued" in made.reason) == ("cancelled", True)
    assert made.ended_at is not None


def test_progress_is_told(folders: dict[str, Path], session: Session, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    made = take(session, folders["train"], tell=lambda done, whole: told.append((done, whole)))
    assert told == sorted(told)
    assert told[-1][0] <= told[-1][1]
    rows: list[tuple[int, int]] = []
    runs.export_folder(session, made.run, tmp_path / "out", tell=lambda done, whole: rows.append((done, whole)))
    assert rows == sorted(rows)
    assert rows[-1][0] == rows[-1][1] > 0
