"""Reads an OpenAI-style chat answer from the wire, streamed or whole, and refuses whatever the protocol does not promise."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from app.llm.answers import Answer
from app.llm.failures import Refusal, read_refusal
from app.ports.llm import Listener, ServerFault, Usage

LARGEST_BODY = 64 * 2**20
"""Bytes of one answer; more is no answer that anybody asked for."""


RECORDED = ("id", "system_fingerprint", "service_tier")
"""What else of an answer is worth keeping."""


class RefusedInside(Exception):
    """A refusal that arrived with status 200, in the body or in the middle of a stream."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def broken(what: str) -> ServerFault:
    """The error for an answer that is not what the protocol promises; the model may have worked for it."""
    return ServerFault(f"the server's answer is broken: {what}", maybe_paid=True)


async def read_stream(
    chunks: AsyncIterator[bytes], elapsed: Callable[[], float], listener: Listener | None = None
) -> Answer:
    """The answer in a stream of server-sent events. elapsed: seconds since sending. listener: hears it while it comes.

    Raises: ServerFault for a broken stream, RefusedInside for an error event.
    """
    collected = _Stream(elapsed, listener)
    rest, size = b"", 0
    async for chunk in chunks:
        size += len(chunk)
        if size > LARGEST_BODY:
            raise broken(f"over {LARGEST_BODY} bytes")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:") and collected.take(line[5:].strip()):
                return collected.finished(said_so=True)
    said_so = rest.startswith(b"data:") and collected.take(rest[5:].strip())
    return collected.finished(said_so=said_so)


class _Stream:
    """What has come so far."""

    def __init__(self, elapsed: Callable[[], float], listener: Listener | None) -> None:
        self._elapsed = elapsed
        self._listener = listener
        self._answer = Answer()
        self._text: list[str] = []
        self._thought: list[str] = []
        self._chosen = False

    def take(self, data: bytes) -> bool:
        """Read one event; True when it was the last one."""
        if data == b"[DONE]":
            return True
        event = parsed(data)
        if event.get("usage"):
            self._answer.usage = usage_of(event["usage"])
        for choice in _list(event.get("choices")):
            if choice.get("index", 0) == 0:
                self._choose(choice)
                if choice.get("logprobs"):
                    self._answer.record["logprobs"] = True
        if not self._answer.model:
            self._answer.model = str(event.get("model") or "")
        record = self._answer.record
        for name in RECORDED:
            if name not in record and event.get(name):
                record[name] = event[name]
        return False

    def _choose(self, choice: dict[str, Any]) -> None:
        self._chosen = True
        delta = _object(choice.get("delta"))
        text, thought = _said(delta)
        if text or thought:
            self._answer.heard(self._elapsed())
        if text and self._listener:
            self._listener.hear(text)
        self._text.append(text)
        self._thought.append(thought)
        self._answer.finish = str(choice.get("finish_reason") or self._answer.finish)
        if delta.get("refusal"):
            self._answer.finish = "refusal"

    def finished(self, *, said_so: bool) -> Answer:
        """The whole answer. said_so: the stream announced its end itself."""
        if not self._chosen:
            raise broken("it holds no choices")
        if not self._answer.finish and not said_so:
            raise broken("the stream ended in the middle")
        self._answer.text = "".join(self._text)
        self._answer.thought = "".join(self._thought)
        return self._answer


def read_whole(body: bytes) -> Answer:
    """The answer in a plain JSON body.

    Raises: ServerFault for a broken body, RefusedInside for an error in it.
    """
    whole = parsed(body)
    choices = _list(whole.get("choices"))
    if not choices:
        raise broken("it holds no choices")
    message = _object(choices[0].get("message"))
    text, thought = _said(message)
    return Answer(
        text=text,
        thought=thought,
        finish="refusal" if message.get("refusal") else str(choices[0].get("finish_reason") or ""),
        usage=usage_of(whole["usage"]) if whole.get("usage") else None,
        model=str(whole.get("model") or ""),
        record={name: whole[name] for name in RECORDED if whole.get(name)},
    )


def parsed(data: bytes) -> dict[str, Any]:
    """A JSON object of the protocol.

    Raises: ServerFault, RefusedInside.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise broken("it is not JSON") from None
    if not isinstance(value, dict):
        raise broken("it is not a JSON object")
    if error := value.get("error"):
        code = error.get("code") if isinstance(error, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        raise RefusedInside(read_refusal(status, {}, data))
    return value


def _said(message: dict[str, Any]) -> tuple[str, str]:
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    thought = message.get("reasoning_content") or message.get("reasoning") or ""
    return str(content), str(thought)


def _list(value: object) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise broken("its choices are not a list")
    return value


def _object(value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise broken("a message is not an object")
    return value


def usage_of(reported: object) -> Usage | None:
    """Token counts as OpenAI reports them; None when there is nothing in them."""
    if not isinstance(reported, dict):
        return None
    prompt, completion = _count(reported, "prompt_tokens"), _count(reported, "completion_tokens")
    if not prompt and not completion:
        return None
    return Usage(
        prompt,
        completion,
        _count(reported.get("completion_tokens_details"), "reasoning_tokens"),
        _count(reported.get("prompt_tokens_details"), "cached_tokens"),
    )


def _count(value: object, name: str) -> int:
    number = value.get(name) if isinstance(value, dict) else None
    return max(0, int(number)) if isinstance(number, int | float) else 0
