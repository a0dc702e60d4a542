"""Adjustments of parameters as lines say them."""

from __future__ import annotations

from dataclasses import asdict

from app.core.params import Adjustment
from app.ports.llm import Json

SHORT = 120


def in_words(adjustment: Adjustment | Json) -> str:
    """One adjustment, as a value or as a spec pins it."""
    told = asdict(adjustment) if isinstance(adjustment, Adjustment) else adjustment
    name, was, now = told["param"], _short(told["original"]), _short(told["adjusted"])
    said = {
        "drop": f"{name} {was} is not sent",
        "clamp": f"{name} {was} becomes {now}",
        "rename": f"{was} becomes {now}",
        "warn": f"{name} {was}",
        "passthrough": f"{name} is handed through",
    }[told["action"]]
    return f"{said}: {told['reason']}"


def _short(value: Json) -> str:
    return str(value)[:SHORT]
