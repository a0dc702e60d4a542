"""The label doctor over real records, rulings, and the versions that come of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from app.services import datasets, labels
from app.services.errors import Conflict, Invalid, NotFound
from app.services.labels import Decision
from app.store.database import Database
from app.store.models import Dataset, Run
from tests.services.label_world import ALSO, GOOD, ROWS, WEAK, answered, colours, trained


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """A new database of either kind."""
    with Database(migrated_url) as database:
        yield database


@pytest.fixture
def dataset(session: Session) -> Dataset:
    return colours(session)


@pytest.fixture
def run(session: Session, dataset: Dataset) -> Run:
    """Row 3: both strong ones say "azure". Row 5: they disagree. Row 6: one strong one is right."""
    run = trained(session, dataset)
    answered(session, run, GOOD, {3: "azure", 5: "dark", 6: "silver"})
    answered(session, run, ALSO, {3: "Azure.", 5: "ebony", 7: "rose"})
    answered(session, run, WEAK, dict.fromkeys(range(1, 8), "no idea"))
    return run


def rows(found: list[labels.Case]) -> list[int]:
    return [case.finding.row for case in found]


def test_rows_that_every_strong_candidate_fails_are_found_the_agreed_ones_first(
    session: Session, dataset: Dataset, run: Run
) -> None:
    found = labels.cases(session, dataset)
    assert rows(found) == [3, 5]
    first = found[0].finding
    assert first.failing
    assert (first.failing.asked, first.failing.agreed, first.suggestion) == (2, 2, "azure")
    assert {(one.run, one.candidate) for one in first.failing.answers[0].by} == {(run.id, GOOD), (run.id, ALSO)}
    assert (found[0].input, found[0].reference, first.splits) == ("colour 3", "blue", {"validation"})
    assert labels.diagnosis(session, dataset).candidates == 2


def test_a_strong_candidate_of_another_run_that_is_right_clears_a_row(
    session: Session, dataset: Dataset, run: Run
) -> None:
    answered(session, trained(session, dataset, "run2"), "d" * 32, {})
    assert run.id in labels.diagnosis(session, dataset).runs
    assert labels.cases(session, dataset) == []


def test_one_candidate_alone_and_failed_calls_say_nothing(session: Session, dataset: Dataset) -> None:
    run = trained(session, dataset)
    answered(session, run, GOOD, {3: "azure", 4: "!"})
    assert labels.cases(session, dataset) == []
    answered(session, run, ALSO, {4: "snow"})
    assert labels.cases(session, dataset) == []


def test_a_prompt_that_only_measures_a_sentence_is_no_further_witness(session: Session, dataset: Dataset) -> None:
    run = trained(session, dataset)
    answered(session, run, GOOD, {3: "azure"})
    answered(session, run, "e" * 32, {3: "azure"}, version=False)
    assert labels.cases(session, dataset) == []
    answered(session, run, ALSO, {3: "azure"})
    assert [case.finding.failing.asked for case in labels.cases(session, dataset) if case.finding.failing] == [2]


def test_repeats_that_disagree_are_flips(session: Session, dataset: Dataset) -> None:
    run = trained(session, dataset, repeats=2)
    answered(session, run, GOOD, {2: ("green", "lime"), 4: ("white", "white"), 7: ("rose", "rose")})
    found = labels.cases(session, dataset, sign="flips")
    assert rows(found) == [2]
    assert found[0].finding.flips
    assert (found[0].finding.flips.flipped, found[0].finding.flips.asked) == (1, 1)


def test_conflicts_are_found_without_any_run(session: Session) -> None:
    dataset = colours(session, "Colour 1!,crimson\ncolour 1,crimson\n")
    found = labels.cases(session, dataset, sign="conflict")
    assert [(case.finding.row, case.finding.suggestion) for case in found] == [(1, "crimson"), (9, "red"), (10, "red")]


def test_more_conflicts_than_the_import_lists_are_all_found(session: Session) -> None:
    lines = "".join(f"q {n},a\nQ {n}!,b\n" for n in range(120))
    dataset = colours(session, lines)
    assert len(labels.cases(session, dataset, limit=1000)) == 240


def test_pages_go_on_where_the_last_one_ended(session: Session) -> None:
    dataset = colours(session, "".join(f"q {n},a\nq {n},b\n" for n in range(4)))
    seen: list[int] = []
    after = ""
    while found := labels.cases(session, dataset, after=after, limit=3):
        seen, after = seen + rows(found), found[-1].cursor
    assert seen == list(range(9, 17))
    for bad in ("x", "0.1-", "0.1-²", "nan-1-2", "-"):
        with pytest.raises(Invalid, match="no place"):
            labels.cases(session, dataset, after=bad)
    with pytest.raises(Invalid, match="must be one of failing"):
        labels.cases(session, dataset, sign="odd")


def test_a_ruled_row_leaves_the_open_ones_and_comes_back_when_it_is_taken_back(
    session: Session, dataset: Dataset, run: Run
) -> None:
    labels.rule(session, dataset, 3, Decision("correct", "azure", " seen "))
    assert run.dataset_id == dataset.id
    assert rows(labels.cases(session, dataset, state="open")) == [5]
    ruled = labels.cases(session, dataset, state="ruled")[0].ruling
    assert ruled
    assert (ruled.ruling, ruled.reference, ruled.note) == ("correct", "azure", "seen")
    labels.rule(session, dataset, 3, Decision("keep"))
    assert labels.counted(session, dataset) == {"keep": 1, "correct": 0, "exclude": 0}
    assert labels.rulings_of(session, dataset)[3].reference is None
    labels.take_back(session, dataset, 3)
    labels.take_back(session, dataset, 3)
    assert rows(labels.cases(session, dataset, state="open")) == [3, 5]


@pytest.mark.parametrize(
    ("decision", "field", "words"),
    [
        (Decision("correct", " \n"), "reference", "write the answer that is right"),
        (Decision("correct", " blue "), "reference", "stands there already"),
        (Decision("correct", "x" * 11), "reference", "at most 10 characters"),
        (Decision("shrug"), "ruling", "must be one of keep, correct, exclude"),
        (Decision("keep", note="n" * 2001), "note", "at most 2,000"),
    ],
)
def test_a_bad_ruling_is_refused(
    session: Session, dataset: Dataset, decision: Decision, field: str, words: str
) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        labels.rule(session, dataset, 3, decision, most_chars=10)
    assert [one.field for one in refused.value.problems] == [field]
    assert labels.rulings_of(session, dataset) == {}


@pytest.mark.parametrize("row", [0, 99, 2**40])
def test_there_is_no_ruling_on_a_row_that_is_not_there(session: Session, dataset: Dataset, row: int) -> None:
    with pytest.raises(NotFound, match=f"colours has no row {row}"):
        labels.rule(session, dataset, row, Decision("keep"))


def test_the_corrected_version_keeps_row_numbers_and_leaves_the_old_one_alone(
    session: Session, dataset: Dataset
) -> None:
    labels.rule(session, dataset, 3, Decision("correct", "azure"))
    labels.rule(session, dataset, 5, Decision("exclude"))
    labels.rule(session, dataset, 6, Decision("keep"))
    made = labels.make_version(session, dataset)
    assert (made.name, made.version, made.root_id, made.parent_id, made.rows) == (
        "colours v2", 2, dataset.id, dataset.id, 7,
    )  # fmt: skip
    assert made.digest != dataset.digest
    assert [(e.row, e.reference) for e in datasets.examples(session, made)] == [
        (row, "azure" if row == 3 else answer) for row, answer in enumerate(ROWS, 1) if row != 5
    ]
    assert [e.reference for e in datasets.examples(session, dataset)] == list(ROWS)
    assert made.report["made_from"] == {
        "dataset": dataset.id, "name": "colours", "version": 1, "corrected": [3], "excluded": [5], "touched": [3, 5],
    }  # fmt: skip
    assert made.statistics["rows"] == 7
    assert datasets.split_preview(session, made, (50, 50, 0)).digest
    assert [(one.row, one.before, one.after) for one in labels.difference(session, dataset, made)] == [
        (3, "blue", "azure"), (5, "black", None),
    ]  # fmt: skip
    assert {row: one.ruling for row, one in labels.rulings_of(session, made).items()} == {3: "keep", 6: "keep"}


def test_a_version_is_like_the_import_of_the_same_rows(session: Session, dataset: Dataset) -> None:
    labels.rule(session, dataset, 8, Decision("exclude"))
    made = labels.make_version(session, dataset)
    whole = "input,answer\n" + "".join(f"colour {n},{a}\n" for n, a in enumerate(ROWS[:7], 1))
    import io

    imported = datasets.import_file(session, io.BytesIO(whole.encode()), "same.csv")
    assert (made.digest, made.statistics) == (imported.digest, imported.statistics)


def test_versions_follow_each_other_and_each_can_be_deleted(session: Session, dataset: Dataset) -> None:
    labels.rule(session, dataset, 3, Decision("correct", "azure"))
    second = labels.make_version(session, dataset)
    labels.rule(session, second, 3, Decision("correct", "blue"))
    labels.rule(session, second, 4, Decision("exclude"))
    third = labels.make_version(session, second)
    assert (third.name, third.root_id, third.parent_id, third.version) == ("colours v3", dataset.id, second.id, 3)
    assert [one.row for one in labels.difference(session, dataset, third)] == [4]
    datasets.delete(session, second)
    assert [one.name for one in labels.versions(session, third)] == ["colours", "colours v3"]
    assert len(datasets.examples(session, third)) == 7
    labels.rule(session, dataset, 1, Decision("exclude"))
    assert labels.make_version(session, dataset).name == "colours v4"


def test_versions_go_on_when_the_first_one_is_gone_for_good(session: Session, dataset: Dataset) -> None:
    labels.rule(session, dataset, 3, Decision("exclude"))
    second, first = labels.make_version(session, dataset), dataset.id
    datasets.delete(session, dataset)
    session.delete(dataset)
    session.commit()
    labels.rule(session, second, 4, Decision("exclude"))
    third = labels.make_version(session, second)
    assert (third.name, third.root_id, third.parent_id) == ("colours v3", first, second.id)
    assert labels.parent(session, second) is None


def test_the_name_of_another_dataset_is_left_to_it(session: Session, dataset: Dataset) -> None:
    import io

    datasets.import_file(session, io.BytesIO(b"input,answer\na,b\n"), "colours v2.csv")
    labels.rule(session, dataset, 3, Decision("exclude"))
    made = labels.make_version(session, dataset)
    assert (made.name, made.version) == ("colours v3", 3)


def test_without_a_change_or_without_a_row_there_is_no_version(session: Session, dataset: Dataset) -> None:
    labels.rule(session, dataset, 3, Decision("keep"))
    with pytest.raises(Conflict, match="nothing of colours is corrected or excluded"):
        labels.make_version(session, dataset)
    for row in range(1, 9):
        labels.rule(session, dataset, row, Decision("exclude"))
    with pytest.raises(Conflict, match="every row of colours is excluded"):
        labels.make_version(session, dataset)
    assert [one.name for one in datasets.list_datasets(session)] == ["colours"]


def test_clicks_at_the_same_moment_make_one_version(database: Database, session: Session, dataset: Dataset) -> None:
    labels.rule(session, dataset, 3, Decision("correct", "azure"))
    made: list[int] = []

    def click() -> None:
        with database.session() as own:
            made.append(labels.make_version(own, datasets.get(own, dataset.id)).id)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    assert len(labels.versions(session, dataset)) == 2


def test_only_versions_of_one_dataset_are_compared(session: Session, dataset: Dataset) -> None:
    import io

    other = datasets.import_file(session, io.BytesIO(b"input,answer\na,b\n"), "other.csv")
    with pytest.raises(Conflict, match="not versions of the same dataset"):
        labels.difference(session, dataset, other)


def test_a_version_goes_out_as_csv_with_its_row_numbers(session: Session) -> None:
    import csv
    import io

    file = 'note,text,kind,row\n"=1+1",a,x,n1\n,"b,\n""c""",y,n2\n,d,z,n3\n'
    dataset = datasets.import_file(session, io.BytesIO(file.encode()), "odd.csv", datasets.Columns("text", "kind"))
    labels.rule(session, dataset, 1, Decision("exclude"))
    labels.rule(session, dataset, 3, Decision("correct", "=right"))
    made = labels.make_version(session, dataset)
    rows = list(csv.reader(io.StringIO("".join(datasets.export_csv(session, made)))))
    assert rows == [
        ["row_", "text", "kind", "note", "row"],
        ["2", 'b,\n"c"', "y", "", "n2"],
        ["3", "d", "'=right", "", "n3"],
    ]
