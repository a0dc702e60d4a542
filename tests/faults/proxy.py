"""A TCP proxy that fails on demand, between our processes and a real PostgreSQL or Redis."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from contextlib import suppress
from types import TracebackType
from typing import Self

CHUNK = 65536


class Proxy:
    """Passes bytes on to host:port, from a port of its own.

    refuse: new connections are closed at once. hang: nothing is passed on in either direction. delay_s: each chunk is passed on
    so much later. drip_s: bytes are passed on one by one, so far apart. All may be changed at any time, from any thread.
    """

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.refuse = False
        self.hang = False
        self.delay_s = 0.0
        self.drip_s = 0.0
        self.connections = 0
        self.swallowed = threading.Event()
        """Set when an answer was thrown away (see swallow_answer_to)."""
        self.port = 0
        self._target = (host, port)
        self._mark = self._after = b""
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        with warnings.catch_warnings():  # a connection that was just being accepted has nobody left to close it
            warnings.simplefilter("ignore", ResourceWarning)
            del self._server
            gc.collect()

    def cut(self) -> None:
        """Reset every connection that is open now."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    def swallow_answer_to(self, mark: bytes, after: bytes = b"") -> None:
        """Once: pass on the next chunk of a client that contains the mark, throw the answer away, and cut that connection.

        after: what the same client must have sent before.
        """
        self.swallowed.clear()
        self._after, self._mark = after, mark

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        self.hang = False
        await asyncio.sleep(0.05)  # connections that were accepted already get their tasks
        while tasks := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            _, left = await asyncio.wait(tasks, timeout=5)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0.05)  # connections that were cut are closed by the loop

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            writer.transport.abort()
            return
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self.connections += 1
        self._open |= {writer, up_writer}
        swallow = asyncio.Event()
        try:
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._up(reader, up_writer, swallow)),
                    asyncio.ensure_future(self._down(up_reader, writer, swallow)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for end in (writer, up_writer):
                end.transport.abort()
            self._open -= {writer, up_writer}

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallow: asyncio.Event) -> None:
        with suppress(OSError):
            ready = False
            while chunk := await reader.read(CHUNK):
                ready = ready or self._after in chunk
                if ready and self._mark and self._mark in chunk:
                    self._mark = b""
                    swallow.set()
                await self._pass(chunk, writer)

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallow: asyncio.Event) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if swallow.is_set():
                    self.swallowed.set()
                    return
                await self._pass(chunk, writer)

    async def _pass(self, chunk: bytes, writer: asyncio.StreamWriter) -> None:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        while self.hang:
            await asyncio.sleep(0.02)
        for portion in [chunk[i : i + 1] for i in range(len(chunk))] if self.drip_s else [chunk]:
            writer.write(portion)
            await writer.drain()
            if self.drip_s:
                await asyncio.sleep(self.drip_s)
