"""What a model takes: values are kept, brought into range, dropped, renamed, handed through or refused, and each is said."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.params import ALIASES, KNOWN, PROVIDERS, Param, Provider, Resolved, provider_of, resolve

MODELS = {
    "openai": ("openai/gpt-4.1-mini", "openai/gpt-5-mini", "openai/gpt-5.1", "openai/o3"),
    "azure": ("azure/my-deployment", "azure/gpt-5"),
    "anthropic": ("anthropic/claude-sonnet-4-5", "anthropic/claude-3-5-haiku-latest", "vertex_ai/claude-sonnet-4-5"),
    "gemini": ("gemini/gemini-2.5-flash", "gemini/gemini-2.0-flash"),
    "vertex_ai": ("vertex_ai/gemini-3.5-flash", "vertex_ai/projects/p/locations/l/endpoints/1"),
    "bedrock": ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock/us.amazon.nova-2-lite-v1:0"),
    "mistral": ("mistral/mistral-large-latest", "mistral/magistral-medium-latest"),
    "deepseek": ("deepseek/deepseek-chat", "deepseek/deepseek-reasoner"),
    "cohere": ("cohere/command-r", "cohere_chat/command-a-03-2025"),
    "xai": ("xai/grok-4", "xai/grok-3-mini", "xai/grok-2"),
    "ollama": ("ollama/llama3", "ollama_chat/llama3"),
    "vllm": ("hosted_vllm/some-model", "vllm/some-model"),
    "simulated": ("simulated/primary",),
    "unknown": ("openrouter/openai/gpt-5", "groq/llama-3.3-70b-versatile", "whatever", ""),
}
EVERY = [(name, model) for name, models in MODELS.items() for model in models]


def told(resolved: Resolved) -> set[str]:
    """Names that an adjustment or a refusal speaks of."""
    return {one.param for one in resolved.adjustments} | {name for name, _ in resolved.refusals}


@pytest.mark.parametrize(("name", "model"), EVERY)
def test_a_name_leads_to_its_table(name: str, model: str) -> None:
    assert provider_of(model) is PROVIDERS[name]


def test_every_table_has_a_model_here() -> None:
    assert set(MODELS) == set(PROVIDERS)


def test_a_server_of_one_s_own_is_no_openai() -> None:
    assert provider_of("openai/my-model") is PROVIDERS["unknown"]
    assert provider_of("openai/gpt-oss-20b") is PROVIDERS["unknown"]
    assert provider_of("openai/gpt-5-mini") is PROVIDERS["openai"]


@pytest.mark.parametrize(
    ("provider", "high"),
    [
        ("openai", 2), ("anthropic", 1), ("gemini", 2), ("vertex_ai", 2), ("ollama", 2), ("mistral", 1.5), ("deepseek", 2),
        ("cohere", 1), ("xai", 2), ("vllm", 2), ("unknown", 2),
    ],
)  # fmt: skip
def test_the_ranges_of_temperature(provider: str, high: float) -> None:
    param = PROVIDERS[provider].param("temperature")
    assert param
    assert (param.low, param.high) == (0, high)


def edges(param: Param) -> list[Any]:
    """Values at the ends of the range and beyond, and of other types."""
    ends = [end for end in (param.low, param.high) if end is not None]
    numbers = [step for end in ends for step in (end - 1, end, end + 1, end + 0.5)]
    texts = ["", "x", "x" * 500, ["a"] * 3, ["a"] * 40, [""], [1], []]
    return [
        *numbers,
        *texts,
        *param.choices,
        True,
        False,
        {},
        0,
        0.0,
        -0.0,
        10**30,
        10**6000,
        1e308,
        math.nan,
        math.inf,
    ]


def is_fine(param: Param, value: Any) -> bool:
    """Whether a value is one that the parameter takes as it is, said by the table alone."""
    if param.kind == "choice":
        return value in param.choices
    if param.kind == "bool":
        return isinstance(value, bool)
    if param.kind == "texts":
        texts = value if isinstance(value, list) else [value]
        sound = all(isinstance(one, str) and 1 <= len(one) <= 200 for one in texts)
        return bool(texts) and sound and (param.high is None or len(texts) <= param.high)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    if param.kind == "int" and value != int(value):
        return False
    return (param.low is None or value >= param.low) and (param.high is None or value <= param.high)


@pytest.mark.parametrize(("name", "model"), EVERY)
def test_every_parameter_at_its_edges_and_beyond(name: str, model: str) -> None:
    provider = PROVIDERS[name]
    for param_name in sorted(KNOWN):
        param = provider.param(param_name)
        for value in edges(param or next(p for one in PROVIDERS.values() for p in one.params if p.name == param_name)):
            resolved = resolve(model, {param_name: value})
            sent = resolved.params.get(param_name)
            if param_name in told(resolved):
                assert sent is None or is_fine(param or Param("", "bool"), sent)
                assert all(one.reason for one in resolved.adjustments)
            else:
                assert param, (model, param_name, value)
                assert is_fine(param, value)
                assert sent == (value if param.kind != "texts" or isinstance(value, list) else [value])
            json.dumps(resolved.params, allow_nan=False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*sorted(KNOWN), *ALIASES, "logit_bias", "api_base", "model", "n"]) | st.text(max_size=12)


@given(model=st.sampled_from([model for _, model in EVERY]) | st.text(max_size=30), params=st.dictionaries(NAMES, JSON))
def test_whatever_is_asked_nothing_is_lost_silently(model: str, params: dict[str, Any]) -> None:
    resolved = resolve(model, params)

    for name, value in params.items():
        unchanged = name in resolved.params and resolved.params[name] in (value, [value])
        assert value is None or unchanged or name[:100] in told(resolved)
    again = resolve(model, resolved.params)
    assert again.params == resolved.params
    assert {one.action for one in again.adjustments} <= {"passthrough", "warn"}
    assert not again.refusals
    json.dumps([one.original for one in resolved.adjustments], allow_nan=False)


@given(provider=st.sampled_from(list(PROVIDERS.values())), data=st.data())
def test_a_table_s_own_values_are_sent_or_a_rule_says_why_not(provider: Provider, data: st.DataObject) -> None:
    asked = {}
    for param in data.draw(st.lists(st.sampled_from(provider.params), unique_by=lambda one: one.name)):
        asked[param.name] = data.draw(sound(param))
    for model in MODELS[provider.name]:
        resolved = resolve(model, asked)
        assert not resolved.refusals
        assert asked.keys() == resolved.params.keys() | {a.param for a in resolved.adjustments if a.action == "drop"}


def sound(param: Param) -> st.SearchStrategy[Any]:
    if param.kind == "choice":
        return st.sampled_from(param.choices)
    if param.kind == "bool":
        return st.booleans()
    if param.kind == "texts":
        return st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=int(param.high or 9))
    low, high = param.low if param.low is not None else -1, param.high if param.high is not None else 10**6
    return st.integers(int(low), int(high)) if param.kind == "int" else st.floats(low, high)


def one(model: str, **params: Any) -> tuple[dict[str, Any], list[tuple[str, Any, str]]]:
    resolved = resolve(model, params)
    assert not resolved.refusals
    return resolved.params, [(a.param, a.adjusted, a.action) for a in resolved.adjustments]


@pytest.mark.parametrize(
    "model", ["openai/gpt-5-mini", "openai/o3", "o4-mini", "azure/gpt-5", "openrouter/openai/gpt-5"]
)
def test_reasoning_models_take_no_free_temperature(model: str) -> None:
    sent, adjusted = one(model, temperature=0.2, reasoning_effort="low")
    assert sent == {"reasoning_effort": "low"}
    assert adjusted == [("temperature", None, "drop")]


def test_claude_keeps_temperature_of_the_two() -> None:
    sent, adjusted = one("anthropic/claude-sonnet-4-5", temperature=0.2, top_p=0.9)
    assert sent == {"temperature": 0.2}
    assert adjusted == [("top_p", None, "drop")]
    assert one("anthropic/claude-sonnet-4-5", top_p=0.9) == ({"top_p": 0.9}, [])
    assert one("bedrock/us.anthropic.claude-haiku-4-5", temperature=1.7, top_p=0.9)[0] == {"temperature": 1}


def test_both_of_the_two_are_sent_to_others_and_warned_about() -> None:
    sent, adjusted = one("openai/gpt-4.1", temperature=0.2, top_p=0.9)
    assert sent == {"temperature": 0.2, "top_p": 0.9}
    assert adjusted == [("top_p", 0.9, "warn")]


def test_claude_thinks_within_its_limit_and_chooses_its_temperature() -> None:
    sent, adjusted = one("anthropic/claude-sonnet-4-5", temperature=0, thinking_budget=9000, max_output_tokens=4000)
    assert sent == {"thinking_budget": 3999, "max_output_tokens": 4000}
    assert adjusted == [("thinking_budget", 3999, "clamp"), ("temperature", None, "drop")]
    sent, adjusted = one("anthropic/claude-sonnet-4-5", temperature=0, thinking_budget=9000, max_output_tokens=1000)
    assert sent == {"temperature": 0, "max_output_tokens": 1000}
    assert adjusted == [("thinking_budget", None, "drop")]


def test_effort_goes_to_the_nearest_that_there_is() -> None:
    assert one("openai/o3", reasoning_effort="minimal") == (
        {"reasoning_effort": "low"},
        [("reasoning_effort", "low", "clamp")],
    )
    assert one("openai/gpt-5-mini", reasoning_effort="minimal") == ({"reasoning_effort": "minimal"}, [])
    assert one("openai/gpt-5.1", reasoning_effort="minimal")[0] == {"reasoning_effort": "low"}
    assert one("anthropic/claude-sonnet-4-5", reasoning_effort="minimal")[0] == {"reasoning_effort": "low"}
    assert one("openai/gpt-4.1-mini", reasoning_effort="low", verbosity="low")[0] == {}


def test_other_names_are_renamed_and_of_two_ours_counts() -> None:
    assert one("openai/gpt-4.1", max_tokens=9) == (
        {"max_output_tokens": 9},
        [("max_tokens", "max_output_tokens", "rename")],
    )
    assert one("openai/gpt-4.1", max_tokens=9, max_output_tokens=7) == (
        {"max_output_tokens": 7},
        [("max_tokens", None, "drop")],
    )


def test_what_nobody_lists_is_handed_through_where_there_is_room() -> None:
    bias = {"50256": -100}
    assert one("openai/gpt-4.1", logit_bias=bias) == ({"logit_bias": bias}, [("logit_bias", bias, "passthrough")])
    assert one("vertex_ai/gemini-3.5-flash", logit_bias=bias) == ({}, [("logit_bias", None, "drop")])


@pytest.mark.parametrize(
    "name",
    [
        "model",
        "messages",
        "stream",
        "n",
        "api_base",
        "base_url",
        "api_key",
        "apiKey",
        "extra_headers",
        "extra_body",
        "tools",
        "aws_secret_access_key",
        "azure_ad_token",
        "aws_region_name",
        "litellm_metadata",
        "vertex_credentials",
        "a b",
        "",
        "1x",
    ],
)
def test_what_belongs_elsewhere_is_refused_by_name(name: str) -> None:
    resolved = resolve("groq/some-model", {name: "x"})
    assert resolved.params == {}
    assert [field for field, _ in resolved.refusals] == [name]


def test_a_whole_number_that_no_database_keeps_is_refused_in_every_notation() -> None:
    for value in (2**63 + 1, float(2**64), 1e308):
        assert [name for name, _ in resolve("hosted_vllm/m", {"top_k": value}).refusals] == ["top_k"]
