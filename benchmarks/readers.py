"""Many readers of event streams in one process: as browsers do, each comes back when its stream ends, with its last event id.

    python -m benchmarks.readers PORT CLIENTS SECONDS RUN [RUN ...]

Prints one line of JSON: streams opened and refused, most open at once, and for each event id when each reader got it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

OPENED, REFUSED = b": open", b"data: busy"
TICK_S = 0.2
"""The clients come one after the other within the first seconds, not all at one moment."""


class Refused(Exception):
    """There was no place for the stream."""


@dataclass
class Seen:
    """What all readers together have seen. arrivals: seconds since the epoch, by event id."""

    opened: int = 0
    refused: int = 0
    now: int = 0
    most: int = 0
    broken: int = 0
    over: bool = False
    arrivals: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))

    def enter(self) -> None:
        """A stream is open."""
        self.opened += 1
        self.now += 1
        self.most = max(self.most, self.now)


class Reader:
    """One client on one run."""

    def __init__(self, port: int, run_id: str, seen: Seen) -> None:
        self._port, self._run_id, self._seen = port, run_id, seen
        self._last = 0
        self._told = False

    async def forever(self) -> None:
        """Follow the run until it ends, coming back whenever the stream breaks."""
        while not self._told:
            with suppress(OSError, asyncio.IncompleteReadError, Refused):
                await self._once()
            await asyncio.sleep(1.0)

    async def _once(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = (
            f"GET /runs/{self._run_id}/events HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: text/event-stream\r\n"
        )
        writer.write(f"{head}Last-Event-ID: {self._last}\r\n\r\n".encode())
        is_open = False
        try:
            while line := await reader.readline():
                if not is_open and line.startswith(OPENED):
                    is_open = True
                    self._seen.enter()
                await self._take(line.strip())
        finally:
            self._seen.now -= is_open
            self._seen.broken += is_open and not self._told and not self._seen.over
            writer.close()

    async def _take(self, line: bytes) -> None:
        if line.startswith(b"id: "):
            self._last = int(line[4:])
            self._seen.arrivals[self._last].append(time.time())
        elif line == REFUSED:
            self._seen.refused += 1
            await asyncio.sleep(5.0)  # what the server asks a browser to wait; its connection stays open meanwhile
            raise Refused
        elif line == b"event: run-end":
            self._told = True


async def watch(port: int, clients: int, seconds: float, runs: list[str]) -> Seen:
    """So many clients for so many seconds, shared out among the runs."""
    seen = Seen()
    readers = [Reader(port, runs[number % len(runs)], seen) for number in range(clients)]
    tasks = []
    for number, reader in enumerate(readers):
        tasks.append(asyncio.create_task(reader.forever()))
        if number % 50 == 49:
            await asyncio.sleep(TICK_S)
    await asyncio.sleep(seconds)
    seen.over = True
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return seen


def main() -> None:
    """Watch and tell."""
    port, clients, seconds, *runs = sys.argv[1:]
    seen = asyncio.run(watch(int(port), int(clients), float(seconds), runs))
    told = {"opened": seen.opened, "refused": seen.refused, "most": seen.most, "broken": seen.broken}
    print(json.dumps(told | {"arrivals": seen.arrivals}), flush=True)


if __name__ == "__main__":
    main()
