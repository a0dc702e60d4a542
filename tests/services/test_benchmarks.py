"""Benchmarks from form to results: prompts and configs, what is refused, cloning, reviewing again, cancelling."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.ports.llm import Request
from app.services import benchmarks, datasets, models, prompts, runs
from app.services.benchmarks import judgement, tables
from app.services.benchmarks.results import Place, results
from app.services.benchmarks.statistics import statistics
from app.services.errors import Invalid
from app.store.models import Run
from tests.faults.kinds import drive_to_end, small
from tests.services.benchmark_world import FORM, configs, finished, gateway, lines, parsed


def refused(session: Session, form: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parsed(session, form)
    return {problem.field: problem.message for problem in caught.value.problems}


def dataset(session: Session, text: str = "input,answer,city\nhello,hi,Rome\nbye,ciao,Bonn\n") -> str:
    return datasets.import_file(session, io.BytesIO(text.encode()), "greetings.csv").name


def test_variables_are_filled_in_from_the_columns_of_a_dataset(session: Session) -> None:
    spec = parsed(session, text="Greet {{city}} with {{input}}", dataset=dataset(session), rows=1)
    assert [case["messages"] for case in spec["cases"]] == [[{"role": "user", "content": "Greet Rome with hello"}]]
    assert (spec["cases"][0]["id"], spec["cases"][0]["reference"]) == ("p1r1", "hi")


def test_values_of_a_dataset_are_never_searched_for_variables(session: Session) -> None:
    name = dataset(session, "input,answer\n{{reference}},secret\n")
    assert (
        parsed(session, text="Say {{input}}", dataset=name)["cases"][0]["messages"][0]["content"] == "Say {{reference}}"
    )


def test_library_prompts_take_part_with_the_version_that_is_pinned(session: Session) -> None:
    pair = prompts.create(session, "pair", system_prompt="Be brief.", output_prompt="Answer in one word.")
    prompts.create(session, "chat", kind="chat", messages=[{"role": "user", "content": "Hello"}])
    spec = parsed(session, {**FORM, "text": "", "prompts": ["pair", "chat"], "dataset": dataset(session)})
    assert [case["id"] for case in spec["cases"]] == ["p1r1", "p1r2", "p2"]
    assert spec["cases"][0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "hello\n\nAnswer in one word."},
    ]
    prompts.save_version(session, pair, system_prompt="Be long.", output_prompt="Answer.")
    assert benchmarks.as_form(spec)["prompts"] == ["pair@1", "chat@1"]


def test_a_file_of_questions_with_turns_gives_their_first_turn(session: Session) -> None:
    first_line = '{"question_id": 81, "category": "writing", "turns": ["First?", "Second?"], "reference": ["yes"]}'
    text = first_line + '\n\n{"prompt": "Other"}'
    spec = parsed(session, {**FORM, "text": "", "jsonl": text})
    first, second = spec["cases"]
    assert (first["name"], first["category"], first["reference"]) == ("81: First?", "writing", "yes")
    assert first["messages"] == [{"role": "user", "content": "First?"}]
    assert second["messages"][0]["content"] == "Other"
    assert len(parsed(session, {**FORM, "text": "", "jsonl": text, "first": 1})["cases"]) == 1


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"text": "Greet {{city}}"}, "text", "nothing fills in {{city}}"),
        ({"text": ""}, "prompts", "choose prompts"),
        ({"prompts": ["nothing"]}, "prompts", "no prompt called 'nothing'"),
        ({"jsonl": '{"turns": []}'}, "jsonl", "line 1: has no prompt"),
        ({"jsonl": "[1]"}, "jsonl", "line 1: must be a JSON object"),
        ({"jsonl": '{"messages": [{"role": "god", "content": "x"}]}'}, "jsonl", "line 1: every message"),
        ({"dataset": "nowhere"}, "dataset", "no dataset"),
        ({"models": ["simulated/nobody"]}, "models", "simulated/nobody"),
        ({"models": ["config:nobody"]}, "models", "no model config"),
        ({"models": []}, "models", "name the models"),
        ({"models": [f"simulated/primary{n}" for n in range(27)]}, "models", "at most 26"),
        ({"review_prompt": "nothing"}, "review_prompt", "no review prompt"),
        ({"runs": 11}, "runs", "10"),
        ({"scorer": ["magic"]}, "scorer", "magic"),
        ({"colour": "red"}, "colour", "no setting"),
    ],
)
def test_what_stands_against_it_is_named_with_its_field(
    session: Session, changes: dict[str, Any], field: str, told: str
) -> None:
    assert told in refused(session, {**FORM, **changes})[field]


def test_configs_that_would_be_called_alike_are_refused(session: Session) -> None:
    configs(session, one=0.5, two=0.5)
    assert "exactly the same way" in refused(session, {**FORM, "models": ["config:one", "config:two"]})["models"]


def test_without_names_every_active_config_takes_part(session: Session) -> None:
    configs(session, one=0.1, two=0.5, three=0.9)
    models.set_active(session, models.get(session, "two"), False)
    spec = parsed(session, {**FORM, "models": []})
    assert [one["label"] for one in spec["configs"]] == ["one", "three"]


def test_the_estimate_counts_answers_and_reviews_and_warns(session: Session) -> None:
    spec = parsed(session, {**FORM, "text": "", "jsonl": lines("a", "b"), "runs": 3, "models": ["simulated/judge"]})
    found = benchmarks.estimate(spec, gateway=gateway())
    assert (found.calls_low, found.calls_high) == (2 * 3 + 2 * 3, 2 * 3 + 2 * 2 * 3)
    assert found.usd_low
    assert found.usd_high
    assert found.usd_low < found.usd_high
    told = " ".join(found.notes)
    assert "one config" in told
    assert "also answers" in told
    assert "temperature 0" in told
    alone = benchmarks.estimate(parsed(session, review_prompt="none"), gateway=gateway())
    assert alone.calls_low == alone.calls_high == 3


def test_results_bring_answers_reviews_and_means_together(session: Session) -> None:
    found = finished(session)
    assert len(found.answers) == 3 * 3 * 2
    assert len(found.reviews) == 6
    assert not found.rankings
    rows = judgement.table(found)
    assert all((row.answered, row.reviews, row.failed) == (6, 6, 0) for row in rows)
    assert [found.run_of(repeat) for repeat in (0, 1)] == [1, 2]
    text = "".join(tables.results_csv(session, found))
    written = list(csv.DictReader(io.StringIO(text)))
    assert len(written) == 18
    assert {row["prompt"] for row in written} == {"Say one.", "Say two.", "Say three."}
    assert all(row["ai_rank"] and row["response"] for row in written)


def test_a_benchmark_is_exported_and_reported_like_any_run(session: Session, tmp_path: Path) -> None:
    run = finished(session).run
    folder = runs.export_folder(session, run, tmp_path)
    assert len((folder / "results.csv").read_text().splitlines()) == 19
    rows = list(csv.DictReader(io.StringIO((folder / "samples.csv").read_text())))
    assert {row["input"] for row in rows if row["split"] == ""} == {"Say one.", "Say two.", "Say three."}
    report = (folder / "report.html").read_text()
    assert "Recommendation" in report
    assert "simulated/writer" in report
    assert len(runs.bill(session, run).lines) == 4


def test_a_clone_asks_for_the_same_and_a_second_review_pays_only_for_itself(session: Session) -> None:
    first = finished(session, cache="reuse")
    again = parsed(session, benchmarks.review_again(first.run, review_prompt="review/instructions"))
    assert [case["messages"] for case in again["cases"]] == [case["messages"] for case in first.run.spec["cases"]]
    run = benchmarks.start(session, again, cloned_from=first.run.id)
    llm = drive_to_end(session, run.id, small("benchmark").rule)
    assert {request.model.name for request in llm.paid} == {"simulated/judge"}
    assert results(session, runs.get(session, run.id)).run.outcome["runs"]["done"] == 2


def test_a_session_that_is_cancelled_in_its_third_run_keeps_the_first_two(session: Session) -> None:
    kind = small("benchmark")
    run_id = kind.queue(session, {"runs": 3, "concurrency": 1})

    def rule(request: Request) -> str:
        with Session(session.get_bind()) as other:
            run = other.get_one(Run, run_id)
            ended = [note for note in runs.notes(other, run_id) if note.name == "run_end"]
            if len(ended) == 2 and not run.wish:
                runs.request_cancel(other, run_id)
                time.sleep(1.1)  # the worker listens for wishes every second
        return kind.rule(request)

    with pytest.raises(AssertionError):  # it does not end as done
        drive_to_end(session, run_id, rule)
    session.expire_all()
    found = results(session, runs.get(session, run_id))
    assert found.run.status == "cancelled"
    assert len(found.reviews) == 6
    assert judgement.recommended(found, judgement.Weights()).winner is not None
    assert len("".join(tables.results_csv(session, found)).splitlines()) >= 19


def test_statistics_over_benchmarks(session: Session) -> None:
    finished(session)
    finished(session, runs=1)
    found = {one.config: one for one in statistics(session)}
    assert (found["simulated/writer"].runs, found["simulated/writer"].answered, found["simulated/writer"].reviews) == (
        2,
        9,
        9,
    )
    assert found["simulated/writer"].score is not None
    assert 0 <= found["simulated/writer"].score <= 1


def test_scorers_compare_with_references_where_there_are_any(session: Session) -> None:
    text = json.dumps({"prompt": "Say yes.", "reference": "simulated/writer says: Say yes."})
    found = finished(session, jsonl=text, scorer=["exact_match"], runs=1)
    measured = {row.config: row.measured for row in judgement.table(found)}
    assert measured == {"simulated/writer": 1.0, "simulated/primary": 0.0, "simulated/optimizer": 0.0}
    assert set(found.rivals(Place("p1", 0))) == set(measured)
