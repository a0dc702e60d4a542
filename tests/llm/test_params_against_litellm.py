"""The registry beside the pinned LiteLLM's own tables: where they differ, docs/providers.md says so, line by line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import pytest

from app.config import ROOT
from app.core.params import PROVIDERS, Param, Provider, resolve

SPELLED = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_tokens",
    "stop": "stop",
    "seed": "seed",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "reasoning_effort": "reasoning_effort",
    "verbosity": "verbosity",
    "service_tier": "service_tier",
    "thinking_budget": "thinking",
}
"""Our names of what LiteLLM's tables speak of, and theirs."""
COMPARED = (
    "openai/gpt-4.1-mini",
    "openai/gpt-5-mini",
    "openai/gpt-5.1",
    "openai/gpt-6-sol",
    "openai/o3",
    "azure/gpt-4.1",
    "anthropic/claude-sonnet-4-5",
    "anthropic/claude-3-5-haiku-latest",
    "gemini/gemini-2.5-flash",
    "gemini/gemini-2.0-flash",
    "vertex_ai/gemini-3.5-flash",
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock/us.amazon.nova-2-lite-v1:0",
    "mistral/mistral-large-latest",
    "mistral/magistral-medium-latest",
    "deepseek/deepseek-chat",
    "deepseek/deepseek-reasoner",
    "cohere_chat/command-a-03-2025",
    "xai/grok-4",
    "xai/grok-3-mini",
    "xai/grok-2",
    "ollama/llama3",
    "hosted_vllm/some-model",
)
PAGE = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
HEADING = "### Where the registry and LiteLLM differ"

ASK = """
import litellm, sys
for model in sys.argv[1:]:
    print(model, *sorted(litellm.get_supported_openai_params(model=model) or ()))
"""


@pytest.fixture(scope="module")
def theirs() -> dict[str, set[str]]:
    """What LiteLLM's tables say, by model; asked in a process of its own, in the state in which the adapter imports it."""
    state = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
    command = [sys.executable, "-W", "ignore", "-c", ASK, *COMPARED]
    said = subprocess.run(
        command, env=os.environ | state, capture_output=True, text=True, check=True, timeout=120
    ).stdout
    return {model: set(names) for model, *names in (line.split() for line in said.splitlines())}


def value(param: Param) -> object:
    """One that the parameter takes."""
    if param.kind == "texts":
        return ["x"]
    return param.choices[-1] if param.kind == "choice" else param.kind == "bool" or param.high or param.low


def ours(model: str) -> set[str]:
    """What the registry sends when it is asked for each parameter alone."""
    sample = {param.name: value(param) for one in PROVIDERS.values() for param in one.params}
    return {name for name in SPELLED if name in resolve(model, {name: sample[name]}).params}


def differences(theirs: dict[str, set[str]]) -> Iterator[str]:
    for model in COMPARED:
        known = {name for name, spelled in SPELLED.items() if spelled in theirs[model]}
        sent = ours(model)
        if sent != known:
            only = [", ".join(f"`{name}`" for name in sorted(part)) or "-" for part in (sent - known, known - sent)]
            yield f"| `{model}` | {only[0]} | {only[1]} |"


def test_every_difference_is_listed_and_no_other(theirs: dict[str, set[str]]) -> None:
    section = PAGE[PAGE.index(HEADING) :].split("\n## ")[0]
    listed = [line for line in section.splitlines() if line.startswith("| `")]
    assert listed == list(differences(theirs))
    assert f"LiteLLM {version('litellm')}, the pinned release" in section


def test_both_know_the_limit_of_every_model(theirs: dict[str, set[str]]) -> None:
    for model in COMPARED:
        assert {"max_tokens", "max_completion_tokens"} & theirs[model], model
        assert "max_output_tokens" in ours(model)


def told(param: Param) -> str:
    default = "" if param.default is None else f", else {param.default}".lower()
    return f"`{param.name}` {param.range}{default}"


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=list(PROVIDERS))
def test_the_page_shows_every_table(provider: Provider) -> None:
    assert f"| `{provider.name}` | {'; '.join(told(param) for param in provider.params)} |" in PAGE
