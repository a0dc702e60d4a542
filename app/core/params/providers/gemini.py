"""Gemini, by its own API and on Vertex AI; Vertex AI's typed request has no place for what is not listed."""

from __future__ import annotations

from app.core.params.rules import gemini_thinking
from app.core.params.spec import Provider
from app.core.params.universal import (
    EFFORT,
    FREQUENCY,
    MAX_OUTPUT,
    PRESENCE,
    SAFETY,
    SEED,
    TIER,
    stop,
    temperature,
    thinking_budget,
    top_k,
    top_p,
)

_PARAMS = (
    temperature(2),
    top_p(),
    MAX_OUTPUT,
    stop(5),
    SEED,
    PRESENCE,
    FREQUENCY,
    top_k(),
    EFFORT,
    thinking_budget(-1, 32_768),
)

GEMINI = Provider("gemini", "Gemini API", (*_PARAMS, TIER), (gemini_thinking,))
VERTEX_AI = Provider("vertex_ai", "Gemini on Vertex AI", (*_PARAMS, SAFETY), (gemini_thinking,), passes=False)
