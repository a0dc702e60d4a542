"""Examples worth a person's look: what speaks against the answer that stands there, and how strongly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.core.datasets.normal import canonical_answer, normalised
from app.core.stats.interval import wilson

MARGIN = 0.05
"""A candidate is strong when its mean on validation is at most this far below the best of its run."""
ENOUGH = 0.5
"""And when it was scored on at least this share of the rows that the most scored one was."""
FLIP_WEIGHT = 0.5
"""A candidate that contradicts itself speaks for an unclear example, which is less than a wrong answer."""


@dataclass(frozen=True, slots=True)
class Given:
    """One strong candidate's wrong answer to a row. run: where it was given."""

    candidate: str
    run: str
    text: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """A wrong answer, as the first of those wrote it who gave it.

    same_words: it differs from the reference in case, spaces or punctuation only, so the scorer may be too strict.
    """

    text: str
    by: tuple[Given, ...]
    same_words: bool = False


@dataclass(frozen=True, slots=True)
class Failing:
    """Every strong candidate that was asked is wrong. asked: how many; answers: what they said, the commonest first."""

    asked: int
    answers: tuple[Agreed, ...]

    @property
    def agreed(self) -> int:
        """How many gave the commonest wrong answer."""
        return len(self.answers[0].by) if self.answers else 0


@dataclass(frozen=True, slots=True)
class Conflict:
    """Rows with the same input have other answers. rows: all of them; answer: the commonest other one, on ``times`` rows."""

    rows: tuple[int, ...]
    answer: str
    times: int


@dataclass(frozen=True, slots=True)
class Flips:
    """Of ``asked`` candidates that answered several times, ``flipped`` were right at one time and wrong at another."""

    flipped: int
    asked: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A row with everything that speaks against it. splits: where runs have read it."""

    row: int
    failing: Failing | None = None
    conflict: Conflict | None = None
    flips: Flips | None = None
    splits: frozenset[str] = frozenset()

    @property
    def suspicion(self) -> float:
        """In [0, 1): the largest of the signs, to six decimals.

        Agreement on one other answer counts as the lower end of Wilson's 95 % interval of the share that agrees, so that three
        of three say more than two of two, and more than five of ten.
        """
        signs = [0.0]
        if self.failing:
            signs.append(at_least(self.failing.agreed, self.failing.asked))
        if self.conflict:
            signs.append(at_least(self.conflict.times, len(self.conflict.rows)))
        if self.flips:
            signs.append(FLIP_WEIGHT * at_least(self.flips.flipped, self.flips.asked))
        return round(max(signs), 6)

    @property
    def signs(self) -> tuple[str, ...]:
        """Names of what was found: failing, conflict, flips."""
        return tuple(name for name in SIGNS if getattr(self, name))

    @property
    def suggestion(self) -> str:
        """The answer that most speaks for; "" when nothing does."""
        if self.failing and self.failing.agreed > 1 and not self.failing.answers[0].same_words:
            return self.failing.answers[0].text
        return self.conflict.answer if self.conflict else ""

    @property
    def sealed(self) -> bool:
        """Whether candidates have answered it in a sealed test."""
        return "test" in self.splits


SIGNS = ("failing", "conflict", "flips")


def at_least(times: int, of: int) -> float:
    """The lower end of Wilson's 95 % interval of times / of; 0 of nothing."""
    return wilson(times, of)[0] if of else 0.0


def strong(means: Mapping[str, tuple[int, float]]) -> list[str]:
    """The strong ones of a run's candidates, given as candidate -> (rows scored, mean on validation)."""
    if not means:
        return []
    enough = ENOUGH * max(n for n, _ in means.values())
    measured = {candidate: mean for candidate, (n, mean) in means.items() if n >= enough}
    best = max(measured.values())
    return [candidate for candidate, mean in measured.items() if mean >= best - MARGIN - 1e-12]


def failing(reference: str, given: Iterable[Given]) -> Failing:
    """What wrong answers to one row say together; the last answer of each candidate counts."""
    latest = {one.candidate: one for one in given}
    groups: defaultdict[str, list[Given]] = defaultdict(list)
    for one in latest.values():
        groups[normalised(one.text)].append(one)
    own = normalised(reference)
    agreed = [Agreed(found[0].text, tuple(found), key == own) for key, found in groups.items()]
    return Failing(len(latest), tuple(sorted(agreed, key=lambda one: (-len(one.by), one.text))))


def conflicts(rows: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, Conflict]]:
    """(row, conflict) of every row whose input stands with different answers among (row, input, answer) triples."""
    groups: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for row, text, answer in rows:
        groups[normalised(text)].append((row, canonical_answer(answer)))
    for members in groups.values():
        answers = Counter(answer for _, answer in members)
        if len(answers) > 1:
            yield from _each(members, answers)


def _each(members: Sequence[tuple[int, str]], answers: Counter[str]) -> Iterator[tuple[int, Conflict]]:
    numbers = tuple(row for row, _ in members)
    for row, own in members:
        other, times = min(((a, n) for a, n in answers.items() if a != own), key=lambda one: (-one[1], one[0]))
        yield row, Conflict(numbers, other, times)


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The most suspicious first; equal ones by row."""
    return sorted(findings, key=place)


def place(finding: Finding) -> tuple[float, int]:
    """What findings are ordered by."""
    return -finding.suspicion, finding.row
