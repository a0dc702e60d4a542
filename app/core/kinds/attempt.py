"""Try one request on several models at once: each answers by itself, and one that fails stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.core.halt import BudgetReached, ProviderDown
from app.core.model import Ask, model_ref
from app.core.run import Run
from app.ports.journal import CallResult
from app.ports.llm import Json, Message, ModelRef
from app.ports.scoring import Tools


@dataclass(frozen=True)
class Attempt:
    """messages: what every model is asked. models: who answers, each once."""

    messages: tuple[Message, ...]
    models: tuple[ModelRef, ...]

    @property
    def simulated(self) -> bool:
        """Whether any of the models is the simulated provider."""
        return any(model.name.startswith("simulated/") for model in self.models)


def prepare(spec: Json, rows: Sequence[tuple[int, str, str]], tools: Tools) -> Attempt:  # noqa: ARG001 - it has no dataset
    """An attempt from its pinned spec."""
    messages = tuple(Message(one["role"], one["content"]) for one in spec["messages"])
    return Attempt(messages, tuple(model_ref(one) for one in spec["models"]))


def step_key(number: int) -> str:
    """The key of the step in which a model answers; its calls' keys begin with it. number: place of the model, from 0."""
    return f"answer/{number}"


async def attempt(run: Run, spec: Attempt) -> Json:
    """Ask every model at once and return the answers in the order of the models."""
    asked = [_answer(run, spec, number) for number in range(len(spec.models))]
    ended = await asyncio.gather(*asked, return_exceptions=True)
    found: list[Json] = []
    for one in ended:
        if isinstance(one, BaseException):
            raise one
        found.append(one)
    for number, one in enumerate(found):
        run.note("answer", number=number, model=spec.models[number].name, error=one["error"])
    return {"simulated": spec.simulated, "answers": found}


async def _answer(run: Run, spec: Attempt, number: int) -> Json:
    async def work(ask: Ask) -> Json:
        try:
            return as_answer(await ask("primary", spec.models[number], spec.messages))
        except (ProviderDown, BudgetReached) as halt:  # of this model alone; the others go on
            error = "budget" if isinstance(halt, BudgetReached) else "provider_down"
            return as_answer(CallResult(str(halt), error=error))

    return await run.step(step_key(number), work, listener=run.listener(str(number)))


def as_answer(result: CallResult) -> Json:
    """An answer as the outcome holds it. error: "" or what went wrong, told by text then. cost_usd: null for an unknown one."""
    raw = result.raw if isinstance(result.raw, dict) else {}
    return {
        "text": result.text,
        "error": result.error,
        "finish_reason": result.finish_reason,
        "usage": asdict(result.usage),
        "cost_usd": result.cost_usd,
        "ttft_s": result.ttft_s,
        "ttlb_s": result.ttlb_s,
        "served_model": result.served_model,
        "retries": result.retries,
        "adjustments": raw.get("adjustments", []),
    }
