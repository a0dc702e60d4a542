"""What a try may cost at most, told before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.model import model_ref
from app.core.tokens import estimated_tokens
from app.llm.gateway import Gateway
from app.ports.llm import Json

FRAME = 4
"""Tokens of a message beside its text."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """usd_high: of the models with a known price, when every answer is as long as it may be. unpriced: names of the others.

    tokens_high: prompts (estimated) and answers of all models.
    """

    calls: int
    tokens_high: int
    usd_high: float
    unpriced: tuple[str, ...]


def estimate(spec: Json, gateway: Gateway) -> Estimate:
    """What a try with this pinned spec may take."""
    prompt = sum(estimated_tokens(one["content"]) + FRAME for one in spec["messages"])
    tokens, usd, unpriced = 0, 0.0, []
    for pinned in spec["models"]:
        model = model_ref(pinned)
        answer = int(model.params.get("max_output_tokens") or 0)
        tokens += prompt + answer
        price = gateway.price(model)
        if price is None:
            unpriced.append(model.name)
            continue
        most = price.at(prompt).highest()
        usd += prompt * most.prompt_usd + answer * most.completion_usd
    return Estimate(len(spec["models"]), tokens, usd, tuple(dict.fromkeys(unpriced)))


def in_words(found: Estimate) -> str:
    """The estimate in a line for people."""
    known = f"up to about ${found.usd_high:.4f}" if found.calls > len(found.unpriced) else ""
    unknown = f"at an unknown price for {', '.join(found.unpriced)}" if found.unpriced else ""
    return f"{found.calls} {'call' if found.calls == 1 else 'calls'}, {', and '.join(filter(None, (known, unknown)))}"
