"""The second reading of a record: its rows go into the database in one transaction, under new ids. Nothing is executed."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator, Mapping
from itertools import islice

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.storable import storable_json
from app.ports.llm import Json
from app.services import pictures, prompts
from app.services.pictures import Loader
from app.services.runs.record import notes
from app.services.transfer.checking import DATASET, Checked, Tell, parsed
from app.services.transfer.images import read
from app.services.transfer.rows import EXAMPLE_SHAPE, ROWS
from app.services.transfer.shapes import as_moment
from app.services.transfer.source import RECORD, Lines, Source, refuse
from app.store.examples import add_examples
from app.store.models import Dataset, Example, Look, Prompt, Run
from app.store.portable import TABLES, add_rows
from app.store.types import utc_now

BATCH = 500
"""Rows that are written at once."""
ENDED = ("done", "cancelled", "failed")
MOMENTS = ("at", "sent_at", "settled_at", "created_at", "saved_at")
NOT_OVER = "It had not ended when it was exported; an imported run is not continued."
LONGEST_NAME = 200


def store(
    session: Session, source: Source, checked: Checked, tell: Tell | None = None, loader: Loader | None = None
) -> Run:
    """Everything that was checked, committed. Raises: Invalid when the rows contradict each other; nothing is stored then.

    Images are stored before the rows that name them: an import that fails leaves at most images that nothing uses.
    """
    try:
        return _Store(session, source, checked, tell, loader).go()
    except IntegrityError:
        session.rollback()
        raise refuse(RECORD, "holds two rows that cannot both be true") from None
    except BaseException:
        session.rollback()
        raise


class _Store:
    """One import under way."""

    def __init__(
        self, session: Session, source: Source, checked: Checked, tell: Tell | None, loader: Loader | None
    ) -> None:
        self._session, self._source, self._checked, self._tell = session, source, checked, tell
        self._loader = loader
        self._read = checked.bytes

    def go(self) -> Run:
        """The run with everything that belongs to it."""
        dataset = self._dataset() if self._checked.dataset else None
        run = self._run(dataset)
        self._session.add(run)
        self._session.flush()
        for name, model in TABLES.items():
            more = {"dataset_id": dataset.root_id or dataset.id} if dataset and model is Look else {}
            for rows in self._batches(name):
                add_rows(self._session, model, run.id, rows, **more)
        prompts.adopt(self._session, run, notes(self._session, run.id))
        self._session.commit()
        return run

    def _run(self, dataset: Dataset | None) -> Run:
        about, origin = self._checked.run, self._checked.run["origin"] or self._checked.run["id"]
        over = about["status"] in ENDED
        moments = {
            name: as_moment(about[name], name) if about[name] else None
            for name in ("created_at", "started_at", "ended_at", "calls_pruned_at")
        }
        if not over:
            moments["ended_at"] = moments["ended_at"] or self._last_moment(moments)
        spec = renewed(self._session, about, dataset)
        prompt = self._prompt(spec)
        return Run(
            id=secrets.token_hex(5),
            kind=about["kind"],
            name=about["name"],
            status=about["status"] if over else "cancelled",
            reason=about["reason"] if over else f"{about['reason']} {NOT_OVER}".strip(),
            spec=spec,
            simulated=about["simulated"],
            dataset_id=dataset.id if dataset else None,
            prompt=prompt,
            cloned_from=_local_run(self._session, about["cloned_from"]) if about["cloned_from"] else None,
            outcome=storable_json(_outcome(self._session, about)),
            spent=about["spent"],
            fence=1,
            origin_id=origin,
            imported_at=utc_now(),
            **moments,
        )

    def _last_moment(self, moments: dict[str, dt.datetime | None]) -> dt.datetime | None:
        return moments["started_at"] or moments["created_at"]

    def _prompt(self, spec: Json) -> Prompt | None:
        """A prompt of its own for the run's versions: an import moves nothing that an application may be using.

        None for a run that makes no versions.
        """
        if not self._checked.run["prompt"] or "system_prompt" not in spec:
            return None
        name = prompts.free_name(self._session, f"{self._checked.run['prompt'][:150]} imported")
        spec["prompt"] = name
        texts = prompts.Words(system_prompt=spec["system_prompt"], output_prompt=spec["output_prompt"])
        if not "".join(texts.values()).strip():  # type: ignore[arg-type]
            return None
        return prompts.unsaved(name, texts, description="Came with an imported run.", author="import")

    def _dataset(self) -> Dataset:
        """The dataset of the same content that is here, else a new one."""
        about = self._checked.dataset
        same = (
            select(Dataset).where(Dataset.digest == about["digest"], Dataset.deleted_at.is_(None)).order_by(Dataset.id)
        )
        for known in self._session.scalars(same):
            if self._rows_of(known) == self._checked.rows:
                self._skip()
                return known
        dataset = Dataset(
            name=_free_name(self._session, about["name"]),
            digest=about["digest"],
            source=about["source"],
            rows=len(self._checked.rows),
            report=_complete(about["report"], len(self._checked.rows), self._checked.images),
            statistics=self._checked.statistics,
        )
        self._session.add(dataset)
        self._session.flush()
        self._store_images()
        lines = self._lines(DATASET)
        next(lines)
        while batch := list(islice(lines, BATCH)):
            rows = [parsed(line, EXAMPLE_SHAPE, place) for place, line in batch]
            values = [
                (row["row"], row["input"], row["reference"], row["extra"], storable_json(row.get("image")))
                for row in rows
            ]
            add_examples(self._session, dataset.id, values)
        return dataset

    def _store_images(self) -> None:
        digests = {one["digest"] for one in self._checked.images.values() if "problem" not in one}
        if self._loader:
            for digest in sorted(digests):
                image = read(self._source, self._loader, digest)
                self._loader.files.put(image.content, image.small)

    def _rows_of(self, dataset: Dataset) -> list[int]:
        query = select(Example.row).where(Example.dataset_id == dataset.id).order_by(Example.row)
        return list(self._session.scalars(query))

    def _skip(self) -> None:
        for _ in self._lines(DATASET):
            pass

    def _batches(self, name: str) -> Iterator[list[Json]]:
        if name not in self._checked.files:
            return
        lines, shape = self._lines(name), ROWS[name]
        while batch := list(islice(lines, BATCH)):
            yield [_as_row(parsed(line, shape, place), place) for place, line in batch]

    def _lines(self, name: str) -> Iterator[tuple[str, bytes]]:
        lines = Lines(self._source, f"{RECORD}/{name}")
        for number, line in lines:
            if self._tell and number % BATCH == 0:
                self._tell(self._read + lines.size, 2 * self._checked.bytes)
            yield f"{RECORD}/{name}, line {number}", line
        self._read += lines.size


def _as_row(row: Json, place: str) -> Json:
    """With moments as such, and clean of what databases cannot hold."""
    clean = storable_json(row)
    moments = {name: as_moment(clean[name], place) for name in MOMENTS if clean.get(name)}
    return {**clean, **moments}


def renewed(session: Session, about: Json, dataset: Dataset | None) -> dict[str, Json]:
    """The specification with the ids of this installation: of the dataset, and of the run that was judged again."""
    spec: dict[str, Json] = storable_json(about["spec"])
    if dataset:
        spec["dataset"] = spec["dataset"] | {"id": dataset.id, "name": dataset.name}
    elif "dataset" in spec:
        spec["dataset"] = spec["dataset"] | {"id": None}
    if dataset and "form" in spec:
        spec["form"] = spec["form"] | {"dataset": dataset.name}
    for role in ("primary", "optimizer", "judge"):
        if spec.get(role):
            spec[role] = _unbound(spec[role])
    for several in ("models", "configs"):
        if several in spec:
            spec[several] = [_unbound(one) for one in spec[several]]
    if dataset and (source := spec.get("source")):
        then = source["dataset"]
        own = select(Dataset.id).where(Dataset.digest == then["digest"]).order_by(Dataset.id).limit(1)
        known = dataset.id if then["digest"] == dataset.digest else session.scalar(own)
        told = {"run": _local_run(session, source["run"]), "dataset": then | {"id": known or 0}}
        spec["source"] = source | told
    return spec


def _unbound(model: Json) -> Json:
    """A pinned model without the id of its config: one of this name may say something else here."""
    if not model.get("config"):
        return model
    return model | {"config": {key: model["config"][key] for key in ("name", "revision")}}


def _outcome(session: Session, about: Json) -> Json:
    """Its outcome; of a re-judging with the training's name here."""
    outcome = about["outcome"]
    if not outcome or "rejudged" not in outcome:
        return outcome
    here = _local_run(session, outcome["rejudged"])
    return outcome | {"rejudged": here, "then": outcome["then"] | {"run": here}}


