"""DeepSeek: no seed."""

from __future__ import annotations

from app.core.params.rules import deepseek_reasoning
from app.core.params.spec import Provider
from app.core.params.universal import FREQUENCY, MAX_OUTPUT, PRESENCE, stop, temperature, top_p

DEEPSEEK = Provider(
    "deepseek",
    "DeepSeek",
    (temperature(2), top_p(), MAX_OUTPUT, stop(16), PRESENCE, FREQUENCY),
    (deepseek_reasoning,),
)
