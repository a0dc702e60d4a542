"""Exported runs of every kind, packed, and changed in one place or another."""

from __future__ import annotations

import copy
import csv
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.services import datasets, runs
from app.services.benchmarks import ballots
from app.services.benchmarks.ballots import Ballot
from app.services.benchmarks.results import results
from app.services.pictures import Loader
from app.services.transfer.history import SPECS
from app.store.database import Database
from tests.faults.kinds import dataset, drive_to_end, small
from tests.services.pictures.drawn import data_url, picture

RED, BLUE = picture(colour="red"), picture(colour="blue", size=(5, 4))


def exported(place: Path) -> dict[str, Path]:
    """An exported folder of each kind, all from one installation."""
    found = {}
    with Database(f"sqlite:///{place}/app.db") as database:
        database.upgrade()
        with database.session() as session:
            for kind in SPECS:
                run_id = small(kind).queue(session, _changes(session, kind))
                drive_to_end(session, run_id, small(kind).rule)
                session.expire_all()
                if kind == "benchmark":
                    judge(session, run_id)
                found[kind] = runs.export_folder(session, runs.get(session, run_id), place / "out")
    return found


def _changes(session: Session, kind: str) -> dict[str, Any]:
    if kind == "try":
        return {}
    if kind == "benchmark":
        return {"jsonl": "", "text": "Answer: {{input}}", "dataset": dataset(session), "rows": 2}
    return {"epochs": 2}


def judge(session: Session, run_id: str) -> None:
    """Two people rank the answers to a benchmark's first prompt, one of them twice; and one answer is marked."""
    run = runs.get(session, run_id)
    found = results(session, run)
    place = min(found.by_place)
    order = {config: at for at, config in enumerate(sorted(found.rivals(place)), start=1)}
    for ranker, revision in (("Ada", 0), ("Ada", 1), ("Bo", 0)):
        ballots.save(session, found, Ballot(place, ranker, order, "So it is.", 2.5, ranker == "Ada", revision))
    ballots.mark(session, run, found.answers[0].key, "unacceptable", by="Ada")


def exported_with_images(place: Path, images: Loader) -> Path:
    """An exported run on four rows, two with the same image, one with a broken one."""
    with Database(f"sqlite:///{place}/there.db") as database:
        database.upgrade()
        with database.session() as session:
            text = io.StringIO()
            shown = (data_url(RED), data_url(BLUE), data_url(RED), data_url(b"junk"))
            rows = [(f"What is it, {number}?", "a card", one) for number, one in enumerate(shown)]
            csv.writer(text).writerows([("input", "answer", "image"), *rows])
            datasets.import_file(session, io.BytesIO(text.getvalue().encode()), "cards.csv", images=images)
            form = {"jsonl": "", "text": "Say: {{input}}", "dataset": "cards"}
            run_id = small("benchmark").queue(session, form)
            return runs.export_folder(session, runs.get(session, run_id), place / "out", images=images.files)


def packed(folder: Path, **changes: bytes | None) -> io.BytesIO:
    """The folder as a ZIP file, with some entries changed, added or (None) left out."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for file in sorted(folder.rglob("*")):
            name = f"{folder.name}/{file.relative_to(folder)}"
            if file.is_file() and str(file.relative_to(folder)) not in changes:
                target.write(file, name)
        for name, content in changes.items():
            if content is not None:
                target.writestr(f"{folder.name}/{name}", content)
    return stream


def changed(folder: Path, name: str, content: bytes) -> io.BytesIO:
    """The folder with one file of the record replaced, and a manifest that says so."""
    manifest = json.loads((folder / "record/manifest.json").read_text())
    manifest["files"][name] = {
        "bytes": len(content),
        "lines": content.count(b"\n"),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return packed(folder, **{f"record/{name}": content, "record/manifest.json": json.dumps(manifest).encode()})


JUNK: tuple[Any, ...] = ("junk", -1, 1.5, None, [], {}, True, [{}], {"a": 1}, "<b>", 10**18)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))


def mutated(value: Any, path: tuple[Any, ...], junk: Any, drop: bool) -> Any:
    """The value with one place replaced by junk, or left out."""
    changed_ = copy.deepcopy(value)
    inner = changed_
    for key in path[:-1]:
        inner = inner[key]
    if drop and isinstance(inner, dict):
        del inner[path[-1]]
    else:
        inner[path[-1]] = junk
    return changed_


def mutations(folder: Path, number: int, seed: int) -> Iterator[tuple[str, io.BytesIO]]:
    """The folder with one place of its run, its events or its judgements changed, and a manifest that fits; many times."""
    dice = random.Random(seed)
    run = json.loads((folder / "record/run.json").read_text())
    events = [json.loads(line) for line in (folder / "record/events.jsonl").read_text().splitlines()]
    shown = [n for n, one in enumerate(events) if one["note"] is not None or one["name"] in ("progress", "status")]
    judged = [name for name in ("rankings.jsonl", "marks.jsonl") if (folder / "record" / name).stat().st_size]
    for _ in range(number):
        junk, drop = dice.choice(JUNK), dice.random() < 0.2
        if judged and dice.random() < 0.2:
            name = dice.choice(judged)
            first, *rest = (folder / "record" / name).read_text().splitlines()
            path = dice.choice(list(leaves(json.loads(first))))
            lines = [json.dumps(mutated(json.loads(first), path, junk, drop)), *rest]
            yield f"{name} {path} {junk!r} {drop}", changed(folder, name, ("\n".join(lines) + "\n").encode())
        elif dice.random() < 0.5:
            part = dice.choice(("spec", "outcome"))
            path = (part, *dice.choice(list(leaves(run[part]))))
            yield (
                f"{path} {junk!r} {drop}",
                changed(folder, "run.json", json.dumps(mutated(run, path, junk, drop)).encode() + b"\n"),
            )
        else:
            at = dice.choice(shown)
            path = ("data", *dice.choice(list(leaves(events[at]["data"])) or [("x",)]))
            lines = [*events[:at], mutated(events[at], path, junk, drop), *events[at + 1 :]]
            content = "".join(json.dumps(one) + "\n" for one in lines).encode()
            yield f"{events[at]['name']} {path} {junk!r} {drop}", changed(folder, "events.jsonl", content)
