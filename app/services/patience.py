"""Waiting for something that may be slow, but not for long: what many short waits would add up to is bounded as a whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What the work returns or raises, done in a thread.

    Raises: TimeoutError when it takes longer; the thread then ends by itself, and nobody hears of it.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001 - handed on to the one who waits
            outcome.set_exception(error)

    threading.Thread(target=run, name="patience", daemon=True).start()
    return outcome.result(seconds)
