"""What a token costs: the operator's word, else the longest matching name in LiteLLM's bundled table, else unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from app.ports.llm import ModelRef, Price, Usage

_TABLE = "model_prices_and_context_window_backup.json"
_TEXT_MODES = frozenset({"chat", "completion", "responses"})
_SAME_PROVIDER = {"ollama_chat": "ollama", "text-completion-openai": "openai", "bedrock_converse": "bedrock"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the table. cached_usd: USD per prompt token that came from the provider's cache."""

    provider: str
    price: Price
    cached_usd: float


@cache
def bundled() -> dict[str, Entry]:
    """Every text model of LiteLLM's table that has a price. Reads the file; does not import LiteLLM."""
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return {}
    raw = json.loads(Path(package.origin).with_name(_TABLE).read_text(encoding="utf-8"))
    read = ((name, _entry(line)) for name, line in raw.items() if line.get("mode") in _TEXT_MODES)
    return {name: entry for name, entry in read if entry}


def _entry(line: Mapping[str, object]) -> Entry | None:
    prompt, completion = line.get("input_cost_per_token"), line.get("output_cost_per_token")
    if not isinstance(prompt, int | float) or not isinstance(completion, int | float):
        return None
    cached = line.get("cache_read_input_token_cost")
    return Entry(
        provider=_family(str(line.get("litellm_provider"))),
        price=Price(float(prompt), float(completion)),
        cached_usd=float(cached) if isinstance(cached, int | float) else float(prompt),
    )


def _family(provider: str) -> str:
    return _SAME_PROVIDER.get(provider, "vertex_ai" if provider.startswith("vertex_ai") else provider)


class Prices:
    """Looks prices up. overrides: by model name, in USD per token; they win over the table."""

    def __init__(self, overrides: Mapping[str, Price] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._found: dict[str, Entry | None] = {}

    def of(self, model: ModelRef) -> Price | None:
        """USD per token, or None when unknown."""
        entry = self.entry(model.name)
        return entry.price if entry else None

    def cost(self, model: ModelRef, usage: Usage) -> float | None:
        """USD of one call, the provider's discount for cached tokens counted in; None when the price is unknown."""
        entry = self.entry(model.name)
        if entry is None:
            return None
        fresh = max(0, usage.prompt_tokens - usage.cached_tokens)
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        return (
            fresh * entry.price.prompt_usd
            + cached * entry.cached_usd
            + usage.completion_tokens * entry.price.completion_usd
        )

    def entry(self, name: str) -> Entry | None:
        """The line that a model name matches: in full, without its provider, or the longest that it begins with."""
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    def _look_up(self, name: str) -> Entry | None:
        if name in self._overrides:
            price = self._overrides[name]
            return Entry("", price, price.prompt_usd)
        table = bundled()
        provider, slash, rest = name.partition("/")
        if name in table:
            return table[name]
        if not slash:
            return table.get(_longest(name, "", table))
        full, bare = _longest(name, "", table), _longest(rest, _family(provider), table)
        return table.get(bare if len(bare) > len(full) - len(provider) - 1 else full)


def _longest(name: str, provider: str, table: Mapping[str, Entry]) -> str:
    """The longest key that is the name or its beginning, cut where a version or a date begins; "" when there is none."""
    for end in range(len(name), 0, -1):
        if end < len(name) and name[end] not in "-@:.":
            continue
        entry = table.get(name[:end])
        if entry and provider in ("", entry.provider):
            return name[:end]
    return ""
