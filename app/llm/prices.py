"""What a token costs: the operator's word, else the longest matching name in LiteLLM's bundled table, else unknown."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from app.llm import local
from app.ports.llm import Json, ModelRef, Price, Usage

TABLE = "model_prices_and_context_window_backup.json"
_TEXT_MODES = frozenset({"chat", "completion", "responses"})
_SAME_PROVIDER = {"ollama_chat": "ollama", "text-completion-openai": "openai", "bedrock_converse": "bedrock"}


_TIERS = ("priority", "flex")
"""Service tiers with a price of their own."""
_LONG = (100, 128, 200, 256, 272, 512)
"""Thousands of tokens of the prompt from which some models cost more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the table. tiers: prices by service tier, beside the default one. deprecated: when it is switched off."""

    provider: str
    price: Price
    tiers: Mapping[str, Price] = field(default_factory=dict)
    deprecated: dt.date | None = None

    def of_tier(self, tier: Json) -> Price | None:
        """The price of a service tier, None when the table has none for it."""
        return self.tiers.get(str(tier)) if tier in _TIERS else self.price


@cache
def bundled() -> dict[str, Entry]:
    """Every text model of LiteLLM's table that has a price. Reads the file; does not import LiteLLM."""
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return {}
    raw = json.loads(Path(package.origin).with_name(TABLE).read_text(encoding="utf-8"))
    read = ((name, _entry(line)) for name, line in raw.items() if line.get("mode") in _TEXT_MODES)
    return {name: entry for name, entry in read if entry}


def _entry(line: Mapping[str, object]) -> Entry | None:
    price = _price(line)
    if price is None:
        return None
    tiers = {tier: found for tier in _TIERS if (found := _price(line, f"_{tier}"))}
    return Entry(family(str(line.get("litellm_provider"))), price, tiers, _date(line.get("deprecation_date")))


def _price(line: Mapping[str, object], tier: str = "") -> Price | None:
    """The price of a line, for a tier that begins with _ when it is not the default one."""
    price = _plain_price(line, tier)
    if price is None:
        return None
    longer = ((limit, _plain_price(line, f"_above_{limit}k_tokens{tier}")) for limit in _LONG)
    limit, long = next(((limit, found) for limit, found in longer if found), (0, None))
    return replace(price, long_from=limit * 1000, long=long)


def _plain_price(line: Mapping[str, object], ending: str) -> Price | None:
    """The price under keys with that ending."""

    def usd(name: str) -> float | None:
        value = line.get(name + ending)
        return float(value) if isinstance(value, int | float) else None

    prompt, completion = usd("input_cost_per_token"), usd("output_cost_per_token")
    if prompt is None or completion is None:
        return None
    return Price(prompt, completion, usd("cache_read_input_token_cost"), usd("output_cost_per_reasoning_token"))


def _date(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def family(provider: str) -> str:
    """The provider's name under which its models are known."""
    return _SAME_PROVIDER.get(provider, "vertex_ai" if provider.startswith("vertex_ai") else provider)


class Prices:
    """Looks prices up. overrides: by model name, in USD per token; they win over the table."""

    def __init__(self, overrides: Mapping[str, Price] | None = None) -> None:
        self._overrides = dict(overrides or {})
        self._found: dict[str, Entry | None] = {}

    def of(self, model: ModelRef) -> Price | None:
        """USD per token, or None when unknown; the model's own price comes first, then that of its service tier."""
        if model.price:
            return model.price
        if model.name.startswith(f"{local.PROVIDER}/") and not model.api_base:
            return Price(0.0, 0.0)  # it runs on this machine
        entry = self.entry(model.name)
        return entry.of_tier(model.params.get("service_tier")) if entry else None

    def cost(self, model: ModelRef, usage: Usage) -> float | None:
        """USD of one call; None when the price is unknown."""
        price = self.of(model)
        return price.cost(usage) if price else None

    def deprecated(self, name: str) -> dt.date | None:
        """When the provider switches the model off, as far as the table says so of exactly this name."""
        provider, _, rest = name.partition("/")
        table = bundled()
        bare = table.get(rest)
        found = table.get(name) or (bare if bare and bare.provider == family(provider) else None)
        return found.deprecated if found else None

    def entry(self, name: str) -> Entry | None:
        """The line that a model name matches: in full, without its provider, or the longest that it begins with."""
        if name not in self._found:
            self._found[name] = self._look_up(name)
        return self._found[name]

    def _look_up(self, name: str) -> Entry | None:
        if name in self._overrides:
            return Entry("", self._overrides[name])
        return bundled().get(self.matched(name))

    def matched(self, name: str) -> str:
        """The key of the table's line that a model name matches, "" for none."""
        table = bundled()
        provider, slash, rest = name.partition("/")
        if name in table:
            return name
        if not slash:
            return longest(name, "", table)
        full, bare = longest(name, "", table), longest(rest, family(provider), table)
        return bare if len(bare) > len(full) - len(provider) - 1 else full


class Provided(Protocol):
    """A line of a table about models."""

    @property
    def provider(self) -> str:
        """Who serves the model, as LiteLLM calls it."""
        ...


def longest(name: str, provider: str, table: Mapping[str, Provided]) -> str:
    """The longest key that is the name or its beginning, cut where a version or a date begins; "" when there is none.

    provider: who must serve it, "" for anybody.
    """
    for end in range(len(name), 0, -1):
        if end < len(name) and name[end] not in "-@:.":
            continue
        entry = table.get(name[:end])
        if entry and provider in ("", entry.provider):
            return name[:end]
    return ""
