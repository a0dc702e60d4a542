"""What models can do, as LiteLLM's bundled table says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from app.llm.prices import TABLE, Prices

CAPABILITIES = ("streaming", "json", "tools", "logprobs", "vision")
_KEYS = {
    "json": "supports_response_schema",
    "tools": "supports_function_calling",
    "vision": "supports_vision",
    "streaming": "supports_native_streaming",
}


@cache
def _lines() -> Mapping[str, Mapping[str, object]]:
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return {}
    raw: dict[str, dict[str, object]] = json.loads(Path(package.origin).with_name(TABLE).read_text(encoding="utf-8"))
    return {name: {key: line[key] for key in _KEYS.values() if key in line} for name, line in raw.items()}


def listed(model: str) -> dict[str, bool | None]:
    """By capability: True or False as the table says, None where it says nothing. Reads the file; imports no LiteLLM."""
    line = _lines().get(Prices().matched(model), {})
    said: dict[str, bool | None] = {
        name: bool(line[key]) if (key := _KEYS.get(name, "")) in line else None for name in CAPABILITIES
    }
    return said
