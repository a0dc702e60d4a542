"""What several kinds of run have in their specification: models, limits, how calls are made."""

from __future__ import annotations

from app.services.transfer.shapes import (
    Check,
    anything,
    fields,
    flag,
    listed,
    maybe,
    named,
    number,
    one_of,
    text,
    whole,
)

NUMBER = maybe(number())
COUNT = whole(0, 10**12)
ADJUSTMENT = fields(
    {
        "param": text(), "action": one_of("drop", "clamp", "rename", "warn", "passthrough"), "reason": text(),
        "original": anything, "adjusted": anything,
    }
)  # fmt: skip
_USD = number(0, 1e6)
_PRICE = fields(
    {"prompt_usd": _USD, "completion_usd": _USD},
    {"cached_usd": maybe(_USD), "reasoning_usd": maybe(_USD)},
    closed=True,
)
MODEL: dict[str, Check] = {"name": text(200, 1), "params": named(anything), "api_base": maybe(text(2_000))}
MAYBE_MODEL: dict[str, Check] = {
    "region": text(60),
    "price": maybe(_PRICE),
    "vision": maybe(flag),
    "config": maybe(fields({"name": text(200), "revision": whole()})),
    "asked": fields({"model": text(), "api_base": maybe(text())}),
    "adjustments": listed(ADJUSTMENT),
}
_LANE = fields({"name": text(250), "rpm": maybe(number(0))})
CALLS = fields({}, {"lanes": named(_LANE), "target_rpm": maybe(number(0)), "on_uncertain": text(20)})
BUDGET = fields({one: maybe(number(0)) for one in ("usd", "calls", "tokens", "minutes")}, closed=True)
SCORERS = listed(fields({"name": text(60)}), 100)
