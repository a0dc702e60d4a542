"""Whether a model sees images: the operator's word, else LiteLLM's bundled table, else nobody knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from app.llm.prices import family, longest
from app.ports.llm import ModelRef

_TABLE = "model_prices_and_context_window_backup.json"
_MODES = frozenset({"chat", "responses", "completion"})
_SIMULATED = {"simulated/primary": True}


@dataclass(frozen=True, slots=True)
class Sight:
    """What the table says of a model."""

    provider: str
    sees: bool


@cache
def _table() -> dict[str, Sight]:
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return {}
    raw = json.loads(Path(package.origin).with_name(_TABLE).read_text(encoding="utf-8"))
    return {
        name: Sight(family(str(line.get("litellm_provider"))), bool(line.get("supports_vision")))
        for name, line in raw.items()
        if line.get("mode") in _MODES
    }


def sees(model: ModelRef, told: Mapping[str, bool]) -> bool | None:
    """Whether it sees images; None when nobody knows. told: what the operator says, by model name."""
    if model.name in told:
        return told[model.name]
    if model.name.startswith("simulated/"):
        return _SIMULATED.get(model.name, False)
    if model.api_base:
        return None  # whatever is served there may bear any name
    table, (provider, _, bare) = _table(), model.name.partition("/")
    found = longest(model.name, "", table) or longest(bare, family(provider), table)
    return table[found].sees if found else None
