"""What a model config comes to, before it is saved or used: what is sent, what it costs, what is known against it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.params import Adjustment, Provider, provider_of, resolve
from app.llm.gateway import Gateway
from app.ports.llm import Json, ModelRef, Price
from app.services.errors import Problem
from app.services.models.checks import PER_MILLION, price_of, read
from app.services.models.naming import warning


@dataclass(frozen=True, slots=True)
class Look:
    """sent: the parameters as they go out, in our names. price: USD per million tokens, None when unknown.

    own_price: whether it is the config's own. warnings: why it may not work, or not for long. takes: the table of what the
    provider takes.
    """

    problems: tuple[Problem, ...] = ()
    sent: Mapping[str, Json] | None = None
    adjustments: tuple[Adjustment, ...] = ()
    price: Price | None = None
    own_price: bool = False
    warnings: tuple[str, ...] = ()
    takes: Provider | None = None


def look(said: Mapping[str, Json], gateway: Gateway) -> Look:
    """What a config that says this comes to; nothing is called."""
    form, problems = read(said)
    if problems or form is None:
        return Look(tuple(problems))
    own = price_of(form.price.model_dump() if form.price else None)
    resolved = resolve(form.model, form.params)
    model = ModelRef(form.model, resolved.params, form.api_base or None, form.region, own)
    told = (gateway.problem(model), warning(gateway, model, dt.datetime.now(dt.UTC).date()))
    return Look(
        sent=resolved.params,
        adjustments=resolved.adjustments,
        price=_per_million(gateway.price(model)),
        own_price=own is not None,
        warnings=tuple(filter(None, told)),
        takes=provider_of(form.model),
    )


def _per_million(price: Price | None) -> Price | None:
    if price is None:
        return None
    ends = (price.prompt_usd, price.completion_usd, price.cached_usd, price.reasoning_usd)
    prompt, completion, cached, reasoning = (None if usd is None else round(usd * PER_MILLION, 6) for usd in ends)
    return Price(prompt or 0.0, completion or 0.0, cached, reasoning)
