"""Anthropic: temperature up to 1, no seed and no penalties."""

from __future__ import annotations

from app.core.params.rules import claude_sampling
from app.core.params.spec import Provider
from app.core.params.universal import MAX_OUTPUT, effort, stop, temperature, thinking_budget, top_k, top_p

ANTHROPIC = Provider(
    "anthropic",
    "Anthropic",
    (temperature(1), top_p(), MAX_OUTPUT, stop(None), top_k(), effort("low", "medium", "high"), thinking_budget(1024)),
    (claude_sampling,),
)
