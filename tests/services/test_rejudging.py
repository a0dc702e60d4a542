"""A finished training judged again: what its record decides under other rules, what is bought, and what is never said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.core import scorers
from app.services import datasets, labels, models, rejudging, runs
from app.services.drive import drive
from app.services.errors import Conflict, Invalid
from app.services.labels import Decision
from app.services.training.draft import examples_of
from app.store.database import Database
from app.store.models import CallRow, Dataset, Look, PromptVersion, Run, SampleRow
from tests.fakes.llm import RuleLLM
from tests.faults import kinds
from tests.services.rejudge_world import again, finished, missing, spec_of

SAME = ("validation", "test", "gap", "flips", "looks", "initial", "final", "epochs", "proposals", "accepted")


@pytest.fixture
def database(migrated_url: str) -> Iterator[Database]:
    """A new database of either kind."""
    with Database(migrated_url) as database:
        yield database


@pytest.fixture
def run(session: Session) -> Run:
    return finished(session)


def fates(run: Run, when: str = "now") -> list[tuple[int, str]]:
    return [(one["number"], one[when]["fate"]) for one in run.outcome["decisions"] if one[when]]


def version(session: Session, run: Run, **rulings: Decision) -> Dataset:
    """The corrected version of a run's dataset; rulings by row, as row7=..."""
    dataset = session.get_one(Dataset, run.dataset_id)
    for row, decision in rulings.items():
        labels.rule(session, dataset, int(row.removeprefix("row")), decision)
    return labels.make_version(session, dataset)


def rows_of(session: Session, run: Run, split: str) -> list[str]:
    """The rows that the initial prompts answered in a split."""
    digest = run.outcome["initial"]["digest"]
    query = select(SampleRow.case).where(SampleRow.run_id == run.id, SampleRow.candidate == digest)
    return sorted(session.scalars(query.where(SampleRow.split == split)), key=int)


def test_the_same_rules_give_the_same_decisions_and_buy_nothing(session: Session, run: Run) -> None:
    made, llm = again(session, run)
    assert llm.paid == []
    assert [json.dumps(made.outcome[name]) for name in SAME] == [json.dumps(run.outcome[name]) for name in SAME]
    assert fates(made) == fates(made, "then")
    assert (made.outcome["changed"], made.outcome["unmeasured"], made.outcome["left_out"]) == (0, 0, 0)
    assert made.outcome["n"] == {"train": 20, "validation": 12, "test": 8}
    found = missing(session, run)
    assert (found.answers_low, found.answers_high, found.judgements_high, found.usd_high) == (0, 0, 0, 0.0)
    assert found.nothing


def test_a_stricter_rule_takes_back_what_was_accepted(session: Session, run: Run) -> None:
    assert run.outcome["accepted"] > 0
    made, llm = again(session, run, acceptance="confidence")
    assert llm.paid == []
    assert made.outcome["accepted"] == 0
    assert made.outcome["changed"] == run.outcome["accepted"]
    assert made.outcome["final"]["number"] == 0
    assert made.outcome["verdict"] == "would_keep"
    lost = [one["now"]["why"] for one in made.outcome["decisions"] if one["then"]["fate"] == "accepted"]
    assert any("not at confidence" in why for why in lost)


def test_it_never_ships_flatly_and_nothing_gets_into_the_library(session: Session, run: Run) -> None:
    before = session.scalar(select(func.count()).select_from(PromptVersion))
    made, _ = again(session, run)
    again(session, run, alpha="0.5")
    assert session.scalar(select(func.count()).select_from(PromptVersion)) == before
    assert (made.kind, made.prompt_id) == ("rejudge", None)
    notes = {note.name: note.data for note in runs.notes(session, made.id)}
    for said in (made.outcome["sentence"], notes["verdict"]["sentence"]):
        assert said.startswith("Exploratory: ")
        assert "confirm it on examples that nobody has seen" in said
    assert made.outcome["verdict"].startswith("would_")


def test_recorded_answers_are_no_fresh_look_at_the_test(session: Session, run: Run) -> None:
    looks = select(func.count()).select_from(Look)
    before = session.scalar(looks)
    made, _ = again(session, run)
    assert session.scalar(looks) == before
    assert made.outcome["looks"] == run.outcome["looks"]


def test_with_other_minibatches_what_is_not_on_record_is_not_measured(session: Session, run: Run) -> None:
    found = missing(session, run, seed="3")
    assert 0 < found.answers_low <= found.answers_high
    made, llm = again(session, run, seed="3")
    assert llm.paid == []
    assert 0 < made.outcome["unmeasured"] <= run.outcome["proposals"]
    for one in made.outcome["decisions"]:
        assert one["now"]["measured"] or one["now"]["fate"] == "rejected"
    unbought = select(func.count()).select_from(SampleRow).where(SampleRow.run_id == made.id)
    assert (
        session.scalar(unbought.where(SampleRow.outcome == "cancelled", SampleRow.score.is_(None))) == found.answers_low
    )


