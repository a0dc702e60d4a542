"""OpenAI."""

from __future__ import annotations

from app.core.params.rules import openai_reasoning
from app.core.params.spec import Provider
from app.core.params.universal import EFFORT, TIER, UNIVERSAL, VERBOSITY

OPENAI = Provider("openai", "OpenAI", (*UNIVERSAL, EFFORT, VERBOSITY, TIER), (openai_reasoning,))
