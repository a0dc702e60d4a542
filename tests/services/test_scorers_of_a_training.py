"""A training by each of the scorers that need more than two texts: pinned, priced, refused where they cannot work, and run."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from contextlib import closing

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings, load
from app.core.budget import Limits
from app.core.kinds.kept_back import price_of_test
from app.core.kinds.train import train
from app.core.model import Exam
from app.core.responders.single_turn import SingleTurn
from app.core.scorers import NO_TOOLS, build
from app.llm.gateway import Gateway
from app.llm.simulated import SimulatedLLM
from app.ports.llm import Json, ModelRef
from app.ports.scoring import Tools
from app.sandbox import Limits as CodeLimits
from app.sandbox import ProcessSandbox
from app.services import datasets, prompts, runs, training
from app.services.drive import drive
from app.services.errors import Invalid
from app.services.runs import words
from app.store.database import Database
from app.store.memory import MemoryRecord
from app.store.models import CallRow, Run, SampleRow
from tests.core.training_world import engine, models
from tests.core.training_world import training as small_training

CODE = "def score(input, reference, response):\n    return float(reference in response)\n"
PYTHON = json.dumps({"name": "python", "file": CODE})


class Letters:
    """An embedder by the letters of a text."""

    async def embed(self, text: str) -> Sequence[float]:
        counts = [text.count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz"]
        length = math.sqrt(math.fsum(c * c for c in counts))
        return [c / length for c in counts]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(environ={})


@pytest.fixture
def spec_of(session: Session, settings: Settings) -> Callable[..., Json]:
    """The spec of a training with these scorers."""
    with open("data/samples/support_intents.csv", "rb") as file:
        datasets.import_file(session, io.BytesIO(file.read()), "intents.csv", name="intents")

    def spec(*scorer: str, tools: Tools = NO_TOOLS, **changes: object) -> Json:
        form: dict[str, object] = {
            "dataset": "intents",
            "system_prompt": "Classify the message.",
            "primary_model": "simulated/primary",
            "optimizer_model": "simulated/optimizer",
            "judge_model": "simulated/judge",
            "scorer": list(scorer),
            "epochs": 2,
            "batch_size": 8,
        }
        return training.parse(session, form | changes, settings=settings, gateway=Gateway(settings, {}), tools=tools)

    return spec


def run(session: Session, database: Database, spec: Json, open_tools: Callable[[], Tools] = Tools) -> Run:
    """The run of a spec, done."""
    queued = training.start(session, spec)
    status = drive(
        queued.id, database=database, open_llm=lambda: SimulatedLLM(0.0), open_tools=open_tools, owner="t", lease_s=30
    )
    assert status == "done"
    with database.session() as fresh:
        return fresh.get_one(Run, queued.id)


def test_a_judge_is_pinned_with_its_instructions(
    session: Session, settings: Settings, spec_of: Callable[..., Json]
) -> None:
    spec = spec_of("rubric:criteria=Short.", "exact_match")
    assert spec["judge"]["name"] == "simulated/judge"
    assert spec["judge"]["params"]["temperature"] == 0.0
    assert "{{response}}" in spec["scorers"][0]["instructions"]
    again = training.parse(session, training.as_form(spec), settings=settings, gateway=Gateway(settings, {}))
    assert again == spec
    facts = dict(words.settings(spec))
    assert facts["Judge model"].startswith("simulated/judge")
    assert "characters (content " in facts["Scored by"]
    assert [title for title, _ in words.long_texts(spec)] == ["Instructions of the judge"]
    assert spec_of("exact_match")["judge"] is None


def test_the_library_says_what_a_judge_is_told(session: Session, spec_of: Callable[..., Json]) -> None:
    text = "Grade by {{criteria}} this: {{response}}\n\n{{reply_format}}"
    prompts.create(session, "judge/rubric", category="judge", system_prompt=text)
    assert spec_of("rubric")["scorers"][0]["instructions"] == text
    with pytest.raises(Invalid, match=r"\{\{answer\}\} is filled in by nothing"):
        spec_of("rubric:instructions={{criteria}} {{answer}}")
    with pytest.raises(Invalid, match=r"\{\{response\}\}, \{\{reply_format\}\} must occur, else the judge"):
        spec_of("rubric:instructions={{criteria}}")


def test_judgements_are_estimated(session: Session, settings: Settings, spec_of: Callable[..., Json]) -> None:
    gateway = Gateway(settings, {})
    plain, judged, twice = (
        training.estimate(session, spec_of(*scorer, strategy="example_addition"), gateway=gateway)
        for scorer in (["exact_match"], ["rubric", "exact_match"], ["rubric", "rubric:criteria=Short."])
    )
    assert (judged.calls_low, judged.calls_high) == (2 * plain.calls_low, 2 * plain.calls_high)
    assert twice.calls_high == 3 * plain.calls_high
    assert judged.tokens_high > 2 * plain.tokens_high
    assert plain.usd_high is not None
    assert judged.usd_high is not None
    assert judged.usd_high > 2 * plain.usd_high


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"judge_model": "openai/gpt-5-mini"}, "judge_model", "OPENAI_API_KEY"),
        ({"judge_model": "nonsense"}, "judge_model", "nonsense"),
        ({"judge_model": "openai/x", "judge_api_base": "ftp://x"}, "judge_api_base", "api_base"),
    ],
)
def test_a_judge_that_cannot_be_called_is_refused(
    spec_of: Callable[..., Json], changes: dict[str, str], field: str, says: str
) -> None:
    with pytest.raises(Invalid) as refused:
        spec_of("rubric", **changes)
    assert [p for p in refused.value.problems if p.field == field and says in p.message], refused.value.problems
    assert spec_of("exact_match", **changes)["judge"] is None


def test_what_is_not_here_is_refused_with_what_to_do(spec_of: Callable[..., Json]) -> None:
    for scorer, says in (("semantic", "pip install"), (PYTHON, "allow_code")):
        with pytest.raises(Invalid, match=f"scorer: .*{says}"):
            spec_of(scorer)
    with closing(ProcessSandbox(CodeLimits(timeout_s=30))) as sandbox:
        with pytest.raises(Invalid, match="scorer: file cannot be used: it has no function score"):
            spec_of("python:file=x = 1", tools=Tools(sandbox=sandbox))
        with pytest.raises(Invalid, match="scorer: file cannot be used: line 1: it is not valid Python"):
            spec_of("python:file=def score(", tools=Tools(sandbox=sandbox))


def test_a_training_with_a_judge(session: Session, database: Database, spec_of: Callable[..., Json]) -> None:
    done = run(session, database, spec_of("rubric", "exact_match:weight=2"))
    assert done.simulated
    assert done.outcome["simulated"]
    with database.session() as fresh:
        calls = fresh.scalars(select(CallRow).where(CallRow.run_id == done.id)).all()
        samples = list(fresh.scalars(select(SampleRow).where(SampleRow.run_id == done.id)))
        judged = [call for call in calls if call.role == "judge"]
        assert len(judged) >= len(samples)
        totals = runs.totals(fresh, done.id)
        assert totals.calls + totals.cached_calls == len(calls)
        assert all(
            s.calls >= 2 and set(s.scores) == {"rubric", "exact_match"} for s in samples if s.outcome == "scored"
        )
        assert any("The judge gave" in s.feedback for s in samples)


def test_a_training_by_code_and_meaning(session: Session, database: Database, spec_of: Callable[..., Json]) -> None:
    def open_tools() -> Tools:
        return Tools(Letters(), ProcessSandbox(CodeLimits(timeout_s=60)))

    with closing(open_tools()) as tools:
        spec = spec_of(PYTHON, "semantic", "rouge_l", tools=tools, strategy="example_addition", epochs=1)
    done = run(session, database, spec, open_tools)
    with database.session() as fresh:
        samples = fresh.scalars(select(SampleRow).where(SampleRow.run_id == done.id)).all()
    assert samples
    for sample in samples:
        assert set(sample.scores) == {"python", "semantic", "rouge_l"}
        assert sample.scores["python"] in (0.0, 1.0)


def test_a_worker_that_may_not_run_code_fails_the_run_with_words(
    session: Session, database: Database, spec_of: Callable[..., Json]
) -> None:
    with closing(ProcessSandbox(CodeLimits(timeout_s=30))) as sandbox:
        spec = spec_of(PYTHON, tools=Tools(sandbox=sandbox))
    queued = training.start(session, spec)
    assert drive(queued.id, database=database, open_llm=lambda: SimulatedLLM(0.0), owner="t", lease_s=30) == "failed"
    session.refresh(queued)
    assert "allow_code" in queued.reason


async def test_the_sealed_test_keeps_back_what_its_judge_may_cost() -> None:
    instructions = "{{criteria}} {{response}} {{reply_format}}"
    judge = ModelRef("simulated/judge", {"max_output_tokens": 50_000})
    scorer = build({"name": "rubric", "instructions": instructions}, NO_TOOLS, judge)
    spec = small_training(exam=Exam(SingleTurn(), scorer), epochs=1)
    llm = models()
    taught = llm.rule

    llm.rule = lambda request: '{"score": 3, "explanation": "So."}' if request.model == judge else taught(request)
    conducted = engine(llm, MemoryRecord().claim(), limits=Limits(usd=100))
    outcome = await conducted.conduct(lambda run: train(run, spec))
    assert outcome["test"]["initial"]["n"] == len(spec.test)
    price = llm.price(judge)
    assert price is not None
    assert price_of_test(conducted, spec, (spec.start, ())).usd >= 50_000 * price.completion_usd
