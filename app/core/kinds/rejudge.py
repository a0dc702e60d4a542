"""Re-judge a finished training: its recorded proposals and answers go through the same search under other rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from app.core.kinds import training
from app.core.kinds.contest import Entry
from app.core.kinds.recorded import NOT_ON_RECORD, Record, RecordedAnswers, RecordedProposals, Rescoring
from app.core.kinds.search import Search
from app.core.kinds.train import searched
from app.core.kinds.training import Training
from app.core.model import Candidate, Case, Exam, called_as
from app.core.optimizers import Strategy
from app.core.run import Run
from app.core.stats import thin
from app.ports.journal import Sample
from app.ports.llm import Json
from app.ports.scoring import Tools

MISSING = ("leave", "buy", "retry")
CAVEAT = (
    " The rules were chosen after the result was known, so this is exploratory and proves nothing by itself;"
    " confirm it on examples that nobody has seen."
)


@dataclass(frozen=True)
class Replayed(Training):
    """A training that is judged again.

    before: the same with all rows as they were then; batches and blocks are drawn from it, so that leaving a row out moves no
    other one. then: how the training came out, as the spec pins it.
    """

    before: Training | None = None
    record: Record = field(default_factory=lambda: Record((), {}, {}, {}))
    then: Json = None

    @property
    def replayed(self) -> bool:
        """See the base."""
        return True

    @property
    def proposer(self) -> Strategy:
        """See the base."""
        return RecordedProposals(self.record, self.strategy)

    def batch(self, epoch: int, size: int, known: Collection[str] = ()) -> tuple[Case, ...]:
        """See the base."""
        drawn = self.before.batch(epoch, size, known) if self.before else ()
        return self._now(drawn, self.train)

    def blocks(self) -> list[tuple[Case, ...]]:
        """See the base."""
        blocks = self.before.blocks() if self.before else []
        return [left for block in blocks if (left := self._now(block, self.validation))]

    @staticmethod
    def _now(then: Sequence[Case], cases: Sequence[Case]) -> tuple[Case, ...]:
        by_id = {case.id: case for case in cases}
        return tuple(by_id[case.id] for case in then if case.id in by_id)

    def unmeasured(self, samples: Sequence[Sample]) -> str:
        """See the base."""
        missing = sum(s.outcome == NOT_ON_RECORD for s in samples)
        return f"not measured: {missing} of {len(samples)} answers are not on record" if missing else ""

    def tell(self, ruling: str, sentence: str, final: Candidate) -> tuple[str, str]:
        """See the base: never a flat "ship"."""
        if self.test and final != self.start and final.digest not in self.record.tested:
            return "indecisive", (
                "Exploratory: under these rules another version would have won on validation, but it was never read on the"
                " sealed test, and re-judging does not open that again." + CAVEAT
            )
        facts = sentence.partition(": ")[2].replace("unseen examples", "recorded test examples")
        if ruling == "indecisive":
            return ruling, f"Exploratory: under these rules it stays undecided: {facts}{CAVEAT}"
        outcome = "the new prompts would have been shipped" if ruling == "ship" else "the initial prompts would be kept"
        return f"would_{ruling}", f"Exploratory: under these rules {outcome}: {facts}{CAVEAT}"


def prepare(spec: Json, rows: Sequence[tuple[int, str, str]], tools: Tools) -> Replayed:
    """The training to be judged again, from the pinned spec, the rows of the version that it is judged on, and the record.

    spec: its "record" is what the training left (app.core.kinds.recorded.Record). Raises: ValueError when rows or record are
    not those that the spec was made for, or a scorer cannot work here.
    """
    record: Record = spec["record"]
    before = training.prepare(spec, record.rows, tools)
    now = {str(row): (text, reference) for row, text, reference in rows}
    then = {str(row): (text, reference) for row, text, reference in record.rows}

    def left(cases: Sequence[Case]) -> tuple[Case, ...]:
        return tuple(dataclasses.replace(c, input=now[c.id][0], reference=now[c.id][1]) for c in cases if c.id in now)

    judges = [called_as(one.get("judge")) for one in (spec, spec["source"])]
    same = spec["scorers"] == spec["source"]["scorers"] and judges[0] == judges[1]
    trusted = frozenset(case for case, text in then.items() if now.get(case) == text) if same else frozenset()
    buy, retry = spec["missing"] != "leave", spec["missing"] == "retry"
    answers = RecordedAnswers(record, spec["source"]["run"], buy, trusted, retry)
    values = {one.name: getattr(before, one.name) for one in dataclasses.fields(Training)}
    parts = {name: left(getattr(before, name)) for name in ("train", "validation", "test")}
    if not parts["train"] or not parts["validation"]:
        raise ValueError("the version leaves no row of train or of validation, so there is nothing to judge by")
    # Recorded answers are no fresh look; what is bought on validation is one.
    looked = spec["source"]["looks"]
    exam = Exam(answers, Rescoring(before.exam.scorer, buy), {"test": looked["test"]} if buy else looked)
    return Replayed(**values | parts | {"exam": exam}, before=before, record=record, then=spec["source"])


async def rejudge(run: Run, spec: Replayed) -> Json:
    """Judge again and return the run's outcome: the training's, with each decision then and now."""
    outcome, search = await searched(run, spec)
    decisions = _decisions(spec, search)
    judged = [one for one in decisions if one["now"] and one["now"]["measured"]]
    changed = sum(one["now"]["fate"] != one["then"]["fate"] for one in judged)
    counts = {name: len(getattr(spec, name)) for name in ("train", "validation", "test")}
    left_out = len(spec.record.rows) - sum(counts.values())
    about = {"rejudged": spec.then["run"], "then": spec.then, "n": counts, "left_out": left_out}
    return outcome | about | {"decisions": decisions, "changed": changed, "unmeasured": len(decisions) - len(judged)}


def _decisions(spec: Replayed, search: Search | None) -> list[Json]:
    """Every proposal of the training with its fate then and now; now is None for one that was not judged."""
    now = {entry.number: entry for entry in search.settled} if search else {}
    found = []
    for epoch in sorted(spec.record.proposals):
        for note in spec.record.proposals[epoch]:
            then = {"fate": note["fate"], "why": note.get("why", ""), "validation": note.get("validation")}
            entry = now.get(note["number"])
            found.append(
                {"number": note["number"], "epoch": epoch, "then": then, "now": _fate(spec, entry) if entry else None}
            )
    return found


def _fate(spec: Replayed, entry: Entry) -> Json:
    fate = entry.fate
    missing = spec.unmeasured(entry.child.samples if fate.validation else entry.gated)
    deciding = fate.paired or fate.gate
    open_ = bool(missing) and fate.fate == "rejected" and (fate.why == missing or (deciding and bool(thin(deciding))))
    return {
        "fate": fate.fate,
        "why": fate.why,
        "measured": not open_,
        "validation": fate.validation.as_json() if fate.validation else None,
    }
