"""The search of a training: epochs of propose, gate, race and accept, which never touch the test split."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from app.core.desk import FINAL_ERRORS
from app.core.evaluation import Report
from app.core.halt import ProviderDown
from app.core.kinds.contest import Contest, Entry
from app.core.kinds.kept_back import price_of_test
from app.core.kinds.pool import Pool, Standing
from app.core.kinds.spending import next_size
from app.core.kinds.training import Training
from app.core.kinds.worth import Ledger
from app.core.model import Ask, Candidate, Case
from app.core.optimizers import MERGE, Evidence, Outlook, Past, Proposal, Seen, Strategy, Trial, merged
from app.core.optimizers.evidence import choose_evidence
from app.core.optimizers.hygiene import flaw
from app.core.run import Run
from app.core.stats import Mean, mean_of
from app.ports.journal import CallResult, Sample
from app.ports.llm import Json, Message, ModelRef

REMEMBERED = 8
"""Earlier proposals that the optimiser is reminded of."""


@dataclass
class Search:
    """The state of one training's search. Validation text stays in here: strategies only get train cases."""

    run: Run
    spec: Training
    initial: Standing
    best: Standing
    tried: dict[str, int]
    past: list[Past] = field(default_factory=list)
    trials: list[Trial] = field(default_factory=list)
    settled: list[Entry] = field(default_factory=list)
    proposals: int = 0
    accepted: int = 0
    validated: int = 1
    """Candidates that were measured on validation, the initial prompts included."""
    epochs: int = 0

    def __post_init__(self) -> None:
        self._pool = Pool(self.initial)
        self._contest = Contest(self.run, self.spec)
        self._ledger = Ledger(self.run, self.spec.stop_above_usd_per_point, self.spec.has_ledger)
        self._size = min(self.spec.batch_size, len(self.spec.train))
        self._lost = 0
        self._asked = self._scored = 0
        self._count(self.initial.mean)
        self._failed: dict[str, dict[str, Seen]] = {}

    async def go(self) -> tuple[str, str]:
        """Run epochs until one of the stops; returns which one, and a sentence."""
        spec, stale = self.spec, 0
        await self._ledger.open()
        while True:
            if self.best.mean.mean == 1.0:
                return "perfect", "every validation example that could be scored is answered right"
            if self.epochs == spec.epochs:
                return "max_epochs", f"all {spec.epochs} epochs are done"
            if stale == spec.patience:
                return "patience", f"{stale} epochs without an improvement"
            if too_dear := self._ledger.not_worth(self.best.mean.mean):
                return "not_worth", too_dear
            stale = 0 if await self._epoch(self.epochs + 1, stale) else stale + 1
            self.epochs += 1

    async def _epoch(self, epoch: int, stale: int) -> bool:
        """One epoch; True when it improved the best prompt."""
        before, outlook = self.best, self._outlook(epoch)
        parent = self._pool[self._strategy.parent(outlook)]
        batch = self.spec.batch(epoch, self._size, parent.drawn)
        report = await self.run.evaluate([parent.candidate], batch, self.spec.exam, stage=f"epoch {epoch}: minibatch")
        samples = report.of(parent.candidate)
        parent.see(batch, samples)
        parent.drawn |= {case.id: case for case in batch}
        evidence = self._evidence(outlook, parent)
        self.run.note(
            "epoch",
            epoch=epoch,
            parent=parent.number,
            batch=mean_of(samples).as_json(),
            failures=len(evidence.failures),
        )
        entries: list[Entry] = []
        if evidence.failures or self.spec.replayed:
            entries = await self._compete(parent, await self._propose(evidence), batch)
        else:
            self._log(f"Epoch {epoch}: no failures were seen yet, so there was nothing to learn from.", "info")
        improved = self.best is not before
        scored = [m for e in entries if (m := e.fate.validation) and m.mean is not None]
        gain = max(0.0, (self.best.mean.mean or 0.0) - (before.mean.mean or 0.0))
        price = await self._ledger.close(epoch, gain, self.best.mean.mean)
        self.run.note(
            "epoch_end",
            epoch=epoch,
            train=mean_of(samples).as_json(),
            validation=max(scored, key=lambda m: m.mean or 0.0).as_json() if scored else None,
            best=self.best.mean.as_json(),
            best_number=self.best.number,
            stale=0 if improved else stale + 1,
            **price,
        )
        self._lost = 0 if improved else self._lost + len(scored)
        if improved or scored:
            self._size = next_size(self._size, self.spec, self._lost)
        return improved

    @property
    def coverage(self) -> float:
        """Share of the answers so far that could be scored, in [0, 1]. Of pairs, about its square."""
        return self._scored / self._asked if self._asked else 1.0

    def _count(self, *means: Mean | None) -> None:
        for mean in means:
            self._scored += mean.n if mean else 0
            self._asked += mean.asked if mean else 0

    @property
    def _strategy(self) -> Strategy:
        return self.spec.proposer

    def _outlook(self, epoch: int) -> Outlook:
        members = self._pool.members(len(self.spec.validation))
        return Outlook(epoch, self.spec.seed, self.best.number, members, tuple(self.trials))

    def _evidence(self, outlook: Outlook, parent: Standing) -> Evidence:
        spec, rows = self.spec, tuple(parent.seen.values())
        failures, successes = choose_evidence(
            rows, k=spec.failures, successes=spec.successes, seed=spec.seed + outlook.epoch
        )
        return Evidence(
            parent=parent.candidate,
            parent_number=parent.number,
            failures=failures,
            successes=successes,
            seen=rows,
            rejected=tuple(self.past[-REMEMBERED:]),
            task_hint=spec.task_hint,
            train=spec.train,
            epoch=outlook.epoch,
            seed=spec.seed,
            max_prompt_chars=spec.max_prompt_chars,
            max_prompt_tokens=spec.max_prompt_tokens,
            locked=spec.locked,
            optimizer=spec.optimizer,
            instructions=spec.instructions,
            outlook=outlook,
        )

    async def _propose(self, evidence: Evidence) -> list[Proposal]:
        async def work(ask: Ask) -> Json:
            return [asdict(p) for p in await self._strategy.propose(evidence, _insist(ask))]

        raw = await self.run.step(f"propose/{evidence.epoch}", work)
        # A release before this one recorded proposals without their further parents.
        found = [Proposal(**p | {"parents": tuple(p.get("parents", ()))}) for p in raw]
        if not found:
            told = f"Epoch {evidence.epoch}: no usable proposal came; it counts as an epoch without improvement."
            self._log(told, "warning")
        return found

    async def _compete(self, parent: Standing, proposals: Sequence[Proposal], batch: Sequence[Case]) -> list[Entry]:
        """Settle the proposals of an epoch: flaw, gate, race, acceptance; and note what became of each."""
        entries = [await self._enter(parent, proposal, batch) for proposal in proposals]
        better = sorted((e for e in entries if e.mergeable), key=lambda e: (-e.lead, e.number))
        if merger := self._merger(parent, better):
            entries.append(await self._enter(parent, merger, batch))
        for place, entry in enumerate(_ranked(entries)):
            if place == 0:
                await self._race(entry, better)
            else:
                entry.fate.why = "another proposal of its epoch did better at the gate; it stays in the pool"
            self._settle(entry)
        return entries

    def _merger(self, parent: Standing, siblings: Sequence[Entry]) -> Proposal | None:
        """The changes of several proposals in one; None when that is nothing new."""
        if not self._strategy.merges or len(siblings) < 2:
            return None
        texts = merged(parent.candidate, [e.child.candidate for e in siblings])
        if texts in [(e.child.candidate.system_prompt, e.child.candidate.output_prompt) for e in siblings]:
            return None
        told = "The changes of proposals " + ", ".join(str(e.number) for e in siblings) + ", merged."
        return Proposal(*texts, told, MERGE, tuple(e.number for e in siblings))

    async def _enter(self, parent: Standing, proposal: Proposal, batch: Sequence[Case]) -> Entry:
        """A proposal after its gate; what failed there is settled."""
        self.proposals += 1
        candidate = Candidate(proposal.system_prompt, proposal.output_prompt, self.spec.start.model)
        child = Standing(self.proposals, candidate, Report([]), (parent.number, *proposal.parents))
        child.seen |= self._failed.get(candidate.digest, {})
        entry = Entry(child, parent, proposal, proposal.strategy or self.spec.strategy)
        # What takes seconds on large data goes to a thread: meanwhile the lease is renewed and a pause is heard.
        if problem := await asyncio.to_thread(self._flaw, entry):
            entry.fate.fate, entry.fate.why = "invalid", problem
        else:
            await self._contest.gate(entry, batch)
        if entry.passed or entry.fate.fate == "invalid":
            self.tried.setdefault(candidate.digest, entry.number)
        if entry.passed:
            self._pool.add(child)
        else:
            self._failed[candidate.digest] = child.seen
            self._settle(entry)
        return entry

    async def _race(self, entry: Entry, siblings: Sequence[Entry]) -> None:
        """Validate one that passed its gate; the new best when it wins."""
        self.keep_back((entry.child.candidate, entry.gated))
        before = self.best.mean.mean or 0.0
        self.validated += 1
        if await self._contest.race(entry, self.best):
            entry.fate.fate = "accepted"
            self.best = entry.child
            self.accepted += 1
            if entry.strategy == MERGE:
                gain = ((self.best.mean.mean or 0.0) - before) / len(siblings)
                self.trials += [Trial(e.strategy, self.epochs + 1, gain, 0) for e in siblings]
        self.keep_back()

    def _settle(self, entry: Entry) -> None:
        """Note what became of a proposal, and remember it."""
        fate, proposal = entry.fate, entry.proposal
        self.settled.append(entry)
        self._count(fate.batch, fate.validation)
        won = fate.fate == "accepted"
        gain = (fate.delta or 0.0) if won and entry.strategy != MERGE else 0.0
        self.trials.append(Trial(entry.strategy, self.epochs + 1, gain, entry.rollouts))
        if not won and (fate.validation or not entry.passed):
            texts = (proposal.system_prompt, proposal.output_prompt, proposal.reasoning)
            self.past.append(Past(*texts, fate=fate.fate, why=fate.why, delta=fate.delta))
        self.run.note(
            "proposal",
            epoch=self.epochs + 1,
            number=entry.number,
            parent=entry.parent.number,
            digest=entry.child.candidate.digest,
            **asdict(proposal) | {"strategy": entry.strategy, "parents": list(entry.child.parents)},
            **fate.as_json(),
        )

    def _flaw(self, entry: Entry) -> str:
        if known := self.tried.get(entry.child.candidate.digest):
            return f"it is the same as proposal {known}"
        return flaw(
            entry.proposal,
            entry.parent.candidate,
            train=self.spec.train,
            hidden=(*self.spec.validation, *self.spec.test),
            max_chars=self.spec.max_prompt_chars,
            max_tokens=self.spec.max_prompt_tokens,
            locked=self.spec.locked,
            examples_allowed=self._strategy.adds_examples,
        )

    def keep_back(self, *racing: tuple[Candidate, Sequence[Sample]]) -> None:
        """Set aside what the sealed test will cost, should the racing candidate win."""
        leader = [] if self.best is self.initial else [(self.best.candidate, self.best.samples)]
        seen = [(self.initial.candidate, self.initial.samples), *(racing or leader)]
        if self.spec.shorten != "off":  # one more reading, by a prompt that is no longer than the last of these
            seen.append(seen[-1])
        self.run.budget.kept_back = price_of_test(self.run, self.spec, *seen)

    def _log(self, text: str, level: str) -> None:
        self.run.note("log", level=level, text=text)


def _ranked(entries: Sequence[Entry]) -> list[Entry]:
    """Those that passed their gate, the best there first."""
    return sorted((e for e in entries if e.passed), key=lambda e: (-e.lead, e.number))


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
