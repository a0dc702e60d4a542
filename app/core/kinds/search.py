"""The search of a training: epochs of propose, gate, race and accept, which never touch the test split."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from app.core.desk import FINAL_ERRORS
from app.core.evaluation import Report
from app.core.halt import ProviderDown
from app.core.kinds.kept_back import price_of_test
from app.core.kinds.training import Training
from app.core.model import Ask, Candidate, Case
from app.core.optimizers import STRATEGIES, Evidence, Past, Proposal, Seen
from app.core.optimizers.evidence import choose_evidence
from app.core.optimizers.hygiene import flaw
from app.core.run import Run
from app.core.stats import Mean, Paired, accepts, cannot_win, mean_of, paired
from app.ports.journal import CallResult, Sample
from app.ports.llm import Json, Message, ModelRef

REMEMBERED = 8
"""Earlier proposals that the optimiser is reminded of."""


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


@dataclass
class Standing:
    """A candidate that leads or led the search, with its complete validation report."""

    number: int
    candidate: Candidate
    report: Report

    @property
    def mean(self) -> Mean:
        """Its validation score."""
        return mean_of(self.report.of(self.candidate))

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Its validation samples."""
        return self.report.of(self.candidate)


@dataclass
class Search:
    """The state of one training's search. Validation text stays in here: strategies only get train cases."""

    run: Run
    spec: Training
    initial: Standing
    best: Standing
    tried: dict[str, int]
    past: list[Past] = field(default_factory=list)
    proposals: int = 0
    accepted: int = 0
    epochs: int = 0

    async def go(self) -> tuple[str, str]:
        """Run epochs until one of the stops; returns which one, and a sentence."""
        spec, stale = self.spec, 0
        while True:
            if self.best.mean.mean == 1.0:
                return "perfect", "every validation example that could be scored is answered right"
            if self.epochs == spec.epochs:
                return "max_epochs", f"all {spec.epochs} epochs are done"
            if stale == spec.patience:
                return "patience", f"{stale} epochs without an improvement"
            stale = 0 if await self._epoch(self.epochs + 1, stale) else stale + 1
            self.epochs += 1

    async def _epoch(self, epoch: int, stale: int) -> bool:
        """One epoch; True when it improved the best prompt."""
        before, parent = self.best, self.best
        batch = self.spec.batch(epoch)
        seen = await self.run.evaluate([parent.candidate], batch, self.spec.exam, stage=f"epoch {epoch}: minibatch")
        samples = seen.of(parent.candidate)
        rows = [Seen(case, sample) for case, sample in zip(batch, samples, strict=True)]
        failures, successes = choose_evidence(
            rows, k=self.spec.failures, successes=self.spec.successes, seed=self.spec.seed + epoch
        )
        self.run.note(
            "epoch", epoch=epoch, parent=parent.number, batch=mean_of(samples).as_json(), failures=len(failures)
        )
        tried: list[Fate] = []
        if failures:
            proposals = await self._propose(epoch, failures, successes)
            tried = [await self._try(epoch, parent, proposal, batch, samples) for proposal in proposals]
        else:
            self._log(f"Epoch {epoch}: no failures in this minibatch, so there was nothing to learn from.", "info")
        improved = self.best is not before
        scored = [f.validation for f in tried if f.validation and f.validation.mean is not None]
        self.run.note(
            "epoch_end",
            epoch=epoch,
            train=mean_of(samples).as_json(),
            validation=max(scored, key=lambda m: m.mean or 0.0).as_json() if scored else None,
            best=self.best.mean.as_json(),
            best_number=self.best.number,
            stale=0 if improved else stale + 1,
        )
        return improved

    async def _propose(self, epoch: int, failures: Sequence[Seen], successes: Sequence[Seen]) -> list[Proposal]:
        spec = self.spec
        evidence = Evidence(
            parent=self.best.candidate,
            failures=tuple(failures),
            successes=tuple(successes),
            rejected=tuple(self.past[-REMEMBERED:]),
            task_hint=spec.task_hint,
            train=spec.train,
            epoch=epoch,
            seed=spec.seed,
            max_prompt_chars=spec.max_prompt_chars,
            optimizer=spec.optimizer,
            instructions=spec.instructions,
        )

        async def work(ask: Ask) -> Json:
            return [asdict(p) for p in await STRATEGIES[spec.strategy].propose(evidence, _insist(ask))]

        found = [Proposal(**p) for p in await self.run.step(f"propose/{epoch}", work)]
        if not found:
            self._log(f"Epoch {epoch}: no usable proposal came; it counts as an epoch without improvement.", "warning")
        return found

    async def _try(
        self, epoch: int, parent: Standing, proposal: Proposal, batch: Sequence[Case], seen: Sequence[Sample]
    ) -> Fate:
        """Settle one proposal: flaw, gate, race, acceptance; and note what became of it."""
        self.proposals += 1
        number = self.proposals
        child = Candidate(proposal.system_prompt, proposal.output_prompt, self.spec.start.model)
        fate = Fate()
        # What takes seconds on large data goes to a thread: meanwhile the lease is renewed and a pause is heard.
        if problem := await asyncio.to_thread(self._flaw, child, proposal, parent):
            fate.fate, fate.why = "invalid", problem
        elif gated := await self._passes_gate(child, batch, seen, fate):
            await self._race(Standing(number, child, Report([])), gated, fate)
        self.tried.setdefault(child.digest, number)
        delta = fate.paired.delta if fate.paired else fate.gate.delta if fate.gate else None
        if fate.fate != "accepted":
            texts = (proposal.system_prompt, proposal.output_prompt, proposal.reasoning)
            self.past.append(Past(*texts, fate=fate.fate, why=fate.why, delta=delta))
        self.run.note(
            "proposal",
            epoch=epoch,
            number=number,
            parent=parent.number,
            digest=child.digest,
            **asdict(proposal) | {"strategy": proposal.strategy or self.spec.strategy},
            **fate.as_json(),
        )
        return fate

    def _flaw(self, child: Candidate, proposal: Proposal, parent: Standing) -> str:
        if known := self.tried.get(child.digest):
            return f"it is the same as proposal {known}"
        return flaw(
            proposal,
            parent.candidate,
            train=self.spec.train,
            hidden=(*self.spec.validation, *self.spec.test),
            max_chars=self.spec.max_prompt_chars,
            examples_allowed=STRATEGIES[self.spec.strategy].adds_examples,
        )

    async def _passes_gate(
        self, child: Candidate, batch: Sequence[Case], seen: Sequence[Sample], fate: Fate
    ) -> tuple[Sample, ...]:
        """The child's samples; none when it is no better than its parent on the minibatch and not worth a validation."""
        report = await self.run.evaluate([child], batch, self.spec.exam, stage=f"proposal {self.proposals}: gate")
        fate.batch = mean_of(report.of(child))
        fate.gate = await asyncio.to_thread(paired, seen, report.of(child), seed=self.spec.seed)
        passed, reason = accepts("improvement", fate.gate, min_delta=0.0, alpha=self.spec.alpha)
        fate.why = "" if passed else f"minibatch gate: {reason}"
        return report.of(child) if passed else ()

    async def _race(self, child: Standing, gated: Sequence[Sample], fate: Fate) -> None:
        """Validate block by block while the child can still win; accept it or not. gated: its samples so far."""
        self.keep_back((child.candidate, gated))
        spec, rival = self.spec, {s.case: s for s in self.best.samples}
        blocks = spec.blocks()
        for number, block in enumerate(blocks, start=1):
            stage = f"proposal {child.number}: validation {number}/{len(blocks)}"
            child.report = child.report.plus(await self.run.evaluate([child.candidate], block, spec.exam, stage=stage))
            seen = [rival[s.case] for s in child.samples]
            to_come = [rival[c.id] for later in blocks[number:] for c in later]
            if to_come and cannot_win(seen, child.samples, to_come, min_delta=spec.min_delta):
                break
        fate.validation = child.mean
        fate.paired = await asyncio.to_thread(paired, seen, child.samples, seed=spec.seed)
        passed, fate.why = accepts(spec.acceptance, fate.paired, min_delta=spec.min_delta, alpha=spec.alpha)
        if remaining := len(spec.validation) - len(child.samples):
            passed, fate.why = (
                False,
                f"it could not win any more after {len(child.samples)} examples; {remaining} spared",
            )
        if passed:
            fate.fate = "accepted"
            self.best = child
            self.accepted += 1
        self.keep_back()

    def keep_back(self, *racing: tuple[Candidate, Sequence[Sample]]) -> None:
        """Set aside what the sealed test will cost, should the racing candidate win."""
        leader = [] if self.best is self.initial else [(self.best.candidate, self.best.samples)]
        seen = [(self.initial.candidate, self.initial.samples), *(racing or leader)]
        self.run.budget.kept_back = price_of_test(self.run, self.spec, *seen)

    def _log(self, text: str, level: str) -> None:
        self.run.note("log", level=level, text=text)


def _insist(ask: Ask) -> Ask:
    """An ask for the optimiser, whose outage must pause the run instead of using up its patience."""

    async def insisting(
        role: str, model: ModelRef, messages: Sequence[Message], response_schema: Json = None
    ) -> CallResult:
        result = await ask(role, model, messages, response_schema)
        if result.error and result.error not in FINAL_ERRORS:
            raise ProviderDown(f"{model.name} does not answer the optimiser: {result.text}", by_itself=True)
        return result

    return insisting
