"""Plan a training: a pilot of the initial prompts on train examples, each asked twice, says what the data can show, and at what
price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.halt import BudgetReached
from app.core.kinds import training
from app.core.kinds.advice import Question, advise
from app.core.kinds.forecast import forecast
from app.core.kinds.training import Training
from app.core.model import Case, Exam
from app.core.run import Run
from app.core.stats import mean_of
from app.core.stats.flips import flip_rate
from app.core.stats.noise import noise_of
from app.ports.journal import Sample
from app.ports.llm import Json
from app.ports.scoring import Tools

REPEATS = 2
"""Answers to each example of the pilot: two are enough to see whether the model contradicts itself."""


@dataclass(frozen=True)
class Plan:
    """The training that is planned. examples: of the pilot, at most. worth: the improvement that it is for, in (0, 1).

    bounds: what the training may take, as the service that starts it has pinned it (see app.core.kinds.forecast), and
    "comparison", which one on this dataset's test split its sealed test will be, from 1.
    """

    training: Training
    examples: int
    worth: float
    bounds: Json

    @property
    def exams(self) -> tuple[Exam, ...]:
        """How the pilot is examined."""
        return self.training.exams

    @property
    def sample(self) -> tuple[Case, ...]:
        """Train examples drawn by the seed: the first of the training's first minibatch, so that it finds their answers."""
        return self.training.batch(1, min(self.examples, len(self.training.train)))


def prepare(spec: Json, rows: Sequence[tuple[int, str, str]], tools: Tools) -> Plan:
    """A plan from its pinned spec (see training.prepare). Raises: ValueError."""
    return Plan(training.prepare(spec, rows, tools), spec["pilot_examples"], spec["worth_points"] / 100, spec["bounds"])


async def plan(run: Run, spec: Plan) -> Json:
    """Ask the pilot's examples twice and return what they say about the training. Validation and test are not touched."""
    planned, sample = spec.training, spec.sample
    run.expect(REPEATS * len(sample))
    run.note("pilot", examples=len(sample), train_n=len(planned.train), repeats=REPEATS)
    try:
        report = await run.evaluate([planned.start], sample, planned.exam, repeats=REPEATS, stage="pilot")
    except BudgetReached as reached:
        return _told(run, spec, _unknown(f"the budget ended before the pilot was done: {reached}"))
    noise = noise_of(report.samples)
    if noise is None:
        return _told(run, spec, _unknown("fewer than two examples of the pilot got a score"), report.samples)
    sizes = (len(planned.train), len(planned.validation), len(planned.test))
    question = Question(sizes, spec.worth, planned.alpha, planned.repeats, spec.bounds["comparison"])
    return _told(run, spec, advise(noise, question), report.samples)


def _unknown(why: str) -> Json:
    return {"verdict": "unknown", "sentence": f"No plan could be made: {why}.", "advice": []}


def _told(run: Run, spec: Plan, advice: Json, samples: Sequence[Sample] = ()) -> Json:
    """The outcome, also as the last note."""
    run.note("advice", verdict=advice["verdict"], sentence=advice["sentence"])
    asked = {"examples": len(spec.sample), "train_n": len(spec.training.train), "repeats": REPEATS}
    pilot = asked | {"mean": mean_of(samples).as_json(), "flips": flip_rate(samples).as_json()}
    expected = forecast(spec.training, samples, spec.bounds)
    return {"simulated": spec.training.simulated, **advice, "pilot": pilot, "expected": expected}
