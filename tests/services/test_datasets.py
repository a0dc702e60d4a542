"""Datasets as the pages, the API and the command line use them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.core.datasets import Limits
from app.services import datasets
from app.services.errors import Conflict, Invalid, NotFound
from app.store.database import Database
from app.store.models import Dataset, Example
from tests.services.pictures.drawn import loader

ROWS = "user_input,ground_truth_output,note\nWhere is it?,tracking,NA\n 100% ,007,\nx,,lost\nwhere is it,refund,y\n"


def put(session: Session, content: str = ROWS, name: str = "", **more: object) -> Dataset:
    return datasets.import_file(session, io.BytesIO(content.encode()), "folder\\my file.csv", name=name, **more)  # type: ignore[arg-type]


def problems(error: pytest.ExceptionInfo[Invalid]) -> Sequence[tuple[str, str]]:
    return [(one.field, one.message) for one in error.value.problems]


def counts(session: Session) -> tuple[int, int]:
    return (
        session.scalar(select(func.count()).select_from(Dataset)) or 0,
        session.scalar(select(func.count()).select_from(Example)) or 0,
    )


def test_a_file_becomes_a_dataset(session: Session) -> None:
    dataset = put(session)
    assert (dataset.name, dataset.source, dataset.rows) == ("my file", "my file.csv", 3)
    assert dataset.statistics["conflicts"] == [{"rows": [1, 4]}]
    assert dataset.report["dropped"] == [{"row": 3, "line": 4, "reason": "empty answer"}]
    assert (dataset.report["input_column"], dataset.report["answer_column"]) == ("user_input", "ground_truth_output")
    found = datasets.examples(session, dataset)
    assert [(one.row, one.input, one.reference, one.extra) for one in found] == [
        (1, "Where is it?", "tracking", {"note": "NA"}),
        (2, " 100% ", "007", {"note": ""}),
        (4, "where is it", "refund", {"note": "y"}),
    ]


def test_a_preview_stores_nothing(session: Session) -> None:
    seen = datasets.preview(io.BytesIO(ROWS.encode()), "a.csv")
    assert seen.mapping
    assert seen.statistics
    assert (seen.mapping.input, seen.problem, seen.statistics["rows"]) == ("user_input", None, 3)
    assert seen.report["dropped_total"] == 1
    assert seen.rows[2] == {"user_input": "x", "ground_truth_output": "", "note": "lost"}
    assert counts(session) == (0, 0)


def test_a_preview_lets_the_columns_be_chosen() -> None:
    content = b"frage;antwort\na;b\n"
    seen = datasets.preview(io.BytesIO(content), "a.csv")
    assert (seen.columns, seen.mapping, seen.statistics) == (("frage", "antwort"), None, None)
    assert seen.problem
    assert seen.problem.field == "input_column"
    chosen = datasets.preview(io.BytesIO(content), "a.csv", datasets.Columns("frage", "antwort"))
    assert chosen.statistics
    assert chosen.statistics["rows"] == 1
    with pytest.raises(Invalid, match="empty"):
        datasets.preview(io.BytesIO(b""), "a.csv")


def test_a_preview_shows_cells_as_they_would_be_stored() -> None:
    seen = datasets.preview(io.BytesIO(b'{"input": "a\\ud800", "answer": "\\u0000b"}'), "a.jsonl")
    assert seen.rows == ({"input": "a\ufffd", "answer": "\ufffdb"},)


@pytest.mark.parametrize(
    ("content", "more", "field", "part"),
    [
        ("", {}, "file", "empty"),
        ('user_input,answer\na,b\nc,"d', {}, "file", "row 2 (line 3), column 'answer': the quote"),
        ("a,b\n1,2\n", {}, "input_column", "the file has the columns a, b"),
        ("a,b\n1,2\n", {"columns": datasets.Columns("a", "c")}, "answer_column", "there is no column 'c'"),
        (ROWS, {"name": "x" * 201}, "name", "1 to 200"),
        (ROWS, {"name": "a\x07b"}, "name", "ordinary characters"),
        (ROWS, {"name": "a (deleted, number 3)"}, "name", "deleted"),
        (ROWS, {"limits": Limits(max_rows=2)}, "file", "uploads.max_rows"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    session: Session, content: str, more: dict[str, object], field: str, part: str
) -> None:
    with pytest.raises(Invalid) as error:
        put(session, content, **more)  # type: ignore[arg-type]
    assert [one for one, _ in problems(error)] == [field]
    assert part in problems(error)[0][1]
    assert counts(session) == (0, 0)


class Failure(Exception):
    """Something that breaks in the middle."""


def test_an_error_in_the_middle_of_writing_leaves_nothing_behind(session: Session, database: Database) -> None:
    content = "input,answer\n" + "".join(f"question {i},a\n" for i in range(2500))
    calls: list[int] = []

    def break_off(done: int, total: int) -> None:
        calls.append(done)
        if done > total / 2:
            raise Failure

    with pytest.raises(Failure):
        put(session, content, progress=break_off)
    assert calls
    assert counts(session) == (0, 0)
    with database.session() as other:
        assert put(other, content).rows == 2500


def test_nobody_sees_half_a_dataset(session: Session, database: Database) -> None:
    content = "input,answer\n" + "".join(f"question {i},a\n" for i in range(2500))
    seen = []

    def look(done: int, total: int) -> None:
        with database.session() as other:
            seen.append(counts(other))

    put(session, content, progress=look)
    assert set(seen) == {(0, 0)}
    assert counts(session) == (1, 2500)


def test_progress_goes_to_the_end(session: Session) -> None:
    told: list[tuple[int, int]] = []
    put(session, "input,answer\n" + "a,b\n" * 50_000, progress=lambda done, total: told.append((done, total)))
    shares = [done / total for done, total in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 50


def test_the_same_file_again_is_the_same_dataset(session: Session) -> None:
    first = put(session, name="tickets")
    assert put(session, name=" tickets ").id == first.id
    assert put(session, name="other").id != first.id
    with pytest.raises(Conflict, match="'tickets' with other content"):
        put(session, ROWS + "more,rows,x\n", name="tickets")


def test_two_imports_at_the_same_moment(session: Session, database: Database) -> None:
    """The other one's commit comes between our look at the names and our write."""

    def meanwhile(*_: object) -> None:
        with database.session() as other:
            put(other, name="tickets")

    event.listen(session, "before_flush", meanwhile, once=True)
    with pytest.raises(Conflict, match="at the same moment"):
        put(session, name="tickets")
    assert counts(session) == (1, 3)


