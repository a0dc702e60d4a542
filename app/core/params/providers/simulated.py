"""The built-in simulation: its answers depend on the seed and the temperature."""

from __future__ import annotations

from app.core.params.spec import Param, Provider
from app.core.params.universal import MAX_OUTPUT, SEED, temperature

SKILL = Param(
    "skill", "float", 0, 1, default=0.6, meaning="How well simulated/writer answers: 0 badly, 1 as well as it can."
)
LATENCY = Param("latency_s", "float", 0, 600, meaning="Mean seconds that a simulated call takes.")

SIMULATED = Provider("simulated", "Simulated", (temperature(2, 0), MAX_OUTPUT, SEED, SKILL, LATENCY), passes=False)
