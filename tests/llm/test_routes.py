"""Which adapter, address and key a model's name leads to; and that no key goes where it does not belong."""

from __future__ import annotations

import pytest

from app.llm.known import KNOWN, litellm_providers
from app.llm.routes import endpoint, route
from app.llm.simulated import MODELS
from app.ports.llm import ModelRef, Permanent, Unauthorized, UnknownModel

KEY = "sk-canary-0123456789"


@pytest.mark.parametrize(
    ("name", "api_base", "adapter", "model"),
    [
        ("simulated/primary", None, "simulated", "primary"),
        ("openai/gpt-5-mini", None, "openai", "gpt-5-mini"),
        ("openai/org/model", "http://h/v1", "openai", "org/model"),
        ("ollama/llama3.2:3b", None, "openai", "llama3.2:3b"),
        ("azure/mine", None, "openai", "mine"),
        ("vertex_ai/gemini-3.5-flash", None, "vertex", "gemini-3.5-flash"),
        ("vertex_ai/endpoints/12", None, "vertex", "endpoints/12"),
        ("vertex_ai/claude-sonnet-4-6", None, "litellm", "claude-sonnet-4-6"),
        ("anthropic/claude-sonnet-4-6", None, "litellm", "claude-sonnet-4-6"),
        ("anthropic/claude-sonnet-4-6", "http://h", "litellm", "claude-sonnet-4-6"),
        ("groq/llama", None, "litellm", "llama"),
        ("groq/llama", "http://h/v1", "openai", "llama"),
        ("nebius/some/model", None, "litellm", "some/model"),
        ("nebius/some/model", "http://h/v1", "openai", "some/model"),
        ("meta-llama/Llama-3", "http://h/v1", "openai", "meta-llama/Llama-3"),
        ("local-model", "http://h/v1", "openai", "local-model"),
        ("gpt-5-mini", None, "openai", "gpt-5-mini"),
        ("gemini-3.5-flash", None, "vertex", "gemini-3.5-flash"),
    ],
)
def test_a_name_leads_to_its_adapter(name: str, api_base: str | None, adapter: str, model: str) -> None:
    way = route(ModelRef(name, api_base=api_base))

    assert (way.adapter, way.model) == (adapter, model)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("opnai/gpt-5-mini", "did you mean openai/gpt-5-mini"),
        ("nonsense-provider-xyz/m", "give its api_base"),
        ("some-model", "write provider/model"),
        ("openai/", "write provider/model"),
        ("/x", "write provider/model"),
        ("", "no model is named"),
        ("  ", "no model is named"),
    ],
)
def test_an_unknown_name_is_refused_with_what_to_write(name: str, said: str) -> None:
    with pytest.raises(UnknownModel, match=said):
        route(ModelRef(name))


def url(name: str, api_base: str | None, **environ: str) -> str:
    model = ModelRef(name, api_base=api_base)
    return endpoint(route(model), api_base, {"OPENAI_API_KEY": KEY, "AZURE_API_KEY": KEY, **environ}).url


def test_addresses() -> None:
    assert url("openai/m", None) == "https://api.openai.com/v1/chat/completions"
    assert url("openai/m", None, OPENAI_BASE_URL="http://proxy/v1/") == "http://proxy/v1/chat/completions"
    assert url("openai/m", "http://h:1") == "http://h:1/v1/chat/completions"
    assert url("openai/m", "http://h:1/api/v3/") == "http://h:1/api/v3/chat/completions"
    assert url("openai/m", "http://h/v1/chat/completions") == "http://h/v1/chat/completions"
    assert url("ollama/m", None) == "http://localhost:11434/v1/chat/completions"
    assert url("ollama/m", None, OLLAMA_API_BASE="http://box:11434") == "http://box:11434/v1/chat/completions"
    assert url("azure/d", "https://r.openai.azure.com").startswith(
        "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version="
    )
    assert url("azure/d", "https://r.openai.azure.com", AZURE_API_VERSION="v9").endswith("api-version=v9")
    assert (
        url("azure/d", "https://r.openai.azure.com/openai/v1/")
        == "https://r.openai.azure.com/openai/v1/chat/completions"
    )


@pytest.mark.parametrize(
    "base",
    ["localhost:8000", "ftp://h/v1", "http://", "http://h:port/v1", "http://h h/v1", "nonsense", "http://[::1/v1"],
)
def test_what_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(UnknownModel, match=r"^api_base "):
        url("openai/m", base)


def test_an_address_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(Permanent) as caught:
        url("openai/m", "http://user:hunter22@h/v1")

    assert "hunter22" not in str(caught.value)


def sent(name: str, api_base: str | None, **environ: str) -> str | None:
    model = ModelRef(name, api_base=api_base)
    return endpoint(route(model), api_base, {"OPENAI_API_KEY": KEY, **environ}).headers.get("Authorization")


def test_the_key_goes_to_its_provider_to_trusted_hosts_and_to_this_machine_only() -> None:
    assert sent("openai/m", None) == f"Bearer {KEY}"
    assert sent("openai/m", "http://localhost:8000/v1") == f"Bearer {KEY}"
    assert sent("openai/m", "http://127.0.0.1:8000/v1") == f"Bearer {KEY}"
    assert sent("openai/m", "https://proxy.corp/other", OPENAI_BASE_URL="https://proxy.corp/v1") == f"Bearer {KEY}"
    assert sent("openai/m", "https://evil.example/v1") is None
    assert sent("openai/m", "https://api.openai.com.evil.example/v1") is None
    assert sent("whatever", "https://evil.example/v1") is None


def test_a_key_that_was_held_back_is_explained() -> None:
    model = ModelRef("openai/m", api_base="https://elsewhere.example/v1")

    hint = endpoint(route(model), model.api_base, {"OPENAI_API_KEY": KEY}).hint

    assert "OPENAI_BASE_URL" in hint
    assert KEY not in hint


def test_without_a_key_the_provider_itself_is_not_called() -> None:
    model = ModelRef("openai/gpt-5-mini")

    with pytest.raises(Unauthorized, match="OPENAI_API_KEY"):
        endpoint(route(model), None, {})


def test_the_table_names_each_provider_once_and_litellm_knows_the_rest() -> None:
    assert KNOWN["simulated"].examples == MODELS
    assert {known.name for known in KNOWN.values() if known.adapter == "litellm"} <= litellm_providers()
