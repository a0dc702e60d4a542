"""The longest matching name wins, the operator wins over the table, and unknown is never zero."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.llm.known import KNOWN
from app.llm.prices import Prices, bundled
from app.ports.llm import ModelRef, Price, Usage

PRICES = Prices()


def price(name: str) -> Price | None:
    return PRICES.of(ModelRef(name))


def test_a_name_is_found_in_full_without_its_provider_and_by_its_beginning() -> None:
    known = price("gpt-5-mini")

    assert known
    assert known.prompt_usd > 0
    assert price("openai/gpt-5-mini") == known
    assert price("openai/gpt-5-mini-2099-01-01") == known


def test_the_longest_beginning_wins() -> None:
    assert price("openai/gpt-4o-mini-of-tomorrow") == price("openai/gpt-4o-mini") != price("openai/gpt-4o")


def test_a_beginning_ends_where_a_version_begins() -> None:
    assert price("openai/gpt-5-minimalist") == price("openai/gpt-5")
    assert price("openai/gpt-5minimalist") is None


@pytest.mark.parametrize(
    "name", ["openai/nothing-like-it", "hosted_vllm/gpt-4o", "lm_studio/gpt-4o", "", "/", "openai/"]
)
def test_unknown_is_none(name: str) -> None:
    assert price(name) is None


def test_vertex_models_are_found() -> None:
    assert price("vertex_ai/gemini-3.5-flash")
    assert price("vertex_ai/gemini-3.5-flash-001") == price("vertex_ai/gemini-3.5-flash")


def test_the_operator_s_word_wins() -> None:
    mine = Price(1.0, 2.0)

    assert Prices({"openai/gpt-5-mini": mine}).of(ModelRef("openai/gpt-5-mini")) == mine


def test_cached_tokens_get_their_discount() -> None:
    entry = bundled()["gpt-5-mini"]
    assert entry.price.cached_usd < entry.price.prompt_usd

    cost = PRICES.cost(ModelRef("openai/gpt-5-mini"), Usage(1000, 10, cached_tokens=400))

    assert cost == pytest.approx(
        600 * entry.price.prompt_usd + 400 * entry.price.cached_usd + 10 * entry.price.completion_usd
    )


def test_an_unknown_price_makes_an_unknown_cost() -> None:
    assert PRICES.cost(ModelRef("openai/nothing-like-it"), Usage(1000, 10)) is None


@pytest.mark.parametrize(
    "example",
    [
        name
        for known in KNOWN.values()
        if not known.local and known.name != "simulated"
        for name in known.examples
        if "<" not in name
    ],
)
def test_the_examples_that_are_shown_exist(example: str) -> None:
    assert price(example), f"{example} is not in the table"


def test_the_table_is_read_without_importing_litellm() -> None:
    code = """
import sys
from app.llm.gateway import Gateway
from app.llm.prices import Prices
from app.ports.llm import ModelRef
assert Prices().of(ModelRef("openai/gpt-5-mini"))
print([name for name in ("litellm", "aiohttp", "google.api_core") if name in sys.modules])
"""

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


def test_a_model_s_own_price_wins() -> None:
    mine = Price(1.0, 2.0, 0.5)
    model = ModelRef("openai/gpt-5-mini", price=mine)

    assert PRICES.of(model) == mine
    assert PRICES.cost(model, Usage(10, 3, cached_tokens=4)) == 6 * 1.0 + 4 * 0.5 + 3 * 2.0


def test_thought_tokens_have_their_price() -> None:
    price = Price(1.0, 2.0, reasoning_usd=5.0)

    assert price.cost(Usage(0, 10, reasoning_tokens=4)) == 6 * 2.0 + 4 * 5.0
    assert price.cost(Usage(0, 10, reasoning_tokens=99)) == 10 * 5.0
    assert price.highest() == Price(1.0, 5.0)
    known = bundled()["dashscope/qwen-turbo"].price
    assert known.reasoning_usd
    assert known.reasoning_usd > known.completion_usd


@pytest.mark.parametrize(("tier", "factor"), [("default", 1), ("flex", 0.5), ("priority", 1.8)])
def test_a_service_tier_has_its_price(tier: str, factor: float) -> None:
    plain, tiered = (PRICES.of(ModelRef("openai/gpt-5-mini", params)) for params in ({}, {"service_tier": tier}))

    assert plain
    assert tiered
    assert tiered.prompt_usd == pytest.approx(factor * plain.prompt_usd)


def test_a_tier_whose_price_is_not_listed_is_unknown() -> None:
    assert PRICES.of(ModelRef("anthropic/claude-sonnet-4-5", {"service_tier": "priority"})) is None


def test_long_prompts_have_their_price() -> None:
    price = PRICES.of(ModelRef("openai/gpt-6-sol"))

    assert price
    assert price.long
    assert (price.long_from, price.long.prompt_usd) == (272_000, 2 * price.prompt_usd)
    assert price.cost(Usage(272_000, 0)) == 272_000 * price.prompt_usd
    assert price.cost(Usage(272_001, 0)) == 272_001 * price.long.prompt_usd
    flex = PRICES.of(ModelRef("openai/gpt-6-sol", {"service_tier": "flex"}))
    assert flex
    assert flex.long
    assert flex.long.prompt_usd == price.prompt_usd
