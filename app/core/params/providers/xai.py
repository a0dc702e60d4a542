"""xAI."""

from __future__ import annotations

from app.core.params.rules import grok_reasoning
from app.core.params.spec import Provider
from app.core.params.universal import UNIVERSAL, effort

XAI = Provider("xai", "xAI", (*UNIVERSAL, effort("low", "high")), (grok_reasoning,))
