"""Ollama, by its OpenAI-compatible address, which takes less than its own API (no top_k, no num_ctx)."""

from __future__ import annotations

from app.core.params.spec import Provider
from app.core.params.universal import EFFORT, UNIVERSAL, temperature

OLLAMA = Provider("ollama", "Ollama", (temperature(2, None), *UNIVERSAL[1:], EFFORT))
