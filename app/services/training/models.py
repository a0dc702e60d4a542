"""A model as a training asks for it becomes the one that is called: what it takes is resolved once and pinned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy.orm import Session

from app.config import Settings
from app.core.params import ALIASES, Resolved, resolve
from app.llm.gateway import Gateway
from app.ports.llm import Json, ModelRef
from app.ports.pace import place
from app.services.errors import NotFound
from app.services.models import called, is_config, price_of
from app.store.models import ModelConfigRevision

ROLES = ("primary", "optimizer", "judge")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form says of one model. name: of a model, or config:NAME. base: API base, "" for none.

    seed: of the run; simulated models answer by it.
    """

    name: str
    base: str
    temperature: float
    max_output_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """ref: the model that is called. pinned: what the spec keeps of it. target_rpm: of its config, None without one.

    problems: why it cannot be used so; then the rest means nothing.
    """

    ref: ModelRef
    pinned: Json
    target_rpm: float | None = None
    problems: tuple[str, ...] = ()


def choose(session: Session, wish: Wish) -> Chosen:
    """The model that a wish names, by itself or by a config, with what it is sent and what was adjusted."""
    try:
        revision = called(session, wish.name) if is_config(wish.name) else None
    except NotFound as missing:
        return Chosen(ModelRef(wish.name), None, problems=(str(missing),))
    if revision and revision.api_base and wish.base not in ("", revision.api_base):
        why = f"{wish.name} has an address of its own, {revision.api_base}; leave the API base empty"
        return Chosen(ModelRef(wish.name), None, problems=(why,))
    name = revision.model if revision else wish.name
    base = (revision.api_base if revision else "") or wish.base or None
    params = _params(wish, name, revision.params if revision else None)
    resolved = resolve(name, params)
    ref = ModelRef(name, resolved.params, base)
    if revision:
        ref = replace(ref, region=revision.region, price=price_of(revision.price))
    return Chosen(
        ref,
        _pinned(wish, ref, revision, resolved),
        revision.target_rpm if revision else None,
        tuple(f"{param}: {why}" for param, why in resolved.refusals),
    )


def _params(wish: Wish, name: str, own: Json) -> dict[str, Json]:
    """What is asked for. A config speaks for itself; only the limit, which budgets need, comes from the form if it has none."""
    form: dict[str, Json] = {"temperature": wish.temperature, "max_output_tokens": wish.max_output_tokens}
    if own is not None:
        said = {ALIASES.get(one, one) for one in own}
        form = own | ({} if "max_output_tokens" in said else {"max_output_tokens": wish.max_output_tokens})
    if name.startswith("simulated/") and form.get("seed") is None:
        form = form | {"seed": wish.seed}
    return form


def _pinned(wish: Wish, ref: ModelRef, revision: ModelConfigRevision | None, resolved: Resolved) -> Json:
    pinned: dict[str, Json] = {"name": ref.name, "params": resolved.params, "api_base": ref.api_base}
    if ref.region:
        pinned["region"] = ref.region
    if ref.price:
        price = asdict(ref.price)
        pinned["price"] = {key: usd for key, usd in price.items() if key.endswith("_usd") and usd is not None}
    if revision:
        config = revision.config
        pinned["config"] = {"id": config.id, "name": config.name, "revision": revision.number}
    if revision or resolved.adjustments:
        limits = {"temperature": wish.temperature, "max_output_tokens": wish.max_output_tokens}
        pinned["asked"] = {"model": wish.name, "api_base": wish.base, **limits}
        pinned["adjustments"] = [asdict(one) for one in resolved.adjustments]
    return pinned


def lanes(models: Sequence[Chosen], own: Mapping[str, float], *, settings: Settings, gateway: Gateway) -> Json:
    """By model, what it shares its rate limit with, and how many requests per minute.

    own: limits by place (see app.ports.pace) that come first.
    """
    found: dict[str, Json] = {}
    for where in dict.fromkeys(place(model.ref) for model in models):
        same = [model for model in models if place(model.ref) == where]
        name, lane = same[0].ref.name, gateway.lane(same[0].ref)
        asked = [own[where]] if where in own else [model.target_rpm for model in same]
        slowest = min((rpm for rpm in asked if rpm), default=None)
        rpm = slowest or settings.rate_limits.get(lane) or settings.rate_limits.get(name)
        found[where if name in found else name] = {"name": lane, "rpm": rpm}
    return found


def adjustments(spec: Json) -> list[Json]:
    """What a training's models are sent otherwise than was asked, each with its role. Runs of before name none."""
    return [{"role": role, **one} for role, model in _models(spec) for one in model.get("adjustments", ())]


def asked_of(model: Json) -> Json:
    """What the form said of a pinned model; of a run of before, what it was given."""
    params = model["params"]
    of_before = {"model": model["name"], "api_base": model["api_base"] or "", "temperature": params.get("temperature")}
    return model.get("asked") or of_before | {"max_output_tokens": params.get("max_output_tokens")}


def _models(spec: Json) -> Iterator[tuple[str, Json]]:
    yield from ((config["label"], config) for config in spec.get("configs", ()))
    yield from ((role, spec[role]) for role in ROLES if spec.get(role))