def test_get_by_name_or_number(session: Session) -> None:
    with pytest.raises(NotFound, match="none has been imported"):
        datasets.get(session, "tickets")
    dataset = put(session, name="tickets")
    numbered = put(session, ROWS + "a,b,c\n", name="77")
    assert (
        datasets.get(session, "tickets") is datasets.get(session, dataset.id) is datasets.get(session, str(dataset.id))
    )
    assert datasets.get(session, "77") is numbered
    with pytest.raises(NotFound, match="there are: 77, tickets"):
        datasets.get(session, "9" * 30)


def test_examples_are_paged_and_searched(session: Session) -> None:
    dataset = put(session, "input,answer\n" + "".join(f"Question {i},answer {i % 3}\n" for i in range(1, 31)))
    first = datasets.examples(session, dataset, limit=20)
    assert [one.row for one in datasets.examples(session, dataset, after=first[-1].row)] == list(range(21, 31))
    assert [one.row for one in datasets.examples(session, dataset, search="question answer 2", limit=3)] == [2, 5, 8]
    odd = put(session, name="odd")
    assert [one.row for one in datasets.examples(session, odd, search="%")] == [2]
    assert datasets.examples(session, odd, search="_") == []


def test_split_preview(session: Session) -> None:
    dataset = put(session, "input,answer\n" + "".join(f"question {i},{i % 2}\n" for i in range(100)))
    parts = datasets.split_preview(session, dataset, (50, 25, 25), 7)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (50, 25, 25)
    with pytest.raises(Invalid) as error:
        datasets.split_preview(session, dataset, (50, 25, 24))
    assert problems(error)[0][0] == "split"


def test_a_deleted_dataset_frees_its_name_and_keeps_its_examples(session: Session) -> None:
    dataset = put(session, name="x" * 200)
    kept = put(session, name="kept")
    datasets.delete(session, dataset)
    assert datasets.list_datasets(session) == [kept]
    assert len(dataset.name) == 200
    for key in (dataset.id, dataset.name, "x" * 200):
        with pytest.raises(NotFound):
            datasets.get(session, key)
    assert len(datasets.examples(session, dataset)) == 3
    again = put(session, name="x" * 200)
    assert datasets.list_datasets(session) == [again, kept]


def test_the_operator_sets_the_limits() -> None:
    limits = datasets.limits_of(Settings())
    assert limits == Limits()


@pytest.mark.parametrize("sample", datasets.sample_files(), ids=lambda sample: sample.name)
def test_bundled_samples_are_clean(session: Session, sample: datasets.BundledSample, tmp_path: Path) -> None:
    images = loader(tmp_path)
    dataset = datasets.import_sample(session, sample.filename, images)
    assert dataset.report["dropped_total"] == 0
    assert dataset.report["encoding"] == "UTF-8"
    shows = ["image", "input", "answer"] if "images" in dataset.report else ["user_input", "ground_truth_output"]
    assert dataset.report["columns"] == shows
    assert dataset.report.get("images", {}).get("problems_total", 0) == 0
    assert 40 <= dataset.rows <= 200
    assert f"{dataset.rows} " in sample.description
    assert dataset.statistics["duplicates"] == dataset.statistics["conflicts_total"] == 0
    assert datasets.split_preview(session, dataset).test
    assert datasets.import_sample(session, sample.filename, images).id == dataset.id


def test_an_unknown_sample(session: Session) -> None:
    with pytest.raises(NotFound, match=r"there are: support_intents\.csv"):
        datasets.import_sample(session, "../../etc/passwd")
