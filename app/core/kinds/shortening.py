"""After the search: sentences that are not worth anything are left out, and the shorter prompt is offered beside the best one.

Each unit is left out alone on validation; what is worth less than the margin is then left out together, and when that is too
much, the half of it that is worth least. Validation chooses; whether the shorter prompt may be used, the sealed test says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.kinds.ablation import Anatomy, Bench, Trial
from app.core.kinds.pool import Standing
from app.core.kinds.search import Search
from app.core.kinds.training import Training
from app.core.model import Candidate
from app.core.optimizers import SHORTENING, Proposal
from app.core.optimizers.hygiene import flaw
from app.core.run import Run
from app.core.stats import Paired, by_case, mean_of, thin
from app.core.tokens import estimated_tokens
from app.core.units import Unit
from app.ports.llm import Json

UNREACHED = "not measured: the answers for the shortening were used up"


@dataclass
class Finding:
    """What is known of one unit. worth: by how much the prompt is better with it; None when it was not measured."""

    fate: str
    why: str
    worth: Paired | None = None


@dataclass
class Shortened:
    """What the pass has found. offer: the shorter candidate, None when there is none. number: its number as a version.

    measured: shorter candidates that validation was read for.
    """

    best: Standing
    anatomy: Anatomy
    findings: dict[int, Finding]
    number: int
    stopped: str = ""
    answers: int = 0
    measured: int = 0
    offer: Candidate | None = None
    comparison: Paired | None = None
    trial: Trial | None = None

    def as_json(self) -> Json:
        """For the note and the outcome."""
        units = self.anatomy.units
        return {
            "of": self.best.number,
            "units": [_told(unit, self.findings.get(place)) for place, unit in enumerate(units)],
            "answers": self.answers,
            "stopped": self.stopped,
            "tokens_before": _tokens(self.anatomy.whole),
            "tokens_after": _tokens(self.offer) if self.offer else None,
            "offer": _prompt(self.number, self.offer) if self.offer else None,
            "validation": self.comparison.as_json() if self.comparison else None,
        }


async def shorten(run: Run, spec: Training, search: Search) -> Shortened | None:
    """Look for a shorter version of the best prompt; None when nobody has asked for one. A budget ends it, never the run."""
    if spec.shorten == "off":
        return None
    search.keep_back()
    found = await _Pass(run, spec, search.best, search.proposals + 1).go()
    search.validated += found.measured
    run.note("shortening", margin=spec.shorten_margin, **found.as_json())
    if found.offer and found.comparison and found.trial:
        run.note(
            "proposal",
            epoch=search.epochs,
            number=found.number,
            parent=found.best.number,
            digest=found.offer.digest,
            system_prompt=found.offer.system_prompt,
            output_prompt=found.offer.output_prompt,
            reasoning=_reasoning(found),
            strategy=SHORTENING,
            parents=[found.best.number],
            fate="shortened",
            why="offered beside the best prompt; the sealed test says whether it may be used in its place",
            batch=None,
            gate=None,
            validation=mean_of(found.trial.samples).as_json(),
            paired=found.comparison.as_json(),
        )
    return found


@dataclass
class _Pass:
    run: Run
    spec: Training
    best: Standing
    number: int
    found: Shortened = field(init=False)
    bench: Bench = field(init=False)
    refused: str = field(default="", init=False)

    def __post_init__(self) -> None:
        anatomy = Anatomy.of(self.best.candidate, self.spec.locked)
        self.found = Shortened(self.best, anatomy, {}, self.number)
        self.bench = Bench(self.run, self.spec, by_case(self.best.samples), self.spec.shorten_answers)

    async def go(self) -> Shortened:
        loose = self.found.anatomy.loose()
        self.found.findings = {place: Finding("kept", UNREACHED) for place in loose}
        while loose and not self.bench.stopped:
            # What the last comparison takes is set aside: measuring units alone drops nothing.
            room = self.bench.left // self.bench.size - 1
            if room < 1:
                break
            group, loose = loose[:room], loose[room:]
            await self._measure(group)
        await self._drop_together()
        self.found.stopped, self.found.answers = self.bench.stopped, self.bench.used
        self.found.measured = len(self.bench.seen)
        return self.found

    async def _measure(self, group: Sequence[int]) -> None:
        trials = {place: Trial(self.found.anatomy.less([place])) for place in group}
        await self.bench.race(list(trials.values()), f"shortening: {len(group)} sentences, each left out alone")
        for place, trial in trials.items():
            if trial.samples:
                self.found.findings[place] = await self._finding(trial)

    async def _finding(self, trial: Trial) -> Finding:
        worth = await self.bench.worth(trial)
        if self.bench.harmless(trial, worth):
            return Finding("spare", "", worth)
        if problem := thin(worth):
            return Finding("kept", problem, worth)
        if trial.out:
            return Finding("kept", f"the prompts can hardly be as good without it: {trial.out}", worth)
        if len(trial.samples) < self.bench.size:
            return Finding("kept", "not measured to the end", worth)
        most, margin = 100 * (worth.high or 0.0), 100 * self.spec.shorten_margin
        return Finding("kept", f"it may be worth {most:.1f} points; it goes only when that is below {margin:g}", worth)

    async def _drop_together(self) -> None:
        """All spare units at once; when that is too much, the half of them that is worth least, and so on."""
        findings = self.found.findings
        spare = [place for place, finding in findings.items() if finding.fate == "spare"]
        spare.sort(key=lambda place: (_delta(findings[place]), -self.found.anatomy.units[place].tokens, place))
        chosen = spare
        while chosen and not self.found.offer and not self.bench.stopped and self.bench.left >= self.bench.size:
            if not await self._offered(chosen):
                chosen = chosen[: len(chosen) // 2]
        for place in spare:
            dropped = self.found.offer is not None and place in chosen
            alone = self.refused or "alone it can be spared, but not together with the others that were left out"
            why = f"its whole interval is below {100 * self.spec.shorten_margin:g} points" if dropped else alone
            findings[place] = Finding("dropped" if dropped else "kept", why, findings[place].worth)

    async def _offered(self, chosen: Sequence[int]) -> bool:
        candidate = self.found.anatomy.less(chosen)
        # What takes seconds on large data goes to a thread: meanwhile the lease is renewed and a pause is heard.
        if problem := await asyncio.to_thread(self._flaw, candidate):
            self.refused = f"the shorter prompts may not be used: {problem}"
            return False
        trial = Trial(candidate)
        await self.bench.race([trial], f"shortening: {len(chosen)} sentences left out together")
        if not trial.samples:
            return False
        if self.bench.harmless(trial, await self.bench.worth(trial)):
            self.found.offer, self.found.trial = candidate, trial
            self.found.comparison = await self.bench.loss(trial)
        return self.found.offer is not None

    def _flaw(self, candidate: Candidate) -> str:
        spec = self.spec
        return flaw(
            Proposal(candidate.system_prompt, candidate.output_prompt, ""),
            self.best.candidate,
            train=spec.train,
            hidden=(*spec.validation, *spec.test),
            max_chars=None,
            locked=spec.locked,
            examples_allowed=True,
        )


def _delta(finding: Finding) -> float:
    return (finding.worth.delta or 0.0) if finding.worth else 0.0


def _told(unit: Unit, finding: Finding | None) -> Json:
    """A unit as the report shows it."""
    worth = finding.worth if finding else None
    figures = {name: getattr(worth, name) if worth else None for name in ("n", "asked", "delta", "low", "high")}
    fate, why = (finding.fate, finding.why) if finding else ("fixed", unit.fixed or "nothing would be left without it")
    about = {"prompt": unit.prompt, "kind": unit.kind, "text": unit.text, "tokens": unit.tokens}
    return {**about, **figures, "fate": fate, "why": why}


def _reasoning(found: Shortened) -> str:
    dropped = sum(finding.fate == "dropped" for finding in found.findings.values())
    before, after = _tokens(found.anatomy.whole), _tokens(found.offer)
    sentences = "1 sentence" if dropped == 1 else f"{dropped} sentences"
    return (
        f"{sentences} left out that validation shows to be worth nothing: about {after:,} tokens instead of {before:,}."
    )


def _tokens(candidate: Candidate | None) -> int:
    return estimated_tokens(candidate.system_prompt, candidate.output_prompt) if candidate else 0


def _prompt(number: int, candidate: Candidate) -> Json:
    texts = {"system_prompt": candidate.system_prompt, "output_prompt": candidate.output_prompt}
    return {"number": number, **texts, "digest": candidate.digest}
