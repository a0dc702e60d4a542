"""A model as a training asks for it becomes the one that is called: what it takes is resolved once and pinned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from app.core.params import resolve
from app.ports.llm import Json, ModelRef

ROLES = ("primary", "optimizer", "judge")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form says of one model. base: API base, "" for none. seed: of the run; simulated models answer by it."""

    name: str
    base: str
    temperature: float
    max_output_tokens: int
    seed: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """ref: the model that is called. pinned: what the spec keeps of it. problems: why it cannot be used so."""

    ref: ModelRef
    pinned: Json
    problems: tuple[str, ...] = ()


def choose(wish: Wish) -> Chosen:
    """The model that a wish names, with what it is sent and what was adjusted."""
    params: dict[str, Json] = {"temperature": wish.temperature, "max_output_tokens": wish.max_output_tokens}
    if wish.name.startswith("simulated/"):
        params["seed"] = wish.seed
    resolved = resolve(wish.name, params, wish.base or None)
    ref = ModelRef(wish.name, resolved.params, wish.base or None)
    asked: Json = {"model": wish.name, "api_base": wish.base}
    asked |= {"temperature": wish.temperature, "max_output_tokens": wish.max_output_tokens}
    pinned: Json = {"name": ref.name, "params": resolved.params, "api_base": ref.api_base}
    if resolved.adjustments:
        pinned |= {"asked": asked, "adjustments": [asdict(one) for one in resolved.adjustments]}
    return Chosen(ref, pinned, tuple(f"{name}: {why}" for name, why in resolved.refusals))


def adjustments(spec: Json) -> list[Json]:
    """What a training's models are sent otherwise than was asked, each with its role. Runs of before name none."""
    return [{"role": role, **one} for role, model in _models(spec) for one in model.get("adjustments", ())]


def in_words(adjustment: Json) -> str:
    """One adjustment as a line says it."""
    name, was, now = adjustment["param"], adjustment["original"], adjustment["adjusted"]
    said = {
        "drop": f"{name} {was} is not sent",
        "clamp": f"{name} {was} becomes {now}",
        "rename": f"{was} becomes {now}",
        "warn": f"{name} {was}",
        "passthrough": f"{name} is handed through",
    }[adjustment["action"]]
    return f"{said}: {adjustment['reason']}"


def asked_of(model: Json) -> Json:
    """What the form said of a pinned model; of a run of before, what it was given."""
    params = model["params"]
    of_before = {"model": model["name"], "api_base": model["api_base"] or "", "temperature": params.get("temperature")}
    return model.get("asked") or of_before | {"max_output_tokens": params.get("max_output_tokens")}


def _models(spec: Json) -> Iterator[tuple[str, Json]]:
    return ((role, spec[role]) for role in ROLES if spec.get(role))