def test_what_is_missing_is_bought_when_that_is_wished_and_paid_once(session: Session, run: Run) -> None:
    found = missing(session, run, seed="3")
    made, llm = again(session, run, seed="3", missing="buy")
    assert 0 < len(llm.paid) <= found.answers_high
    assert runs.totals(session, made.id).calls == len(llm.paid)
    assert made.outcome["unmeasured"] == 0
    assert not [r for r in llm.paid if r.messages[-1].content.split("\n")[0] in _test_inputs(session, run)]


def _test_inputs(session: Session, run: Run) -> set[str]:
    texts = {str(row): text for row, text, _ in examples_of(session, run.dataset_id or 0)}
    return {texts[row] for row in rows_of(session, run, "test")}


def test_a_version_that_was_never_read_on_the_test_stays_undecided(session: Session, run: Run) -> None:
    """Without its proposals' last acceptance another version wins, whose test answers nobody has."""
    final = run.outcome["final"]["digest"]
    gone = delete(SampleRow).where(SampleRow.run_id == run.id, SampleRow.candidate == final)
    session.execute(gone.where(SampleRow.split == "test"))
    session.commit()
    assert missing(session, run, missing="buy").sealed == 8
    made, llm = again(session, run, missing="buy")
    assert llm.paid == []
    assert made.outcome["verdict"] == "indecisive"
    assert "never read on the sealed test" in made.outcome["sentence"]


def test_a_corrected_version_changes_scores_and_leaves_excluded_rows_out(session: Session, run: Run) -> None:
    validation, test = rows_of(session, run, "validation"), rows_of(session, run, "test")
    right = {f"row{row}": Decision("correct", "no such label") for row in validation[:1]}
    out = {f"row{row}": Decision("exclude") for row in (validation[1], test[0])}
    made, llm = again(session, run, dataset=version(session, run, **right, **out).name)
    assert llm.paid == []
    assert (made.outcome["n"]["validation"], made.outcome["n"]["test"], made.outcome["left_out"]) == (11, 7, 2)
    assert made.outcome["validation"]["initial"]["asked"] == 11
    cases = set(session.scalars(select(SampleRow.case).where(SampleRow.run_id == made.id)))
    assert not {validation[1], test[0]} & cases
    corrected = select(SampleRow.score).where(SampleRow.run_id == made.id, SampleRow.case == validation[0])
    assert set(session.scalars(corrected)) == {0.0}
    assert made.spec["dataset"]["name"] == "small40 v2"
    assert made.spec["source"]["dataset"]["name"] == "small40"


def test_leaving_rows_out_moves_no_other_row(session: Session, run: Run) -> None:
    """One train row less, and still no answer is missing: minibatches and blocks are those of then without it."""
    made = version(session, run, row1=Decision("exclude"), row2=Decision("exclude"))
    found = missing(session, run, dataset=made.name)
    assert found.nothing
    assert found.answers_high == 0


def test_errors_stay_errors(session: Session, run: Run) -> None:
    digest, row = run.outcome["initial"]["digest"], rows_of(session, run, "validation")[0]
    one = select(SampleRow).where(SampleRow.run_id == run.id, SampleRow.case == row, SampleRow.candidate == digest)
    sample = session.scalars(one).one()
    sample.outcome, sample.score, sample.response, sample.error = "timed_out", None, "", "no answer within 60 s"
    session.commit()
    made, llm = again(session, run, scorer="contains", missing="buy")
    assert llm.paid == []
    copy = session.scalars(
        select(SampleRow).where(SampleRow.run_id == made.id, SampleRow.case == row, SampleRow.candidate == digest)
    ).one()
    assert (copy.outcome, copy.score, copy.error) == ("timed_out", None, "no answer within 60 s")
    assert (made.outcome["validation"]["initial"]["n"], made.outcome["validation"]["initial"]["asked"]) == (11, 12)


def test_pruned_calls_are_not_missed(session: Session, run: Run) -> None:
    session.execute(delete(CallRow).where(CallRow.run_id == run.id))
    session.commit()
    made, llm = again(session, run, scorer="similarity")
    assert (made.status, llm.paid) == ("done", [])


def test_a_training_that_is_deleted_meanwhile_fails_the_run_in_words(
    database: Database, session: Session, run: Run
) -> None:
    made, source = rejudging.start(session, spec_of(session, run, {})), run.id
    runs.delete(session, source)
    llm = RuleLLM(kinds.small("train").rule)
    assert drive(made.id, database=database, open_llm=lambda: llm, owner="t", lease_s=20) == "failed"
    assert f"the training {source} is deleted" in runs.get(session, made.id).reason


