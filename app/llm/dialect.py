"""A request in OpenAI's words, and what to leave out when a server does not know a word."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from app.core.params import REASONING
from app.llm.answers import adjustment
from app.llm.failures import Refusal
from app.llm.pictures import NOTHING, Loaded, in_openais_words
from app.ports.llm import Json, Request

_UNKNOWN_WORD = re.compile(
    r"unsupported|not supported|does not support|doesn't support|unrecognized|unknown|unexpected|not permitted|not allowed"
    r"|no longer|extra inputs|extra_forbidden|invalid (?:field|parameter|argument)",
    re.IGNORECASE,
)
_SCHEMA_WORDS = re.compile(r"response_format|json_schema|json_object|schema|structured|guided", re.IGNORECASE)
_NOT_ABOUT_FORM = re.compile(r"context_length|maximum context|too long|too many tokens|content_filter", re.IGNORECASE)
_NEVER_LEFT_OUT = frozenset({"model", "messages", "response_format"})


def body_of(
    request: Request, model: str, refused: Collection[str] = (), loaded: Loaded = NOTHING
) -> tuple[dict[str, Any], list[Json]]:
    """The JSON body of a streaming chat request, and the adjustments that were made.

    refused: words that this server is known not to take: a parameter, "json_schema", "json_object", "stream", "stream_options".
    loaded: the content of its images.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": in_openais_words(request.messages, loaded),
    }
    adjustments: list[Json] = []
    thinks = bool(REASONING.search(model))
    for name, value in request.model.params.items():
        if value is None:
            continue
        if name == "max_output_tokens":
            _limit(body, adjustments, value, thinks, refused)
        elif thinks and name in ("temperature", "top_p"):
            if value != 1:
                adjustments.append(adjustment(name, value, None, "drop", "reasoning models choose it themselves"))
        elif name in refused:
            adjustments.append(adjustment(name, value, None, "drop", "the server does not take it"))
        else:
            body[name] = value
    if request.response_schema is not None:
        _form(body, adjustments, request.response_schema, refused)
    if "stream" not in refused:
        body["stream"] = True
        if "stream_options" not in refused:
            body["stream_options"] = {"include_usage": True}
    return body, adjustments


def _limit(body: dict[str, Any], adjustments: list[Json], value: Json, thinks: bool, refused: Collection[str]) -> None:
    names = ("max_completion_tokens", "max_tokens") if thinks else ("max_tokens", "max_completion_tokens")
    name = next((n for n in names if n not in refused), None)
    if name is None:
        adjustments.append(adjustment("max_output_tokens", value, None, "drop", "the server takes no limit"))
        return
    body[name] = value


def _form(body: dict[str, Any], adjustments: list[Json], schema: Json, refused: Collection[str]) -> None:
    if "json_schema" not in refused:
        form = {"name": "reply", "schema": schema, "strict": _is_strict(schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    elif "json_object" not in refused:
        body["response_format"] = {"type": "json_object"}
        reason = "the server takes no schema; any JSON object was asked for"
        adjustments.append(adjustment("response_schema", "json_schema", "json_object", "rename", reason))
    else:
        reason = "the server cannot be told the form of its answer"
        adjustments.append(adjustment("response_schema", "json_schema", None, "drop", reason))


def _is_strict(schema: Json) -> bool:
    """Whether OpenAI's strict mode would take the schema: closed objects with every property required."""
    if isinstance(schema, list):
        return all(_is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        names = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(names):
            return False
    return all(_is_strict(value) for value in schema.values())


def concession(refusal: Refusal, body: dict[str, Any]) -> str | None:
    """The word to leave out before asking again, or None when leaving something out would not help."""
    if refusal.status not in (400, 415, 422, 501) or _NOT_ABOUT_FORM.search(refusal.words):
        return None
    form = (body.get("response_format") or {}).get("type")
    if form and _SCHEMA_WORDS.search(refusal.words):
        return str(form)
    if _UNKNOWN_WORD.search(refusal.words):
        named = [name for name in body if name not in _NEVER_LEFT_OUT and _names(name, refusal)]
        if named:
            return named[0]
    return str(form) if form else None


def _names(word: str, refusal: Refusal) -> bool:
    return refusal.param == word or re.search(rf"\b{re.escape(word)}\b", refusal.words) is not None
