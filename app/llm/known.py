"""Every provider that is known by name, in one table: how it is reached, and which variables of the environment it reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from app.llm.prices import bundled

_SUPPORT = "provider_endpoints_support_backup.json"

Adapter: TypeAlias = Literal["simulated", "vertex", "openai", "litellm"]


@dataclass(frozen=True, slots=True)
class Known:
    """A provider. name: the part of a model's name before the first slash.

    keys: variables of which one must be set. bases: variables that may hold its base URL. default_base: where it is otherwise.
    local: runs on the user's own machine or network and needs no key. own_protocol: is not reached in OpenAI's way even
    when a base URL is given. only_at: domains in which a base URL given for a call must lie, because what is sent there with it
    cannot be held back. examples: names to start from; a guess at what people use, never a limit.
    """

    name: str
    title: str
    adapter: Adapter
    keys: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    default_base: str = ""
    local: bool = False
    own_protocol: bool = False
    only_at: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


KNOWN: dict[str, Known] = {
    known.name: known
    for known in (
        Known(
            "simulated",
            "Simulated",
            "simulated",
            examples=("simulated/primary", "simulated/writer", "simulated/optimizer", "simulated/judge"),
        ),
        Known(
            "local",
            "Local model",
            "openai",
            bases=("LOCAL_MODEL_BASE",),
            default_base="http://127.0.0.1:6395/v1",
            local=True,
            examples=("local/smollm2",),
        ),
        Known(
            "vertex_ai",
            "Vertex AI",
            "vertex",
            own_protocol=True,
            only_at=("googleapis.com",),
            examples=(
                "vertex_ai/gemini-3.5-flash",
                "vertex_ai/gemini-3.5-flash-lite",
                "vertex_ai/gemini-3.1-pro-preview",
            ),
        ),
        Known(
            "openai",
            "OpenAI",
            "openai",
            keys=("OPENAI_API_KEY",),
            bases=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
            default_base="https://api.openai.com/v1",
            examples=("openai/gpt-5-mini", "openai/gpt-5-nano", "openai/gpt-4.1-mini"),
        ),
        Known(
            "azure",
            "Azure OpenAI",
            "openai",
            keys=("AZURE_API_KEY", "AZURE_OPENAI_API_KEY"),
            bases=("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"),
            examples=("azure/<name of your deployment>",),
        ),
        Known(
            "ollama",
            "Ollama",
            "openai",
            bases=("OLLAMA_API_BASE",),
            default_base="http://localhost:11434/v1",
            local=True,
            examples=("ollama/llama3.2", "ollama/qwen3"),
        ),
        Known(
            "ollama_chat",
            "Ollama",
            "openai",
            bases=("OLLAMA_API_BASE",),
            default_base="http://localhost:11434/v1",
            local=True,
        ),
        Known(
            "lm_studio",
            "LM Studio",
            "openai",
            keys=("LM_STUDIO_API_KEY",),
            bases=("LM_STUDIO_API_BASE",),
            default_base="http://localhost:1234/v1",
            local=True,
            examples=("lm_studio/<name of the loaded model>",),
        ),
        Known(
            "hosted_vllm",
            "vLLM",
            "openai",
            keys=("HOSTED_VLLM_API_KEY",),
            bases=("HOSTED_VLLM_API_BASE",),
            local=True,
            examples=("hosted_vllm/<name of the served model>",),
        ),
        Known(
            "anthropic",
            "Anthropic",
            "litellm",
            ("ANTHROPIC_API_KEY",),
            ("ANTHROPIC_API_BASE",),
            "https://api.anthropic.com",
            own_protocol=True,
            examples=("anthropic/claude-sonnet-5", "anthropic/claude-haiku-4-5"),
        ),
        Known(
            "gemini",
            "Gemini API",
            "litellm",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            ("GEMINI_API_BASE",),
            "https://generativelanguage.googleapis.com",
            own_protocol=True,
            examples=("gemini/gemini-3.5-flash",),
        ),
        Known(
            "bedrock",
            "Amazon Bedrock",
            "litellm",
            ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"),
            own_protocol=True,
            only_at=("amazonaws.com",),
            examples=("bedrock/amazon.nova-lite-v1:0",),
        ),
        Known(
            "mistral",
            "Mistral",
            "litellm",
            ("MISTRAL_API_KEY",),
            ("MISTRAL_API_BASE",),
            "https://api.mistral.ai/v1",
            examples=("mistral/mistral-small-latest",),
        ),
        Known(
            "groq",
            "Groq",
            "litellm",
            ("GROQ_API_KEY",),
            ("GROQ_API_BASE",),
            "https://api.groq.com/openai/v1",
            examples=("groq/openai/gpt-oss-20b",),
        ),
        Known(
            "deepseek",
            "DeepSeek",
            "litellm",
            ("DEEPSEEK_API_KEY",),
            ("DEEPSEEK_API_BASE",),
            "https://api.deepseek.com",
            examples=("deepseek/deepseek-v4-flash",),
        ),
        Known(
            "openrouter",
            "OpenRouter",
            "litellm",
            ("OPENROUTER_API_KEY",),
            ("OPENROUTER_API_BASE",),
            "https://openrouter.ai/api/v1",
            examples=("openrouter/<name of a model>",),
        ),
        Known(
            "together_ai",
            "Together AI",
            "litellm",
            ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY"),
            default_base="https://api.together.xyz/v1",
        ),
        Known(
            "fireworks_ai",
            "Fireworks AI",
            "litellm",
            ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
            ("FIREWORKS_API_BASE",),
            "https://api.fireworks.ai/inference/v1",
        ),
        Known(
            "xai",
            "xAI",
            "litellm",
            ("XAI_API_KEY",),
            ("XAI_API_BASE",),
            "https://api.x.ai/v1",
            examples=("xai/grok-4.5",),
        ),
        Known(
            "cohere_chat",
            "Cohere",
            "litellm",
            ("COHERE_API_KEY", "CO_API_KEY"),
            ("COHERE_API_BASE",),
            "https://api.cohere.com",
            own_protocol=True,
            only_at=("cohere.com", "cohere.ai"),
        ),
        Known(
            "cohere",
            "Cohere",
            "litellm",
            ("COHERE_API_KEY", "CO_API_KEY"),
            ("COHERE_API_BASE",),
            "https://api.cohere.com",
            own_protocol=True,
            only_at=("cohere.com", "cohere.ai"),
        ),
        Known(
            "perplexity",
            "Perplexity",
            "litellm",
            ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
            default_base="https://api.perplexity.ai",
        ),
        Known(
            "cerebras",
            "Cerebras",
            "litellm",
            ("CEREBRAS_API_KEY",),
            ("CEREBRAS_API_BASE",),
            "https://api.cerebras.ai/v1",
        ),
        Known(
            "nvidia_nim",
            "NVIDIA NIM",
            "litellm",
            ("NVIDIA_NIM_API_KEY",),
            ("NVIDIA_NIM_API_BASE",),
            "https://integrate.api.nvidia.com/v1",
        ),
        Known("azure_ai", "Azure AI", "litellm", ("AZURE_AI_API_KEY",), ("AZURE_AI_API_BASE",)),
        Known("huggingface", "Hugging Face", "litellm", ("HUGGINGFACE_API_KEY", "HF_TOKEN")),
    )
}


@cache
def litellm_providers() -> frozenset[str]:
    """Every provider name that LiteLLM can chat through, from the tables in its package; LiteLLM is not imported."""
    package = find_spec("litellm")
    if package is None or package.origin is None:
        return frozenset()
    table = json.loads(Path(package.origin).with_name(_SUPPORT).read_text(encoding="utf-8"))["providers"]
    chats = {name for name, line in table.items() if line.get("endpoints", {}).get("chat_completions")}
    return frozenset(chats | {entry.provider for entry in bundled().values()}) - {""}