def _local_run(session: Session, run_id: str) -> str:
    """What a run of elsewhere is called here: as the newest import of it, else by its own id."""
    imported = select(Run.id).where(Run.origin_id == run_id, Run.deleted_at.is_(None)).order_by(Run.imported_at.desc())
    return session.scalars(imported.limit(1)).first() or run_id


def _complete(report: Json, rows: int, images: Mapping[int, Json]) -> Json:
    """How the dataset was read when it was imported first; what its page needs is always there."""
    column = (report.get("images") or {}).get("column", "image")
    report = {name: value for name, value in report.items() if name != "images"}
    report |= {"images": pictures.report(column, images)} if images else {}
    needed = {"format": "record", "encoding": "utf-8", "delimiter": "", "rows": rows, "kept": rows, "dropped_total": 0}
    return needed | {"reasons": {}, "dropped": [], "notes": [], "columns": []} | storable_json(report)


def _free_name(session: Session, name: str) -> str:
    """The dataset's name, with a number when another one has it."""
    base = name[: LONGEST_NAME - 20]
    taken = set(session.scalars(select(Dataset.name).where(Dataset.name.startswith(base, autoescape=True))))
    numbers = (f"{base} (imported {number})" for number in range(1, len(taken) + 2))
    return next(one for one in (name, *numbers) if one not in taken)
