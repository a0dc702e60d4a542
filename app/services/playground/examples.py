"""An input with the answer that somebody liked becomes an example: in a new dataset, or in the next version of one."""

from __future__ import annotations

import csv
import io

from sqlalchemy.orm import Session

from app.core.storable import storable
from app.services import datasets, labels
from app.services.errors import Invalid, NotFound, Problem
from app.store.models import Dataset


def save_example(session: Session, name: str, *, text: str, answer: str) -> Dataset:
    """The dataset with the example at its end; one that is there stays as it is and gets a new version. Commits.

    name: of a dataset, of which the newest version is continued; a new one when there is none. Raises: Invalid.
    """
    name, text, answer = (storable(given) for given in (name, text, answer))
    problems = []
    if not text.strip():
        problems.append(Problem("input", "an example needs an input"))
    if not answer.strip():
        problems.append(Problem("answer", "an example needs the answer that is right"))
    if not name.strip():
        problems.append(Problem("dataset", "name the dataset, an old or a new one"))
    if problems:
        raise Invalid(problems)
    try:
        dataset = datasets.get(session, name.strip())
    except NotFound:
        return _new(session, name.strip(), text, answer)
    newest = labels.versions(session, dataset)[-1]
    return labels.append_example(session, newest, text=text, answer=answer)


def _new(session: Session, name: str, text: str, answer: str) -> Dataset:
    out = io.StringIO()
    csv.writer(out).writerows([("user_input", "ground_truth_output"), (text, answer)])
    stream = io.BytesIO(out.getvalue().encode())
    try:
        return datasets.import_file(session, stream, "playground.csv", name=name)
    except Invalid as error:
        raise Invalid(Problem("dataset", one.message) for one in error.problems) from None
