"""The corrected version of a dataset: a new dataset made from the rulings, while the old one stays as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core.datasets import Statistics
from app.core.pictures import marked as told_apart
from app.core.pictures import picture_of
from app.ports.llm import Json
from app.services.datasets.library import LONGEST_NAME
from app.services.errors import Conflict
from app.services.labels.difference import touched
from app.services.labels.rulings import rulings_of
from app.services.pictures import figures
from app.store.examples import NewExample, add_examples
from app.store.models import Dataset, Example, Ruling

BATCH = 1000

_Changes = dict[int, str | None]
"""By row: the new answer, or None for a row that is excluded."""


@dataclass(frozen=True)
class _Whole:
    """What a version will be."""

    changes: _Changes
    digest: str
    statistics: Mapping[str, Json]


def make_version(session: Session, dataset: Dataset) -> Dataset:
    """The next version of the dataset: what was ruled wrong is corrected, what was excluded is gone; row numbers stay.

    The same rulings again give the version that they made before. Commits. Raises: Conflict when there is nothing to change,
    or nothing would be left.
    """
    whole = _gather(session, dataset)
    session.commit()  # ends the reading: others may write until the version is stored
    try:
        root = lock(session, dataset)
        if whole.changes != _changes(rulings_of(session, dataset)):
            whole = _gather(session, dataset)  # somebody ruled meanwhile
        known = versions(session, dataset)
        twin = next((v for v in known if v.parent_id == dataset.id and v.digest == whole.digest), None)
        made = twin or _store(session, dataset, root, whole)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    return made


def versions(session: Session, dataset: Dataset) -> list[Dataset]:
    """All versions that are not deleted, this one included, the oldest first."""
    root = dataset.root_id or dataset.id
    query = select(Dataset).where(or_(Dataset.id == root, Dataset.root_id == root), Dataset.deleted_at.is_(None))
    return list(session.scalars(query.order_by(Dataset.version, Dataset.id)))


def parent(session: Session, dataset: Dataset) -> Dataset | None:
    """The version that this one was corrected from, deleted or not; None for a first version, or when it is gone."""
    return session.get(Dataset, dataset.parent_id) if dataset.parent_id else None


def lock(session: Session, dataset: Dataset) -> Dataset:
    """The first version, which nobody else makes versions of meanwhile; the dataset itself when that one is gone for good."""
    both = select(Dataset).where(Dataset.id.in_({dataset.root_id or dataset.id, dataset.id}))
    return session.scalars(both.order_by(Dataset.id).with_for_update()).all()[0]


def _changes(rulings: Mapping[int, Ruling]) -> _Changes:
    return {row: one.reference for row, one in rulings.items() if one.ruling in ("correct", "exclude")}


def _gather(session: Session, dataset: Dataset) -> _Whole:
    changes = _changes(rulings_of(session, dataset))
    if not changes:
        raise Conflict(f"nothing of {dataset.name} is corrected or excluded, so there is no new version to make")
    digest, statistics = tallied(dataset, batches(session, dataset, changes))
    if not statistics["rows"]:
        raise Conflict(f"every row of {dataset.name} is excluded; a version needs at least one")
    return _Whole(changes, digest, statistics)


def tallied(dataset: Dataset, rows: Iterable[Sequence[NewExample]]) -> tuple[str, dict[str, Json]]:
    """Digest and statistics of a new version. dataset: the one that it is made from."""
    counted, marked = Statistics(), hashlib.sha256()
    shown: dict[int, Json] = {}
    for batch in rows:
        for row, text, answer, _, image in batch:
            picture = picture_of(image)
            if image:
                shown[row] = image
            counted.add(row, text, answer, told_apart(text, picture))
            for data in (text.encode(), answer.encode(), *([picture.mark.encode()] if picture else [])):
                marked.update(len(data).to_bytes(8, "big") + data)
    statistics = counted.as_json()
    if "images" in dataset.statistics:
        statistics["images"] = figures(shown)
    return marked.hexdigest(), statistics


def batches(session: Session, dataset: Dataset, changes: _Changes) -> Iterator[list[NewExample]]:
    """The rows of the new version, many at a time."""
    columns = (Example.row, Example.input, Example.reference, Example.extra, Example.image)
    after = 0
    while True:
        query = select(*columns).where(Example.dataset_id == dataset.id, Example.row > after).order_by(Example.row)
        found = session.execute(query.limit(BATCH)).all()
        if not found:
            return
        after = found[-1].row
        new = ((one, changes.get(one.row, one.reference)) for one in found)
        yield [(one.row, one.input, answer, one.extra, one.image) for one, answer in new if answer is not None]


def _store(session: Session, dataset: Dataset, root: Dataset, whole: _Whole) -> Dataset:
    version, name = free_name(session, dataset, root)
    made = Dataset(
        name=name,
        digest=whole.digest,
        source=dataset.source,
        rows=whole.statistics["rows"],
        report=_report(dataset, whole),
        statistics=whole.statistics,
        root_id=dataset.root_id or dataset.id,
        parent_id=dataset.id,
        version=version,
    )
    session.add(made)
    session.flush()
    for batch in batches(session, dataset, whole.changes):
        add_examples(session, made.id, batch)
    _carry_over(session, dataset, made)
    return made


def free_name(session: Session, dataset: Dataset, root: Dataset) -> tuple[int, str]:
    """The next number after every version there ever was, and a name that is free."""
    first = dataset.root_id or dataset.id
    query = select(Dataset.version).where(or_(Dataset.id == first, Dataset.root_id == first))
    version = 1 + max(session.scalars(query))
    known_by_root = root.id == first and not root.deleted_at
    base = root.name if known_by_root else dataset.name.removesuffix(f" v{dataset.version}")
    while True:
        ending = f" v{version}"
        name = base[: LONGEST_NAME - len(ending)] + ending
        if session.scalars(select(Dataset.id).where(Dataset.name == name)).first() is None:
            return version, name
        version += 1  # somebody's own dataset is called so


def _report(dataset: Dataset, whole: _Whole) -> Json:
    """How the file was read, and what was changed since."""
    rows: dict[str, list[int]] = {"corrected": [], "excluded": []} | {
        "touched": sorted(touched(dataset) | set(whole.changes))
    }
    for row, answer in whole.changes.items():
        rows["excluded" if answer is None else "corrected"].append(row)
    about = {"dataset": dataset.id, "name": dataset.name, "version": dataset.version}
    return dataset.report | {"made_from": about | rows}


def _carry_over(session: Session, dataset: Dataset, made: Dataset) -> None:
    """What a person has looked at once is not put before them again: corrected and kept rows count as kept."""
    for row, one in rulings_of(session, dataset).items():
        if one.ruling != "exclude":
            note = one.note or f"{'corrected' if one.ruling == 'correct' else 'kept'} in version {dataset.version}"
            session.add(Ruling(dataset_id=made.id, row=row, ruling="keep", note=note))
    session.flush()
