"""What a training may take, told before anything is spent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.core import scorers
from app.llm.gateway import Gateway
from app.ports.llm import Json, ModelRef
from app.store.models import Dataset

GROWTH = 1_000
"""Characters by which proposals are usually longer than the initial prompts."""


@dataclass(frozen=True)
class Estimate:
    """What a training may take, from an early stop to every epoch validated in full. usd is None when a price is unknown."""

    calls_low: int
    calls_high: int
    tokens_low: int
    tokens_high: int
    usd_low: float | None
    usd_high: float | None
    notes: tuple[str, ...]


def estimate(session: Session, spec: Json, *, gateway: Gateway) -> Estimate:
    """How many calls, tokens and USD a training may take.

    Low: patience runs out at once, every proposal fails its gate. High: every epoch's proposal is validated in full.
    Tokens are guessed at four characters each, answers at the length of the reference answers; high grants every prompt
    the GROWTH that proposals bring.
    """
    facts = session.get_one(Dataset, spec["dataset"]["id"]).statistics
    parts, batch = spec["split"], min(spec["batch_size"], spec["split"]["train"])
    low = parts["validation"] + 2 * batch * min(spec["patience"], spec["epochs"]) + parts["test"]
    high = parts["validation"] + spec["epochs"] * (2 * batch + parts["validation"]) + 2 * parts["test"]
    proposals = (min(spec["patience"], spec["epochs"]), 2 * spec["epochs"]) if spec["optimizer"] else (0, 0)
    prompt_chars = len(spec["system_prompt"]) + len(spec["output_prompt"])
    prompt = (facts["input_chars"]["mean"] + prompt_chars) / 4 + 10
    grown = prompt + max(0, min(GROWTH, spec["max_prompt_chars"] - prompt_chars)) / 4
    answer = facts["answer_chars"]["mean"] / 4 + 2
    asked = (len(spec["instructions"]) + 2 * prompt_chars + 10 * (facts["input_chars"]["mean"] + 200)) / 4
    reply = prompt_chars / 4 + 400
    usd = [
        _usd(gateway, spec, (calls * length, calls * answer), (steps * asked, steps * reply))
        for calls, length, steps in ((low, prompt, proposals[0]), (high, grown, proposals[1]))
    ]
    tokens = [
        round(calls * (length + answer) + steps * (asked + reply))
        for calls, length, steps in ((low, prompt, proposals[0]), (high, grown, proposals[1]))
    ]
    return Estimate(
        low + proposals[0], high + proposals[1], tokens[0], tokens[1], usd[0], usd[1], _notes(spec, facts, usd[1])
    )


def _usd(gateway: Gateway, spec: Json, primary: tuple[float, float], optimizer: tuple[float, float]) -> float | None:
    total = 0.0
    for model, (prompt_tokens, completion_tokens) in ((spec["primary"], primary), (spec["optimizer"], optimizer)):
        if model is None:
            continue
        price = gateway.price(model_ref(model))
        if price is None:
            return None
        total += prompt_tokens * price.prompt_usd + completion_tokens * price.completion_usd
    return total


def _notes(spec: Json, facts: Json, usd: float | None) -> tuple[str, ...]:
    notes = list(spec["split"]["notes"])
    if 0 < spec["split"]["test"] < 30:
        n = spec["split"]["test"]
        notes.append(f"The sealed test has {n} examples; only a large improvement can be shown on so few.")
    if usd is None:
        notes.append("The price of a model is unknown, so the cost cannot be estimated; it is not zero.")
    warnings = (scorers.warning(one, facts) for one in spec["scorers"])
    return (*notes, *filter(None, warnings))


def model_ref(spec: Json) -> ModelRef:
    """A model as a spec pins it."""
    return ModelRef(spec["name"], spec["params"], spec["api_base"])
