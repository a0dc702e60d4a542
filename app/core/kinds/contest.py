"""One proposal's way through the search: the minibatch gate, then the race on validation."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.kinds.pool import Standing
from app.core.kinds.training import Training
from app.core.model import Case
from app.core.optimizers import Proposal
from app.core.run import Run
from app.core.stats import UNLIKELY, Mean, Paired, accepts, by_case, cannot_win, chance_to_win, mean_of, paired, pairs
from app.ports.journal import Sample
from app.ports.llm import Json

LENIENT = 1.0
"""Standard errors by which a proposal may fall short at the gate and still be merged with others."""


@dataclass
class Fate:
    """What became of a proposal, and why. Filled in as far as it came."""

    fate: str = "rejected"
    why: str = ""
    batch: Mean | None = None
    gate: Paired | None = None
    validation: Mean | None = None
    paired: Paired | None = None

    def as_json(self) -> Json:
        """For the proposal's note."""
        parts = {"batch": self.batch, "gate": self.gate, "validation": self.validation, "paired": self.paired}
        return {"fate": self.fate, "why": self.why} | {k: v.as_json() if v else None for k, v in parts.items()}

    @property
    def delta(self) -> float | None:
        """By how much it differed from its rival, by the best measurement that there is."""
        measured = self.paired or self.gate
        return measured.delta if measured else None


@dataclass
class Entry:
    """A proposal under way. parent: what it is compared with at the gate. strategy: who made it."""

    child: Standing
    parent: Standing
    proposal: Proposal
    strategy: str
    fate: Fate = field(default_factory=Fate)
    passed: bool = False
    gated: tuple[Sample, ...] = ()

    @property
    def number(self) -> int:
        """The proposal's number."""
        return self.child.number

    @property
    def lead(self) -> float:
        """By how much it beat its parent at the gate."""
        return (self.fate.gate.delta or 0.0) if self.fate.gate else 0.0

    @property
    def mergeable(self) -> bool:
        """Whether it is worth being merged: better than its parent at the gate, or worse by no more than chance brings."""
        gate = self.fate.gate
        return gate is not None and gate.n > 0 and self.lead >= -LENIENT * (gate.sd or 0.0) / math.sqrt(gate.n)

    @property
    def rollouts(self) -> int:
        """Answers that it took."""
        return len(self.gated) + len(self.child.samples)


@dataclass(frozen=True)
class Contest:
    """How proposals are measured in one run."""

    run: Run
    spec: Training

    async def gate(self, entry: Entry, batch: Sequence[Case]) -> None:
        """Answer the rows that the parent has answered. What is no better there is not worth a validation.

        The second half is answered only by a child that has not fallen behind on the first. When the same child was turned away
        before, its rows of that time count as well: a good one that had bad luck gets another chance, on more evidence.
        """
        spec, child, fate = self.spec, entry.child, entry.fate
        half = len(batch) // 2
        for rows in (batch[:half], batch[half:]) if half else (batch,):
            report = await self.run.evaluate([child.candidate], rows, spec.exam, stage=f"proposal {entry.number}: gate")
            child.see(rows, report.of(child.candidate))
            both = [case for case in child.seen if case in entry.parent.seen]
            before = [entry.parent.seen[case].sample for case in both]
            entry.gated = tuple(child.seen[case].sample for case in both)
            if sum(theirs - ours for _, ours, theirs in pairs(before, entry.gated)) < 0.0:
                break
        fate.batch = mean_of(entry.gated)
        fate.gate = gate = await asyncio.to_thread(paired, before, entry.gated, seed=spec.seed)
        entry.passed, reason = accepts("improvement", gate, min_delta=0.0, alpha=spec.alpha)
        fate.why = "" if entry.passed else f"minibatch gate: {reason}"

    async def race(self, entry: Entry, best: Standing) -> bool:
        """Validate block by block while the child may still beat the best; whether it does."""
        spec, child = self.spec, entry.child
        rival = by_case(best.samples)
        blocks = spec.blocks()
        hopeless = ""
        for number, block in enumerate(blocks, start=1):
            stage = f"proposal {entry.number}: validation {number}/{len(blocks)}"
            found = await self.run.evaluate([child.candidate], block, spec.exam, spec.repeats, stage=stage, texts=False)
            child.report = child.report.plus(found)
            seen = [sample for done in blocks[:number] for case in done for sample in rival[case.id]]
            to_come = [rival[case.id] for later in blocks[number:] for case in later]
            if hopeless := self._hopeless(seen, child, to_come):
                break
        fate = entry.fate
        fate.validation = child.mean
        fate.paired = await asyncio.to_thread(paired, seen, child.samples, seed=spec.seed)
        won, fate.why = accepts(spec.acceptance, fate.paired, min_delta=spec.min_delta, alpha=spec.alpha)
        missing = self.spec.unmeasured(child.samples)
        won, fate.why = won and not missing, hopeless or missing or fate.why
        return won and not hopeless

    def _hopeless(self, seen: Sequence[Sample], child: Standing, to_come: Sequence[Sequence[Sample]]) -> str:
        """Why a race is not worth its rest; "" when it is, or when there is no rest. to_come: the rival's samples, by case."""
        if not to_come:
            return ""
        told = f"after {len(by_case(child.samples))} examples; {len(to_come)} spared"
        if cannot_win(seen, child.samples, [s for case in to_come for s in case], min_delta=self.spec.min_delta):
            return f"it could not win any more {told}"
        chance = chance_to_win(seen, child.samples, len(to_come), min_delta=self.spec.min_delta)
        return f"it could not win any more but by a chance of {chance:.0%} {told}" if chance < UNLIKELY else ""
