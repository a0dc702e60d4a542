"""What each unit of a prompt is worth: it is left out alone, and the same validation examples are answered without it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from app.core.halt import BudgetReached
from app.core.kinds.training import Training
from app.core.model import Ask, Candidate, Case
from app.core.run import Run
from app.core.stats import UNLIKELY, Paired, by_case, cannot_win, chance_to_win, paired, thin
from app.core.units import Unit, cut, without
from app.ports.journal import Sample
from app.ports.llm import Json

NAMES = ("system_prompt", "output_prompt")


@dataclass(frozen=True)
class Anatomy:
    """A candidate in units, system prompt first."""

    whole: Candidate
    units: tuple[Unit, ...]

    @classmethod
    def of(cls, whole: Candidate, locked: Sequence[str]) -> Anatomy:
        """Cut both prompts."""
        return cls(whole, tuple(chain(*(cut(name, getattr(whole, name), locked) for name in NAMES))))

    def less(self, dropped: Sequence[int]) -> Candidate:
        """The candidate without some of its units, given by their places."""
        texts = []
        for name in NAMES:
            places = [place for place, unit in enumerate(self.units) if unit.prompt == name]
            gone = {at for at, place in enumerate(places) if place in dropped}
            texts.append(without(getattr(self.whole, name), [self.units[place] for place in places], gone))
        return Candidate(texts[0], texts[1], self.whole.model)

    def loose(self) -> list[int]:
        """Places of the units that may be left out, the longest first; none when there is only one to begin with."""
        free = [place for place, unit in enumerate(self.units) if not unit.fixed and len(self.units) > 1]
        return sorted(free, key=lambda place: (-self.units[place].tokens, place))


@dataclass
class Trial:
    """A shorter candidate on its way through validation. out: why it was left before the end; "" when it was not."""

    candidate: Candidate
    samples: tuple[Sample, ...] = ()
    out: str = ""


@dataclass
class Bench:
    """Answers validation for shorter candidates, block by block, within an allowance. rivals: the whole one's, by case.

    left: answers that may still be taken; used: those that were. seen: digests of the candidates that were measured.
    stopped: why it ended before its work was done; "" when it did not.
    """

    run: Run
    spec: Training
    rivals: dict[str, list[Sample]]
    left: int
    stopped: str = ""
    used: int = field(default=0, init=False)
    seen: set[str] = field(default_factory=set, init=False)
    _calls: int = field(default=0, init=False)

    @property
    def size(self) -> int:
        """Answers that one candidate takes in full."""
        return self.spec.repeats * len(self.spec.validation)

    async def race(self, trials: Sequence[Trial], stage: str) -> None:
        """Answer validation for all of them; one that can hardly keep within the margin any more is left."""
        blocks = self.spec.blocks()
        for number, block in enumerate(blocks, start=1):
            running = [trial for trial in trials if not trial.out]
            if not running or not await self._answer(running, block, f"{stage}, block {number}/{len(blocks)}"):
                return
            to_come = [sample for later in blocks[number:] for case in later for sample in self.rivals[case.id]]
            for trial in running:
                trial.out = self._hopeless(trial, to_come)

    async def _answer(self, trials: Sequence[Trial], block: Sequence[Case], stage: str) -> bool:
        """False when a budget has ended it. That goes on record, so that a replay ends at the very same place."""
        self._calls += 1
        # The same sentence twice in a row: without the one or the other, the same prompt is left.
        asked = list({trial.candidate.digest: trial.candidate for trial in trials}.values())
        found, ended = None, ""
        try:
            spec = self.spec
            found = await self.run.evaluate(asked, block, spec.exam, spec.repeats, stage=stage, texts=False)
        except BudgetReached as reached:
            ended = str(reached)

        async def why(_: Ask) -> Json:
            return ended

        self.stopped = await self.run.step(f"shortening/{self._calls}", why)
        if self.stopped or found is None:
            return False
        for trial in trials:
            trial.samples += found.of(trial.candidate)
        self.seen |= {candidate.digest for candidate in asked}
        self.used += len(asked) * len(block) * self.spec.repeats
        self.left -= len(asked) * len(block) * self.spec.repeats
        return True

    def _hopeless(self, trial: Trial, to_come: Sequence[Sample]) -> str:
        if not to_come:
            return ""
        before, margin = self._rivals_of(trial), self.spec.shorten_margin
        cases = len(by_case(to_come))
        likely = chance_to_win(before, trial.samples, cases, min_delta=-margin) >= UNLIKELY
        if likely and not cannot_win(before, trial.samples, to_come, min_delta=-margin):
            return ""
        return f"plain after {len(by_case(trial.samples))} examples, so {cases} were saved"

    def _rivals_of(self, trial: Trial) -> list[Sample]:
        return [sample for case in by_case(trial.samples) for sample in self.rivals[case]]

    async def worth(self, trial: Trial) -> Paired:
        """What was left out is worth: the whole candidate minus the trial, on what the trial has answered."""
        return await asyncio.to_thread(paired, trial.samples, self._rivals_of(trial), seed=self.spec.seed)

    async def loss(self, trial: Trial) -> Paired:
        """The same the other way round, as versions are compared: the trial minus the whole candidate."""
        return await asyncio.to_thread(paired, self._rivals_of(trial), trial.samples, seed=self.spec.seed)

    def harmless(self, trial: Trial, worth: Paired) -> bool:
        """Whether validation shows, by the interval that the search goes by, that no more than the margin is lost."""
        complete = len(trial.samples) == self.size and not trial.out
        return complete and not thin(worth) and (worth.high or 0.0) < self.spec.shorten_margin
