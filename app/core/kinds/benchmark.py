"""Compare configs: every prompt is asked of each of them, run after run, and a reviewer ranks the answers.

A config that fails does not stop the others; its answers are missing, and said to be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.core import scorers
from app.core.halt import BudgetReached
from app.core.kinds.reviewing import REVIEW, Answered, Review, Sheet, sheet, worth_reading
from app.core.kinds.standings import Tally, conclude, tallies
from app.core.model import Candidate, Case, Exam, model_ref
from app.core.responders.ready import Ready, packed
from app.core.review import Rubric
from app.core.run import Run
from app.ports.journal import Sample
from app.ports.llm import Json
from app.ports.scoring import Tools


@dataclass(frozen=True)
class Benchmark:
    """Everything a benchmark depends on. names: of the configs, by their candidates' digests. reviewer: None for no review.

    runs: one after another. repeats: answers to each prompt in each of them.
    """

    candidates: tuple[Candidate, ...]
    names: dict[str, str]
    cases: tuple[Case, ...]
    exam: Exam
    reviewer: Candidate | None
    rubric: Rubric
    runs: int
    repeats: int
    seed: int
    simulated: bool

    @property
    def reviewing(self) -> Exam:
        """How reviews are made."""
        return Exam(Review(self.rubric), Answered())

    @property
    def exams(self) -> tuple[Exam, ...]:
        """Everything that pieces of the run are examined by."""
        return (self.exam, self.reviewing) if self.reviewer else (self.exam,)

    def sheets(self, number: int, answers: Sequence[Sample]) -> Iterator[Sheet]:
        """What the reviewer sees of a run's answers: a sheet for each prompt and repeat that has any."""
        for case in self.cases:
            for repeat in range((number - 1) * self.repeats, number * self.repeats):
                page = sheet(case, repeat, [a for a in answers if (a.case, a.repeat) == (case.id, repeat)], self.seed)
                if page.order:
                    yield page


def prepare(spec: Json, rows: Sequence[tuple[int, str, str]], tools: Tools) -> Benchmark:  # noqa: ARG001 - all is pinned
    """A benchmark from its pinned spec. Raises: ValueError when a scorer cannot work here."""
    candidates = tuple(Candidate("", "", model_ref(one)) for one in spec["configs"])
    pictures = spec.get("pictures", {})
    review, judge = spec["review"], model_ref(spec["judge"]) if spec["judge"] else None
    scorer = scorers.build(spec["scorers"], tools, judge) if spec["scorers"] else Answered()
    return Benchmark(
        candidates=candidates,
        names={one.digest: config["label"] for one, config in zip(candidates, spec["configs"], strict=True)},
        cases=tuple(
            Case(one["id"], packed(one["messages"]), one["reference"], picture=pictures.get(one["row"]))
            for one in spec["cases"]
        ),
        exam=Exam(Ready(), scorer),
        reviewer=Candidate("", review["template"], judge) if review and judge else None,
        rubric=Rubric.of(review) if review else Rubric(""),
        runs=spec["runs"],
        repeats=spec["repeats"],
        seed=spec["seed"],
        simulated=any(
            one["name"].startswith("simulated/") for one in (*spec["configs"], spec["judge"] or {"name": ""})
        ),
    )


async def benchmark(run: Run, spec: Benchmark) -> Json:
    """Ask and review, run after run, and return the outcome."""
    reviews = len(spec.cases) * spec.repeats if spec.reviewer else 0
    run.expect(spec.runs * (len(spec.cases) * len(spec.candidates) * spec.repeats + reviews))
    run.note(
        "benchmark", configs=list(spec.names.values()), prompts=len(spec.cases), runs=spec.runs, repeats=spec.repeats
    )
    standing = tallies(spec.names)
    done, stopped = 0, ""
    for number in range(1, spec.runs + 1):
        try:
            await _one_run(run, spec, number, standing)
        except BudgetReached as reached:
            stopped = str(reached)
            break
        done = number
    outcome = conclude(list(standing.values()), done=done, asked=spec.runs, stopped=stopped, scale=spec.rubric)
    run.note("standings", sentence=outcome["sentence"])
    return outcome | {"simulated": spec.simulated}


async def _one_run(run: Run, spec: Benchmark, number: int, standing: dict[str, Tally]) -> None:
    """One run of the session: answers, then their review."""
    of, first = f"run {number} of {spec.runs}" if spec.runs > 1 else "answers", (number - 1) * spec.repeats
    report = await run.evaluate(spec.candidates, spec.cases, spec.exam, spec.repeats, first=first, stage=of)
    for answer in report.samples:
        standing[answer.candidate].add(answer, read=worth_reading(answer))
    told = [one.as_json() for one in standing.values()]
    run.note("answers", number=number, asked=len(report.samples), standings=told)
    if spec.reviewer:
        sheets = list(spec.sheets(number, report.samples))
        await _review(run, spec, (number, sheets), standing)
    run.note("run_end", number=number, standings=[one.as_json() for one in standing.values()])


async def _review(run: Run, spec: Benchmark, work: tuple[int, list[Sheet]], standing: dict[str, Tally]) -> None:
    number, sheets = work
    if not sheets or not spec.reviewer:
        return
    cases = [page.case for page in sheets]
    stage = f"review of run {number}" if spec.runs > 1 else "review"
    report = await run.evaluate([spec.reviewer], cases, spec.reviewing, stage=stage)
    for page, sample in zip(sheets, report.samples, strict=True):
        case, _, repeat = page.case.id.rpartition("#")
        places = [
            {"config": spec.names[page.order[place]], **row}
            for row in (json.loads(sample.response) if sample.response else ())
            for place in (ord(row["label"]) - ord("A"),)
        ]
        for row in places:
            standing[next(key for key, name in spec.names.items() if name == row["config"])].judge(row)
        run.note("review", run=number, case=case, repeat=int(repeat), places=places, error=sample.error)


__all__ = ["REVIEW", "Benchmark", "benchmark", "prepare"]
