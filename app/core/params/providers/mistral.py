"""Mistral: temperature up to 1.5."""

from __future__ import annotations

from app.core.params.rules import mistral_reasoning
from app.core.params.spec import Param, Provider
from app.core.params.universal import EFFORT, MAX_OUTPUT, SEED, stop, temperature, top_p

SAFE_PROMPT = Param(
    "safe_prompt", "bool", default=False, meaning="Whether the provider puts its own safety prompt first."
)

MISTRAL = Provider(
    "mistral",
    "Mistral",
    (temperature(1.5, None), top_p(), MAX_OUTPUT, stop(None), SEED, EFFORT, SAFE_PROMPT),
    (mistral_reasoning,),
)
