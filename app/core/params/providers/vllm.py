"""vLLM: OpenAI's parameters and its own for sampling."""

from __future__ import annotations

from app.core.params.spec import Param, Provider
from app.core.params.universal import EFFORT, MIN_P, UNIVERSAL, stop, top_k

REPETITION = Param(
    "repetition_penalty", "float", 0.01, 2, default=1, meaning="Above 1 makes repeated words less likely."
)

VLLM = Provider(
    "vllm",
    "vLLM",
    (*(stop(None) if p.name == "stop" else p for p in UNIVERSAL), EFFORT, top_k(None, -1), MIN_P, REPETITION),
)
