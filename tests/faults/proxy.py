"""A TCP proxy that does to a connection what networks do: delay, drip, stall, cut, reset, refuse, swallow."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

PORTION = 65536


@dataclass(frozen=True)
class Behaviour:
    """What happens to what passes, in both directions; the default lets everything through.

    delay_s: before each portion is passed on. drip_s: between single bytes. stall: nothing passes any more. cut_after: bytes
    towards the client before its connection is reset. reset: each connection is reset as soon as it is made. swallow:
    connections are taken and never answered.
    """

    delay_s: float = 0.0
    drip_s: float = 0.0
    stall: bool = False
    cut_after: int | None = None
    reset: bool = False
    swallow: bool = False


class Proxy:
    """Stands on a port of its own before another one; ``with`` starts and stops it. Its behaviour can change at any time."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._behaviour = Behaviour()
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        """The target's address by way of the proxy."""
        return urlunsplit(self._target._replace(netloc=f"127.0.0.1:{self.port}"))

    def behave(self, behaviour: Behaviour, *, drop: bool = False) -> None:
        """Change what happens from now on. drop: reset the present connections, too."""
        self._behaviour = behaviour
        if drop:
            self._loop.call_soon_threadsafe(self._drop)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._drop()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _drop(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while self._behaviour.swallow:
                await asyncio.sleep(0.02)
            if not self._behaviour.reset:
                await self._join(reader, writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            upstream = await asyncio.open_connection(self._target.hostname, self._target.port)
            self._open.add(upstream[1])
            ways = [self._pump(reader, upstream[1]), self._pump(upstream[0], writer, answers=True)]
            tasks = [asyncio.ensure_future(way) for way in ways]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._open.discard(upstream[1])
                upstream[1].transport.abort()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False) -> None:
        passed = 0
        while data := await reader.read(PORTION):
            while self._behaviour.stall:
                await asyncio.sleep(0.02)
            behaviour = self._behaviour
            await asyncio.sleep(behaviour.delay_s)
            if answers and behaviour.cut_after is not None:
                data = data[: max(0, behaviour.cut_after - passed)]
                if not data:
                    return
            for portion in [data[i : i + 1] for i in range(len(data))] if behaviour.drip_s else [data]:
                writer.write(portion)
                await writer.drain()
                await asyncio.sleep(behaviour.drip_s)
            passed += len(data)
