"""What a writer has taken and the store does not hold yet, and how paid answers among it outlive the process."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from app.ports.journal import CallResult
from app.store.rows import INTENT_COLUMNS, Write, result
from app.store.spool import Spool

logger = logging.getLogger(__name__)


class Unwritten:
    """Writes that are tried again, in order, until the store answers. spool: None keeps paid answers in memory alone."""

    def __init__(self, run_id: str, spool: Spool | None) -> None:
        self.writes: list[Write] = []
        self._run_id = run_id
        self._spool = spool
        self._sent: dict[str, Write] = {}
        """Intents of calls without a durable result; a spooled answer takes its own along."""

    def add(self, writes: Sequence[Write]) -> None:
        """Take these over."""
        self.writes += writes
        self._sent.update((write.key, write) for write in writes if write.kind == "intent")

    def committed(self) -> None:
        """Everything is durable."""
        for write in self.writes:
            if write.kind == "result":
                self._sent.pop(write.key, None)
        self.writes = []

    def refuse_intents(self) -> None:
        """Whoever waited for an intent hears that it is not on record and does not send the call; that is a fact to record too.

        A commit whose answer was lost may have put the intent there all the same, and the call would be in doubt for ever.
        """
        ended = {write.key for write in self.writes if write.kind == "result"}
        unsent = [write for write in self.writes if write.kind == "intent" and write.key not in ended]
        self.writes += [_not_sent(self._run_id, write) for write in unsent]

    def save(self, more: Sequence[Write] = ()) -> int:
        """Spool the paid answers among these and more. Returns how many are in the spool. Any thread may call it."""
        if self._spool is None:
            return 0
        results = [write for write in (*self.writes, *more) if write.kind == "result"]
        try:
            self._spool.keep([(self._sent.get(write.key), write) for write in results])
        except OSError as error:
            logger.error("run %s: %d paid answers are in memory alone: %s", self._run_id, len(results), error)
        return self._spool.saved

    def leave(self, more: Sequence[Write]) -> None:
        """The process ends without the store: say what waits for the next worker."""
        saved = self.save(more)
        paid = sum(write.kind == "result" for write in (*self.writes, *more))
        words = "run %s: the store did not take the last writes; of %d answers %d wait in the spool for the next worker"
        logger.warning(words, self._run_id, paid, saved)
        self.close()

    def close(self) -> None:
        """Leave the spool to the run's next claim."""
        if self._spool:
            self._spool.close()

    def clear(self) -> None:
        """Nothing has to wait in the spool any more."""
        if self._spool:
            self._spool.clear()


def _not_sent(run_id: str, intent: Write) -> Write:
    uncertain = dict(zip(INTENT_COLUMNS, intent.values, strict=False))["uncertain"]
    return result(run_id, intent.key, CallResult("not sent: the store was away", error="unsent", uncertain=uncertain))
