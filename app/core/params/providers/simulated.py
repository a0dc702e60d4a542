"""The built-in simulation: its answers depend on the seed and the temperature."""

from __future__ import annotations

from app.core.params.spec import Provider
from app.core.params.universal import MAX_OUTPUT, SEED, temperature

SIMULATED = Provider("simulated", "Simulated", (temperature(2, 0), MAX_OUTPUT, SEED), passes=False)
