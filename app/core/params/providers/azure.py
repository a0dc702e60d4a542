"""Azure OpenAI: OpenAI's models, without its service tiers. A deployment's name need not tell which model it is."""

from __future__ import annotations

from app.core.params.rules import only_reasoning
from app.core.params.spec import Provider
from app.core.params.universal import EFFORT, UNIVERSAL, VERBOSITY

AZURE = Provider("azure", "Azure OpenAI", (*UNIVERSAL, EFFORT, VERBOSITY), (only_reasoning,))
