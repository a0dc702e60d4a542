"""Whoever is not listed, and servers of one's own: what most take, and everything else handed through."""

from __future__ import annotations

from app.core.params.rules import only_reasoning
from app.core.params.spec import Provider
from app.core.params.universal import EFFORT, MIN_P, TIER, UNIVERSAL, VERBOSITY, stop, temperature, top_k

UNKNOWN = Provider(
    "unknown",
    "Any other",
    (
        temperature(2, None),
        *(stop(None) if p.name == "stop" else p for p in UNIVERSAL[1:]),
        EFFORT,
        VERBOSITY,
        TIER,
        top_k(None, -1),
        MIN_P,
    ),
    (only_reasoning,),
)
