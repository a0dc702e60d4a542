"""What takes long to work out over a large run is worked out once, or at least not for every look at a page."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy.orm import Session

T = TypeVar("T")
WORTH_S = 0.1
"""What is worked out faster than this is not kept."""
PACE = 20
"""What still changes is worked out anew after so many times the time that it took: a twentieth of the time at most."""


class _Kept(NamedTuple, Generic[T]):
    value: T
    until: float


class Remembered(Generic[T]):
    """Values that took long, in this process, by key and database. most: how many are kept, if they took worth_s at least."""

    def __init__(self, most: int = 64, worth_s: float = WORTH_S) -> None:
        self._most = most
        self._worth_s = worth_s
        self._kept: OrderedDict[tuple[Hashable, ...], _Kept[T]] = OrderedDict()

    def get(self, session: Session, key: tuple[Hashable, ...], work_out: Callable[[], T], *, final: bool) -> T:
        """The value. final: it never changes; else it is as old as PACE allows."""
        key = (str(session.get_bind().engine.url), *key)
        kept = self._kept.get(key)
        if kept and time.monotonic() < kept.until:
            return kept.value
        began = time.monotonic()
        value = work_out()
        ended = time.monotonic()
        if ended - began >= self._worth_s:
            self._kept[key] = _Kept(value, float("inf") if final else ended + PACE * (ended - began))
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value
