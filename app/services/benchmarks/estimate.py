"""What a benchmark may take, told before anything is spent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from app.core import scorers
from app.core.model import model_ref
from app.llm.gateway import Gateway
from app.ports.llm import Json, ModelRef
from app.services.models import warning

SHORT_ANSWER = 300
"""Tokens of a short answer; the longest one is what the model is allowed."""
REMARK = 120
"""Tokens that a reviewer writes about one answer."""


@dataclass(frozen=True)
class Estimate:
    """What a benchmark may take. Low: short answers, each review usable at once. High: answers as long as they
    may be, each review mended once. usd is None when a price is unknown.
    """

    calls_low: int
    calls_high: int
    tokens_low: int
    tokens_high: int
    usd_low: float | None
    usd_high: float | None
    notes: tuple[str, ...]


def estimate(spec: Json, *, gateway: Gateway) -> Estimate:
    """Calls, tokens and USD. Tokens of prompts are guessed at four characters each."""
    repeats = spec["runs"] * spec["repeats"]
    asked = [sum(len(m["content"]) for m in case["messages"]) / 4 + 10 for case in spec["cases"]]
    ends = [_End(spec, gateway, asked, repeats, long) for long in (False, True)]
    usd = [end.usd() for end in ends]
    calls, tokens = [end.calls() for end in ends], [round(end.tokens()) for end in ends]
    return Estimate(calls[0], calls[1], tokens[0], tokens[1], usd[0], usd[1], tuple(_notes(spec, gateway, usd[1])))


class _End:
    """One end of the estimate."""

    def __init__(self, spec: Json, gateway: Gateway, asked: list[float], repeats: int, long: bool) -> None:
        self._gateway = gateway
        n, configs = len(asked) * repeats, [model_ref(one) for one in spec["configs"]]
        answers = [_length(model, long) for model in configs]
        self.uses = [
            (model, n, repeats * sum(asked), n * length) for model, length in zip(configs, answers, strict=True)
        ]
        judge = model_ref(spec["judge"]) if spec["judge"] else None
        times = 2 if long else 1
        if spec["review"] and judge:
            template = (len(spec["review"]["template"]) + 800) / 4
            read = repeats * sum(asked) + n * (sum(answers) + template)
            self.uses.append((judge, n * times, read * times, n * times * REMARK * len(configs)))
        judged = scorers.judgements(spec["scorers"])
        if judged and judge:
            count = n * len(configs) * judged * times
            self.uses.append((judge, count, count * (sum(answers) / len(answers) + 500), count * REMARK))

    def calls(self) -> int:
        return sum(count for _, count, _, _ in self.uses)

    def tokens(self) -> float:
        return sum(read + written for _, _, read, written in self.uses)

    def usd(self) -> float | None:
        total = 0.0
        for model, _, read, written in self.uses:
            price = self._gateway.price(model)
            if price is None:
                return None
            total += read * price.prompt_usd + written * price.completion_usd
        return total


def _length(model: ModelRef, long: bool) -> float:
    """Tokens of an answer."""
    most = model.params.get("max_output_tokens")
    limit = float(most) if isinstance(most, int) else 4 * SHORT_ANSWER
    return limit if long else min(SHORT_ANSWER, limit)


def _notes(spec: Json, gateway: Gateway, usd: float | None) -> Iterator[str]:
    if usd is None:
        yield "The price of a model is unknown, so the cost cannot be estimated; it is not zero."
    if len(spec["configs"]) == 1:
        yield "There is one config, so nothing is compared; its answers are measured and reviewed all the same."
    judge = spec["judge"]
    rivals = [one["label"] for one in spec["configs"] if judge and one["name"] == judge["name"]]
    if spec["review"] and rivals:
        yield f"The reviewer {judge['name']} also answers, as {', '.join(rivals)}: models tend to prefer their own answers."
    if not spec["review"]:
        yield "No model reviews the answers; they wait to be ranked by people."
    same = [one["label"] for one in spec["configs"] if one["params"].get("temperature") == 0]
    if spec["runs"] * spec["repeats"] > 1 and same:
        yield f"At temperature 0 further answers are mostly the same ones; that is so for {', '.join(same[:5])}."
    ends = (warning(gateway, model_ref(one), dt.datetime.now(dt.UTC).date()) for one in spec["configs"])
    yield from dict.fromkeys(filter(None, ends))
