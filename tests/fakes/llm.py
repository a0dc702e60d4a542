"""A model in memory that keeps the port's contract, answers by a rule, and counts what it was paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.ports.llm import CallError, ModelRef, Price, Reply, Request, Usage

MODEL = ModelRef("simulated/test", {"temperature": 0, "max_output_tokens": 10})
PRICE = Price(prompt_usd=1e-6, completion_usd=2e-6)


class RuleLLM:
    """rule: from request to answer text, or to the error to raise. latency_s: seconds per call."""

    def __init__(self, rule: Callable[[Request], str | CallError], latency_s: float = 0.0, price: Price | None = PRICE):
        self.rule = rule
        self.latency_s = latency_s
        self.paid: list[Request] = []
        self.sent = 0
        self.in_flight = 0
        self.peak = 0
        self._price = price

    async def complete(self, request: Request, *, deadline_s: float) -> Reply:
        self.sent += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.latency_s)
            answer = self.rule(request)
        finally:
            self.in_flight -= 1
        if isinstance(answer, CallError):
            raise answer
        self.paid.append(request)
        usage = Usage(prompt_tokens=sum(len(m.content.split()) for m in request.messages), completion_tokens=1)
        cost = usage.prompt_tokens * 1e-6 + 2e-6 if self._price else None
        return Reply(answer, "stop", usage, cost, None, self.latency_s, "rule")

    def price(self, model: ModelRef) -> Price | None:
        return self._price

    async def aclose(self) -> None:
        return None
