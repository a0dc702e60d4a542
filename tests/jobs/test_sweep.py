from __future__ import annotations

import threading

from app.jobs.sweep import Sweep


def sweep(wanted: list[str], free: int, sent: list[str], *, broker: bool = True) -> Sweep:
    def enqueue(run_id: str) -> bool:
        sent.append(run_id)
        return broker

    return Sweep(lambda: wanted, lambda: free, enqueue, lambda: None, lambda: None)


def test_it_hints_at_no_more_runs_than_this_worker_can_take() -> None:
    sent: list[str] = []
    assert sweep(["a", "b", "c"], 2, sent).once() == ["a", "b"]
    assert sweep(["a"], 0, sent).once() == []
    assert sweep(["a"], -1, sent).once() == []
    assert sent == ["a", "b"]


def test_a_hint_that_could_not_be_sent_is_not_counted() -> None:
    assert sweep(["a"], 1, [], broker=False).once() == []


def test_a_failing_round_does_not_end_it() -> None:
    stop, rounds = threading.Event(), []

    def abandoned() -> list[str]:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise ConnectionError("the database is away")
        stop.set()
        return []

    Sweep(abandoned, lambda: 1, lambda _: True, lambda: None, lambda: None).forever(0.01, stop)
    assert rounds == [0, 1]
