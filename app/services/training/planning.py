"""A training's spec becomes that of a plan: what the training may take is pinned to it, as far as no pilot can measure it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.core.model import model_ref
from app.llm.gateway import Gateway
from app.ports.llm import Json
from app.services.training.estimate import Uses, cost, next_comparison, uses
from app.store.models import Dataset


def planned(session: Session, spec: Json, *, gateway: Gateway) -> Json:
    """The spec of a plan of this training; what its "bounds" are is said in app.core.kinds.plan."""
    low, high = uses(spec, session.get_one(Dataset, spec["dataset"]["id"]).statistics)
    lane = spec["calls"]["lanes"].get(spec["primary"]["name"], {})
    bounds = {
        "answers": [use["primary"][0] for use in (low, high)],
        "proposing": _proposing(gateway, spec, [low, high]),
        "growth": _growth(gateway, spec, low, high),
        "concurrency": spec["concurrency"],
        "rpm": lane.get("rpm"),
        "comparison": next_comparison(session, spec),
    }
    return spec | {"bounds": bounds}


def _proposing(gateway: Gateway, spec: Json, ends: list[Uses]) -> Json:
    only = [{"optimizer": use["optimizer"]} for use in ends]
    usd = [cost(gateway, spec, use) for use in only]
    return {
        "calls": [use["optimizer"][0] for use in only],
        "tokens": [round(use["optimizer"][1] + use["optimizer"][2]) for use in only],
        "usd": None if None in usd else usd,
    }


def _growth(gateway: Gateway, spec: Json, low: Uses, high: Uses) -> Json:
    """Tokens and USD by which an answer becomes dearer when prompts grow as far as the estimate lets them."""
    (first, before, _), (last, after, _) = low["primary"], high["primary"]
    tokens = after / last - before / first
    price = gateway.price(model_ref(spec["primary"]))
    return {"tokens": tokens, "usd": tokens * price.prompt_usd if price else None}