def test_a_finished_run_outlives_its_training(session: Session, run: Run) -> None:
    made, _ = again(session, run)
    runs.delete(session, run.id)
    assert "decisions" in runs.get(session, made.id).outcome
    assert "Exploratory" in runs.report_html(session, runs.get(session, made.id))


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"scorer": "odd"}, "scorer", "there is no scorer 'odd'"),
        ({"scorer": "rubric", "missing": "leave", "judge_model": "simulated/judge"}, "scorer", "set missing to buy"),
        ({"scorer": "rubric", "missing": "buy", "judge_model": "nobody"}, "judge_model", "nobody"),
        ({"acceptance": "luck"}, "acceptance", "must be 'improvement' or 'confidence'"),
        ({"alpha": "2"}, "alpha", "must be less than or equal to 0.5"),
        ({"seed": "x"}, "seed", "must be a valid integer"),
        ({"missing": "steal"}, "missing", "must be one of leave, buy"),
        ({"dataset": "nowhere"}, "dataset", "there is no dataset 'nowhere'"),
        ({"epochs": "9"}, "epochs", "there is no setting called epochs"),
        ({"budget_calls": "0"}, "budget_calls", "must be greater than or equal to 1"),
    ],
)
def test_bad_input_is_refused_with_its_field(
    session: Session, run: Run, changes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        spec_of(session, run, changes)
    assert [one.field for one in refused.value.problems] == [field]
    assert words in refused.value.problems[0].message


def test_another_datasets_version_is_refused(session: Session, run: Run) -> None:
    other = datasets.get(session, kinds.dataset(session, 30))
    labels.rule(session, other, 1, Decision("exclude"))
    name = labels.make_version(session, other).name
    with pytest.raises(Invalid, match="small30 v2 is no version of small40"):
        spec_of(session, run, {"dataset": name})


def test_only_a_finished_training_can_be_judged_again(session: Session, run: Run) -> None:
    made, _ = again(session, run)
    with pytest.raises(Conflict, match="is no training"):
        spec_of(session, made, {})
    queued = session.get_one(Run, kinds.small("train").queue(session, {}))
    with pytest.raises(Conflict, match="is queued"):
        spec_of(session, queued, {})


def test_a_version_without_a_validation_row_is_refused_before_the_start(session: Session, run: Run) -> None:
    out = {f"row{row}": Decision("exclude") for row in rows_of(session, run, "validation")}
    made = version(session, run, **out)
    with pytest.raises(Invalid, match="no row of train or of validation"):
        missing(session, run, dataset=made.name)


def test_a_judge_is_counted_priced_and_asked_only_when_that_is_bought(session: Session, run: Run) -> None:
    changes = {"scorer": "rubric", "judge_model": "simulated/judge", "missing": "buy"}
    found = missing(session, run, **changes)
    answered = session.scalar(select(func.count()).select_from(SampleRow).where(SampleRow.run_id == run.id)) or 0
    assert 0 < found.judgements_low <= found.judgements_high == answered + found.answers_high
    assert found.usd_high is not None
    assert scorers.judgements(spec_of(session, run, changes)["scorers"]) == 1


def test_one_form_sent_twice_makes_one_run(session: Session, run: Run) -> None:
    spec = spec_of(session, run, {})
    first = rejudging.start(session, spec, once="0123456789")
    assert rejudging.start(session, spec, once="0123456789").id == first.id
    assert rejudging.start(session, spec_of(session, run, {"seed": "5"}), once="0123456789").id != first.id


def test_the_history_of_a_version_names_each_training_and_what_became_of_it(session: Session, run: Run) -> None:
    made = version(session, run, row1=Decision("exclude"))
    assert [(one.id, found) for one, found in rejudging.history(session, made)] == [(run.id, None)]
    judged, _ = again(session, run, dataset=made.name)
    assert [(one.id, found and found.id) for one, found in rejudging.history(session, made)] == [(run.id, judged.id)]
    assert rejudging.history(session, session.get_one(Dataset, run.dataset_id)) == []


def test_a_shorter_version_that_was_offered_after_the_search_is_no_part_of_it(session: Session) -> None:
    run = finished(session, shorten="offer")
    made, llm = again(session, run)
    assert llm.paid == []
    same = [name for name in SAME if name != "looks"]
    assert [made.outcome[name] for name in same] == [run.outcome[name] for name in same]
    assert "shortening" not in made.outcome


def test_a_config_of_the_primary_model_stays_as_the_training_pinned_it(session: Session) -> None:
    said = {"model": "simulated/primary", "target_rpm": 7.0, "price": {"prompt": 1.0, "completion": 2.0}}
    config = models.create(session, "steady", said)
    run = finished(session)
    pinned = run.spec["primary"] | {"config": {"id": config.id, "name": "steady", "revision": 1}}
    pinned |= {"asked": {"model": "config:steady", "api_base": "", "temperature": 0.0, "max_output_tokens": 64}}
    pinned |= {"price": {"prompt_usd": 1e-6, "completion_usd": 2e-6}}
    lanes = {pinned["name"]: {"name": pinned["name"], "rpm": 7.0}}
    run.spec = run.spec | {"primary": pinned, "calls": run.spec["calls"] | {"lanes": lanes}}
    models.delete(session, config)
    spec = spec_of(session, run, {"missing": "buy", "budget_usd": "1"})
    assert spec["primary"] == pinned
    assert spec["calls"]["lanes"] == lanes
    made, llm = again(session, run)
    assert llm.paid == []
    assert made.outcome["validation"] == run.outcome["validation"]
