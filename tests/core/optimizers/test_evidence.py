"""Which failures the optimiser is shown."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from app.core.model import Case
from app.core.optimizers import Seen
from app.core.optimizers.evidence import choose_evidence
from app.ports.journal import Outcome, Sample


def seen(number: int, score: float | None, *, text: str = "", feedback: str = "", outcome: Outcome = "scored") -> Seen:
    case = Case(str(number), text or f"input {number}", "expected", "train")
    return Seen(case, Sample(str(number), "c", case.id, 0, "train", outcome, score, feedback, "answer"))


def ids(rows: tuple[Seen, ...]) -> list[str]:
    return [row.case.id for row in rows]


def test_the_worst_come_first() -> None:
    failures, successes = choose_evidence([seen(i, i / 10) for i in range(11)], k=3, successes=1, seed=1)
    assert ids(failures) == ["0", "1", "2"]
    assert {row.case.id for row in successes} <= {"9", "10"}
    assert len(successes) == 1


def test_failed_calls_are_neither_failures_nor_successes() -> None:
    rows = [
        seen(0, None, outcome="provider_error"),
        seen(1, None, outcome="truncated"),
        seen(2, 0.0, outcome="parse_failed"),
    ]
    failures, successes = choose_evidence(rows, seed=1)
    assert ids(failures) == ["2"]
    assert successes == ()


def test_a_grouped_file_still_shows_many_kinds_of_failure() -> None:
    """Eight kinds, of ten failures each, one after the other: the first eight rows would show one kind."""
    kinds = ["refund", "parcel", "login", "invoice", "address", "voucher", "newsletter", "warranty"]
    rows = [
        seen(10 * n + i, 0.0, text=f"about my {kind} number {i}", feedback=f'Expected "{kind}_label", got "other".')
        for n, kind in enumerate(kinds)
        for i in range(10)
    ]
    failures, _ = choose_evidence(rows, k=8, seed=3)
    assert len({int(row.case.id) // 10 for row in failures}) == 8


def test_common_kinds_come_before_rare_ones_when_not_all_fit() -> None:
    rare = [seen(i, 0.0, text=f"odd{i} thing{i}", feedback=f"reason{i}") for i in range(6)]
    common = [seen(10 + i, 0.0, text="always the same", feedback="wrong unit") for i in range(5)]
    failures, _ = choose_evidence([*rare, *common], k=2, seed=1)
    assert int(failures[0].case.id) >= 10


@given(st.lists(st.one_of(st.none(), st.sampled_from([0.0, 0.3, 0.95, 1.0])), max_size=30), st.integers(0, 9))
def test_never_too_many_never_twice_always_the_same(scores: list[float | None], seed: int) -> None:
    rows = [seen(i, s, outcome="scored" if s is not None else "timed_out") for i, s in enumerate(scores)]
    failures, successes = choose_evidence(rows, k=8, successes=2, seed=seed)
    assert len(failures) == min(8, sum(s is not None and s < 0.9 for s in scores))
    assert len(successes) == min(2, sum(s is not None and s >= 0.9 for s in scores))
    assert len({*ids(failures), *ids(successes)}) == len(failures) + len(successes)
    assert choose_evidence(rows, k=8, successes=2, seed=seed) == (failures, successes)


def test_a_thousand_long_failures_take_little_time() -> None:
    words = random.Random(1)
    texts = [" ".join(f"w{words.randrange(5000)}" for _ in range(2000)) for _ in range(1000)]
    rows = [seen(i, 0.0, text=text, feedback=text[:40]) for i, text in enumerate(texts)]
    began = time.process_time()
    failures, _ = choose_evidence(rows, seed=1)
    assert len(failures) == 8
    assert time.process_time() - began < 8
