"""A model provider that costs next to nothing: HTTP/1.1 on a bare asyncio protocol, answers after a fixed latency, counts.

    python -m benchmarks.mock [--latency 0.2] [--port 0]

POST .../chat/completions (plain, or server-sent events with usage) and POST .../models/NAME:streamGenerateContent; GET /count
tells what came and how long it took, POST /reset starts the count anew. Prints its port, and ends with its standard input, so
that it never outlives whoever started it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import time
import zlib
from dataclasses import asdict, dataclass
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CODE = re.compile(r"code (\d+)")
_REVISION = re.compile(r"revision (\d+)")

_FIELD = "[[ ## answer ## ]]"
"""Some clients ask for their own form of an answer; another one would make them ask again."""

START, STEP = 40, 20
"""Percent of the answers that are right without any revision of the prompt, and what each revision adds."""


@dataclass
class Books:
    """What has been asked since the last reset. wall_s: from the first request's arrival to the last answer."""

    calls: int = 0
    answered: int = 0
    in_flight: int = 0
    peak: int = 0
    first: float = 0.0
    last: float = 0.0

    def arrive(self) -> None:
        """A request is here in full."""
        self.first = self.first or time.perf_counter()
        self.calls += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)

    def leave(self) -> None:
        """Its answer is on the way."""
        self.last = time.perf_counter()
        self.answered += 1
        self.in_flight -= 1

    def as_json(self) -> dict[str, float]:
        """For GET /count. cpu_s: of this process since its start."""
        return {**asdict(self), "wall_s": max(0.0, self.last - self.first), "cpu_s": time.process_time()}


class Provider(asyncio.Protocol):
    """One connection. latency_s: from the arrival of the whole request to the answer."""

    books = Books()

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._buffer = b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            self._serve(head.split(b" ", 2)[1], body)

    def _serve(self, path: bytes, body: bytes) -> None:
        if path.startswith(b"/count"):
            self._send(_plain(Provider.books.as_json()))
        elif path.startswith(b"/reset"):
            Provider.books = Books()
            self._send(_plain({}))
        elif not body:
            self._send(_plain({"object": "list", "data": [{"id": "mock", "object": "model"}]}))
        else:
            books = Provider.books
            books.arrive()
            answer = answer_to(path, json.loads(body))
            self._loop.call_later(self._latency_s, self._finish, books, answer)

    def _finish(self, books: Books, answer: bytes) -> None:
        books.leave()
        self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


def answer_to(path: bytes, body: dict[str, Any]) -> bytes:
    """The whole response to one model call."""
    if b":streamGenerateContent" in path:
        texts = [part["text"] for one in body["contents"] for part in one["parts"]]
        system = body.get("systemInstruction") or {"parts": []}
        return _gemini(say([part["text"] for part in system["parts"]] + texts))
    texts = [m["content"] if isinstance(m["content"], str) else json.dumps(m["content"]) for m in body["messages"]]
    text = say(texts)
    return _events(text, body) if body.get("stream") else _whole(text, body)


def say(texts: list[str]) -> str:
    """Repeats the last code that it is shown, right more often with each revision of the prompt; or proposes the next one."""
    joined = "\n".join(texts)
    revision = max((int(n) for n in _REVISION.findall(joined)), default=0)
    if '"reasoning"' in joined:
        prompt = f"Repeat the code that you are given. This is revision {revision + 1}."
        return json.dumps(
            {"system_prompt": prompt, "output_prompt": "Only the code.", "reasoning": "It was too loose."}
        )
    code = (_CODE.findall(joined) or ["0"])[-1]
    luck = zlib.crc32(code.encode()) % 100
    answer = code if luck < START + STEP * revision else "I do not know"
    return f"{_FIELD}\n{answer}\n\n[[ ## completed ## ]]" if _FIELD in joined else answer


def _usage(body: dict[str, Any], text: str) -> dict[str, int]:
    prompt = sum(len(str(m["content"])) // 4 + 4 for m in body["messages"])
    completion = len(text) // 4 + 1
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _whole(text: str, body: dict[str, Any]) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    head = {"id": "mock", "object": "chat.completion", "created": 1, "model": body.get("model", "mock")}
    return _plain({**head, "choices": [choice], "usage": _usage(body, text)})


def _events(text: str, body: dict[str, Any]) -> bytes:
    head = {"id": "mock", "object": "chat.completion.chunk", "created": 1, "model": body.get("model", "mock")}
    said = {**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}]}
    over = {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"usage": _usage(body, text)}
    asked = (body.get("stream_options") or {}).get(
        "include_usage"
    )  # some providers are not asked, and tell it all the same
    events = [said, over, {**head, "choices": [], **usage}] if asked else [said, {**over, **usage}]
    data = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return _chunked("text/event-stream", data.encode())


def _gemini(text: str) -> bytes:
    usage = {"promptTokenCount": 12, "candidatesTokenCount": 3, "totalTokenCount": 15}
    content = {"role": "model", "parts": [{"text": text}]}
    whole = {"candidates": [{"index": 0, "content": content, "finishReason": 1}], "usageMetadata": usage}
    return _chunked("application/json", json.dumps([{**whole, "modelVersion": "mock"}]).encode())


def _plain(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _chunked(kind: str, body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % kind.encode()
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


async def serve(port: int, latency_s: float) -> None:
    """Serve until the standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Provider(latency_s), "127.0.0.1", port, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds from a request to its answer")
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.latency))


if __name__ == "__main__":
    main()
