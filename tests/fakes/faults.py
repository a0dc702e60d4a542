"""What a fake provider does wrong, and when: a list of rules, the first that applies to a request is played.

A rule is JSON: {"kind": "429", "times": 3, "after": 10, "every": 2, "share": 0.1, "match": "text", "retry_after": "2"}
    kind         a name of KINDS
    times        how often it is played (null: for ever)
    after, every skip the first ``after`` requests that match, then play at every ``every``-th
    share        play at this share of the requests, drawn by a hash of the request and its number; null: always
    match        only requests whose JSON holds this text
    retry_after  seconds for the header of a 429/503: "2", "0.5", "date:3" (an HTTP date), "ms:1500" (retry-after-ms), or null
    paid         whether the model did its work and charged for it (default: see KINDS)
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from email.utils import formatdate
from typing import Any

from aiohttp import web

REFUSALS: dict[str, tuple[int, str, str, str]] = {
    "400": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This request is longer than the model's context.",
    ),
    "401": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: {key}."),
    "403": (403, "permission_error", "permission_denied", "Key {key} may not use this model."),
    "404": (404, "invalid_request_error", "model_not_found", "The model `{model}` does not exist."),
    "429": (429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached."),
    "insufficient_quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "filtered_input": (400, "invalid_request_error", "content_filter", "The prompt was refused by the content filter."),
    "500": (500, "server_error", "internal_error", "The server had an error."),
    "502": (502, "server_error", "bad_gateway", "Bad gateway."),
    "503": (503, "server_error", "overloaded", "Overloaded."),
}
"""Answered with an error body, unpaid: status, type, code, message."""

UNPAID = frozenset({*REFUSALS, "reset", "html"})
PAID = frozenset(
    {
        *("reset_paid", "hang", "stall", "drip", "malformed", "truncated", "not_json_object"),
        *("empty", "null", "no_choices", "length", "content_filter", "no_usage", "paced"),
    }
)
KINDS = UNPAID | PAID
PAUSE_S = 0.25
"""Seconds after each piece of a paced answer."""


@dataclass
class Fault:
    """One rule; see the module's first lines."""

    kind: str
    times: int | None = 1
    after: int = 0
    every: int = 1
    share: float | None = None
    match: str = ""
    retry_after: str | None = None
    paid: bool | None = None
    seen: int = field(default=0, init=False)
    played: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; there are {', '.join(sorted(KINDS))}")

    @property
    def is_paid(self) -> bool:
        """Whether the request ends up on the bill."""
        return self.kind in PAID if self.paid is None else self.paid

    def applies(self, body: str) -> bool:
        """Whether to play it at this request; counts."""
        if self.match not in body:
            return False
        self.seen += 1
        turn = self.seen - 1 - self.after
        due = turn >= 0 and turn % self.every == 0 and (self.times is None or self.played < self.times)
        if due and self.share is not None:
            drawn = hashlib.sha256(f"{self.seen}:{body}".encode()).digest()
            due = int.from_bytes(drawn[:4]) / 2**32 < self.share
        self.played += due
        return due


class FaultPlan:
    """The rules in force."""

    def __init__(self, rules: Sequence[Fault] = ()) -> None:
        self.rules = list(rules)

    @classmethod
    def from_json(cls, rules: Sequence[dict[str, Any]]) -> FaultPlan:
        """Raises: ValueError for an unknown kind or key."""
        known = {f.name for f in fields(Fault) if f.init}
        for rule in rules:
            if strange := set(rule) - known:
                raise ValueError(f"unknown keys in a fault: {', '.join(sorted(strange))}")
        return cls([Fault(**{**rule, "kind": str(rule["kind"])}) for rule in rules])

    def draw(self, body: dict[str, Any]) -> Fault | None:
        """The fault to play at this request."""
        if not self.rules:
            return None
        text = json.dumps(body, ensure_ascii=False)
        return next((rule for rule in self.rules if rule.applies(text)), None)


def retry_headers(form: str | None) -> dict[str, str]:
    """The header that asks for a wait, in the form that the rule wants."""
    if form is None:
        return {}
    if form.startswith("ms:"):
        return {"retry-after-ms": form[3:]}
    if form.startswith("date:"):
        return {"Retry-After": formatdate(time.time() + float(form[5:]), usegmt=True)}
    return {"Retry-After": form}


async def cut(request: web.Request) -> web.StreamResponse:
    """Reset the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    await asyncio.sleep(0)
    return web.Response()


async def hang(request: web.Request) -> web.StreamResponse:
    """Say nothing until the caller gives up."""
    while _open(request):
        await asyncio.sleep(0.02)
    return web.Response()


async def drip(request: web.Request, first: bytes, content_type: str) -> web.StreamResponse:
    """Send the head of an answer, then a harmless byte now and then, until the caller gives up."""
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    await response.write(first)
    filler = b": still here\n\n" if "event-stream" in content_type else b" "
    while _open(request):
        await response.write(filler)
        await asyncio.sleep(0.05)
    return response


async def stall(request: web.Request, first: bytes, content_type: str) -> web.StreamResponse:
    """Send the head of an answer, then nothing."""
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    await response.write(first)
    return await hang(request)


def _open(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


async def paced(request: web.Request, whole: bytes, content_type: str) -> web.StreamResponse:
    """Send a stream event by event, with a pause after each one that holds a piece of text."""
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    for event in re.split(rb'(?<=\n\n)|(?<=\n\r\n)|(?=, \{"modelVersion")', whole):
        await response.write(event)
        if re.search(rb'"(?:text|content)": "[^"]', event):
            await asyncio.sleep(PAUSE_S)
    return response


async def truncated(request: web.Request, whole: bytes, content_type: str) -> web.StreamResponse:
    """Promise a whole answer and close in the middle of it."""
    response = web.StreamResponse(headers={"Content-Type": content_type})
    if "event-stream" not in content_type:
        response.content_length = len(whole)
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    if request.transport is not None:
        await asyncio.sleep(0.01)
        request.transport.close()
    return response
