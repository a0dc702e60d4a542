"""Whether a model sees images: the operator's word, else LiteLLM's bundled table, else nobody knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from app.ports.llm import ModelRef

_TABLE = "model_prices_and_context_window_backup.json"
_SIMULATED = {"simulated/primary": True}


@cache
def _seeing() -> dict[str, bool]:
    """By the names of the table, with and without the provider before the first slash."""
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return {}
    raw = json.loads(Path(package.origin).with_name(_TABLE).read_text(encoding="utf-8"))
    chats = {name: bool(line.get("supports_vision")) for name, line in raw.items() if line.get("mode") in _MODES}
    return {name.partition("/")[2]: sees for name, sees in chats.items() if "/" in name} | chats


_MODES = frozenset({"chat", "responses", "completion"})


def sees(model: ModelRef, told: Mapping[str, bool]) -> bool | None:
    """Whether it sees images; None when nobody knows. told: what the operator says, by model name."""
    if model.name in told:
        return told[model.name]
    if model.name.startswith("simulated/"):
        return _SIMULATED.get(model.name, False)
    if model.api_base:
        return None  # whatever is served there may bear any name
    table = _seeing()
    bare = model.name.partition("/")[2]
    return table.get(model.name, table.get(bare))
