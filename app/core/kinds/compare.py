"""Compare prompts on examples: every one answers the same cases, and each is compared with the first, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core import scorers
from app.core.datasets import split
from app.core.evaluation import Report
from app.core.halt import BudgetReached
from app.core.model import Candidate, Case, Exam, model_ref
from app.core.pictures import with_marks
from app.core.responders.single_turn import SingleTurn
from app.core.run import Run
from app.core.stats import Paired, mean_of, paired, strictness, thin
from app.ports.llm import Json
from app.ports.scoring import Tools

PARTS = ("test", "validation", "train", "all")
"""What of the dataset the prompts are measured on."""


@dataclass(frozen=True)
class Contender:
    """A prompt that is compared. name: what people call it. number: from 0, which the others are compared with."""

    number: int
    name: str
    candidate: Candidate


@dataclass(frozen=True)
class Comparison:
    """What is compared, on what. alpha: significance level of one comparison alone."""

    contenders: tuple[Contender, ...]
    cases: tuple[Case, ...]
    part: str
    exam: Exam
    alpha: float
    repeats: int
    seed: int

    @property
    def simulated(self) -> bool:
        """Whether the model is the simulated provider."""
        return self.contenders[0].candidate.model.name.startswith("simulated/")

    @property
    def exams(self) -> tuple[Exam, ...]:
        """Everything that pieces of the run are examined by."""
        return (self.exam,)


def prepare(spec: Json, rows: Sequence[tuple[int, str, str]], tools: Tools) -> Comparison:
    """A comparison from its pinned spec, the dataset's (row, input, reference) triples, and what scorers may use here.

    spec: its "pictures" are those of the dataset's rows, where there are any. Raises: ValueError when the rows are not those
    that the spec was made for, or a scorer cannot work here.
    """
    pinned, pictures = spec["split"], spec.get("pictures", {})
    parts = split(with_marks(rows, pictures), pinned["ratios"], pinned["seed"])
    if parts.digest != pinned["digest"]:
        raise ValueError("the dataset or its split is not the one that this run was made for")
    part_of, wanted = parts.part_of(), spec["part"]
    cases = tuple(
        Case(str(row), text, reference, split=part_of[row], picture=pictures.get(row))
        for row, text, reference in rows
        if wanted in ("all", part_of[row])
    )
    model = model_ref(spec["primary"])
    contenders = (
        Contender(number, one["name"], Candidate(one["system_prompt"], one["output_prompt"], model))
        for number, one in enumerate(spec["candidates"])
    )
    judge = model_ref(spec["judge"]) if spec["judge"] else None
    exam = Exam(SingleTurn(), scorers.build(spec["scorers"], tools, judge))
    return Comparison(tuple(contenders), cases, wanted, exam, spec["alpha"], spec["repeats"], spec["seed"])


async def compare(run: Run, spec: Comparison) -> Json:
    """Ask everything once and return what each contender's answers say against the first one's."""
    candidates = [one.candidate for one in spec.contenders]
    run.expect(len(candidates) * len(spec.cases) * spec.repeats)
    for one in spec.contenders:
        texts = {"system_prompt": one.candidate.system_prompt, "output_prompt": one.candidate.output_prompt}
        run.note("candidate", number=one.number, title=one.name, digest=one.candidate.digest, **texts)
    try:
        report = await run.evaluate(candidates, spec.cases, spec.exam, spec.repeats, stage="comparing", texts=False)
    except BudgetReached as reached:
        told = f"Nothing can be said: the budget ended before every answer was given: {reached}."
        return _told(run, spec, "indecisive", told) | {"stopped_by": "budget", "stopped_why": str(reached)}
    found = _results(spec, report)
    ruling, sentence = _ruling(found)
    return _told(run, spec, ruling, sentence) | {"candidates": found, "comparison": report.comparison}


def _told(run: Run, spec: Comparison, ruling: str, sentence: str) -> dict[str, Json]:
    run.note("verdict", verdict=ruling, sentence=sentence)
    about = {"part": spec.part, "n": len(spec.cases), "alpha": spec.alpha, "simulated": spec.simulated}
    return {"verdict": ruling, "sentence": sentence, "candidates": [], "comparison": 0, **about}


def _results(spec: Comparison, report: Report) -> list[Json]:
    """Each contender's mean, and its comparison with the first, which is held to its share of the error."""
    first = report.of(spec.contenders[0].candidate)
    number = max(1, report.comparison) * (len(spec.contenders) - 1)
    alpha, level = strictness(spec.alpha, number)
    found = []
    for one in spec.contenders:
        samples = report.of(one.candidate)
        against = paired(first, samples, seed=spec.seed, level=level) if one.number else None
        about = {"number": one.number, "name": one.name, "digest": one.candidate.digest}
        scores = {"mean": mean_of(samples).as_json(), "paired": against.as_json() if against else None}
        found.append(about | scores | {"finding": _finding(against, alpha) if against else "first"})
    return found


def _finding(against: Paired, alpha: float) -> str:
    """better or worse than the first where chance hardly explains it; no difference; or indecisive for too few pairs."""
    if thin(against) or against.delta is None or against.low is None or against.high is None:
        return "indecisive"
    if (against.p_value or 0.0) < alpha and not against.low <= 0.0 <= against.high:
        return "better" if against.delta > 0 else "worse"
    return "no difference"


def _ruling(found: Sequence[Json]) -> tuple[str, str]:
    first, others = found[0], found[1:]
    better = [one for one in others if one["finding"] == "better"]
    if better:
        best = max(better, key=lambda one: one["paired"]["delta"])
        more = f", and so {'is' if len(better) == 2 else 'are'} {len(better) - 1} more" if len(better) > 1 else ""
        return "better", f"{best['name']} is better than {first['name']}: {_facts(best['paired'])}{more}."
    if all(one["finding"] == "worse" for one in others):
        return (
            "first is better",
            f"{first['name']} is better than {_all(others)}: chance hardly explains the difference.",
        )
    if all(one["finding"] == "indecisive" for one in others):
        return "indecisive", "Nothing can be said: too few examples were scored for both."
    return "no difference", f"No clear difference: none is shown to be better than {first['name']}."


def _all(others: Sequence[Json]) -> str:
    return str(others[0]["name"]) if len(others) == 1 else "all others"


def _facts(against: Json) -> str:
    interval = f"{100 * against['level']:.4g} % interval {against['low']:+.3f} to {against['high']:+.3f}"
    return f"{against['delta']:+.3f} on {against['n']} shared examples, {interval}"
