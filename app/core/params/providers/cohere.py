"""Cohere: temperature up to 1, penalties from 0 to 1."""

from __future__ import annotations

from app.core.params.spec import Provider
from app.core.params.universal import MAX_OUTPUT, SEED, penalty, stop, temperature, top_k, top_p

COHERE = Provider(
    "cohere",
    "Cohere",
    (
        temperature(1, 0.3),
        top_p(0.01, 0.99),
        MAX_OUTPUT,
        stop(5),
        SEED,
        penalty("presence_penalty", 0, 1),
        penalty("frequency_penalty", 0, 1),
        top_k(500, 0),
    ),
)
