"""Every provider's table of parameters, and which table a model's name leads to."""

from __future__ import annotations

import re

from app.core.params.providers.anthropic import ANTHROPIC
from app.core.params.providers.azure import AZURE
from app.core.params.providers.bedrock import BEDROCK
from app.core.params.providers.cohere import COHERE
from app.core.params.providers.deepseek import DEEPSEEK
from app.core.params.providers.gemini import GEMINI, VERTEX_AI
from app.core.params.providers.mistral import MISTRAL
from app.core.params.providers.ollama import OLLAMA
from app.core.params.providers.openai import OPENAI
from app.core.params.providers.simulated import SIMULATED
from app.core.params.providers.unknown import UNKNOWN
from app.core.params.providers.vllm import VLLM
from app.core.params.providers.xai import XAI
from app.core.params.spec import Provider

PROVIDERS: dict[str, Provider] = {
    one.name: one
    for one in (
        OPENAI,
        AZURE,
        ANTHROPIC,
        GEMINI,
        VERTEX_AI,
        BEDROCK,
        MISTRAL,
        DEEPSEEK,
        COHERE,
        XAI,
        OLLAMA,
        VLLM,
        SIMULATED,
        UNKNOWN,
    )
}
_OTHER_NAMES = {"ollama_chat": OLLAMA, "cohere_chat": COHERE, "hosted_vllm": VLLM, "bedrock_converse": BEDROCK}
_OPENAI_MODEL = re.compile(r"(?:gpt-(?!oss)|chatgpt-|o[1-9](?:$|[-.@:])|ft:)", re.IGNORECASE)


def provider_of(model: str) -> Provider:
    """The table for a model. model: provider/model, or a model's own name."""
    first, slash, rest = model.partition("/")
    if not slash:
        return _by_model(model)
    if first == "vertex_ai" and not rest.startswith(("gemini", "endpoints/", "projects/")):
        return ANTHROPIC if rest.startswith("claude") else UNKNOWN
    if first == "openai" and not _OPENAI_MODEL.match(rest):
        return UNKNOWN
    return PROVIDERS.get(first) or _OTHER_NAMES.get(first) or UNKNOWN


def _by_model(model: str) -> Provider:
    if model.startswith("claude"):
        return ANTHROPIC
    if model.startswith("gemini"):
        return VERTEX_AI
    return OPENAI if _OPENAI_MODEL.match(model) else UNKNOWN
