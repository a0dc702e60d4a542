"""The candidates that a search has found worth keeping, and what each has answered so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.evaluation import Report
from app.core.model import Candidate, Case
from app.core.optimizers import Member, Seen
from app.core.stats import Mean, by_case, mean_of
from app.ports.journal import Sample


@dataclass
class Standing:
    """A candidate of the pool. report: its validation so far. seen: the train rows that it answered, by case id.

    drawn: those of them that were drawn when it was a parent. The others are the rows of its own gate, which it passed with
    some luck; children that had to beat it there would be held against that luck.
    """

    number: int
    candidate: Candidate
    report: Report
    parents: tuple[int, ...] = ()
    seen: dict[str, Seen] = field(default_factory=dict)
    drawn: dict[str, Case] = field(default_factory=dict)

    @property
    def mean(self) -> Mean:
        """Its validation score."""
        return mean_of(self.report.of(self.candidate))

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Its validation samples."""
        return self.report.of(self.candidate)

    def see(self, cases: Sequence[Case], samples: Sequence[Sample]) -> None:
        """Remember what it made of train rows."""
        self.seen |= {case.id: Seen(case, sample) for case, sample in zip(cases, samples, strict=True)}

    def member(self, validation_n: int) -> Member:
        """What strategies may know of it: its texts and scores, no text of validation."""
        answered = [*self.samples, *(seen.sample for seen in self.seen.values())]
        return Member(
            number=self.number,
            candidate=self.candidate,
            parents=self.parents,
            scores={
                case: score for case, found in by_case(answered).items() if (score := mean_of(found).mean) is not None
            },
            mean=self.mean.mean or 0.0,
            complete=len(by_case(self.samples)) == validation_n,
        )


class Pool:
    """Standings by number. Only what passed its gate is in it, so every member was once better than its parent."""

    def __init__(self, initial: Standing) -> None:
        self._standings = {initial.number: initial}

    def add(self, standing: Standing) -> None:
        """Take a candidate in."""
        self._standings[standing.number] = standing

    def __getitem__(self, number: int) -> Standing:
        """One of them. Raises: KeyError."""
        return self._standings[number]

    def members(self, validation_n: int) -> tuple[Member, ...]:
        """All of them as strategies may know them, oldest first."""
        return tuple(self._standings[n].member(validation_n) for n in sorted(self._standings))
