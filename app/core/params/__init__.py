"""Which settings a model takes: universal ones, those of its provider, and whatever else is handed through as it is.

The registry decides what is sent, in our own names; the adapters spell it as each provider wants it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.core.params.checks import Refused, checked, passable, shown
from app.core.params.providers import PROVIDERS, provider_of
from app.core.params.rules import REASONING, one_of_two
from app.core.params.spec import Adjustment, Param, Provider
from app.ports.llm import Json

__all__ = ["KNOWN", "PROVIDERS", "REASONING", "Adjustment", "Param", "Provider", "Resolved", "provider_of", "resolve"]

ALIASES = {
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "max_new_tokens": "max_output_tokens",
    "maxOutputTokens": "max_output_tokens",
    "num_predict": "max_output_tokens",
    "stop_sequences": "stop",
    "stopSequences": "stop",
    "random_seed": "seed",
    "topP": "top_p",
    "topK": "top_k",
    "thinkingBudget": "thinking_budget",
}
"""Other people's names for what we have a name for."""

KNOWN = frozenset(param.name for provider in PROVIDERS.values() for param in provider.params)
"""Names that some provider takes; elsewhere they are dropped, never handed through."""

_NOT_OURS = {
    "model": "name the model instead",
    "messages": "the prompt makes the messages",
    "contents": "the prompt makes the messages",
    "system": "the prompt makes the messages",
    "stream": "answers are always streamed",
    "stream_options": "answers are always streamed",
    "n": "ask with repeats instead; every answer has to be counted and paid for",
    "best_of": "ask with repeats instead; every answer has to be counted and paid for",
    "candidate_count": "ask with repeats instead; every answer has to be counted and paid for",
    "response_format": "scorers and strategies ask for the form that they need",
    "tools": "trainings call no tools",
    "tool_choice": "trainings call no tools",
    "functions": "trainings call no tools",
    "extra_body": "give its content directly; what is unknown is handed through",
    "timeout": "use calls.deadline_s",
}
_ADDRESS = re.compile(r"api_?base|base_?url|endpoint|proxy|headers?$", re.IGNORECASE)
_SECRET = re.compile(
    r"api_?key|secret|password|credential|authorization|(?:^|_)token$|^(?:aws|vertex|azure|google|litellm)_",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z_][\w.\-]{0,99}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """params: what is sent, in our names. adjustments: what differs from what was asked. refusals: (name, what is wrong)."""

    params: dict[str, Json]
    adjustments: tuple[Adjustment, ...] = ()
    refusals: tuple[tuple[str, str], ...] = ()


def resolve(model: str, params: Mapping[str, Json]) -> Resolved:
    """What a model (provider/model) is sent of the parameters that were asked for. Never raises; None is "not given"."""
    provider = provider_of(model)
    asked, renamed = _renamed(params)
    sent: dict[str, Json] = {}
    adjustments, refusals = renamed, []
    for name, value in asked.items():
        try:
            adjustments += _take(provider, name, value, sent)
        except Refused as error:
            refusals.append((name[:100], str(error)))
    bare = model.partition("/")[2] or model
    for rule in (*provider.rules, one_of_two):
        adjustments += rule(bare, sent)
    return Resolved(sent, tuple(adjustments), tuple(refusals))


def _renamed(params: Mapping[str, Json]) -> tuple[dict[str, Json], list[Adjustment]]:
    """The parameters that were given, in our names."""
    given = {str(name): value for name, value in params.items() if value is not None}
    adjustments = []
    for alias, name in ALIASES.items():
        if alias not in given:
            continue
        if name in given:
            value = given.pop(alias)
            told = shown(value) if passable(value) else value
            adjustments.append(Adjustment(alias, told, None, "drop", f"{name} says it already"))
        else:
            given[name] = given.pop(alias)
            adjustments.append(
                Adjustment(alias, alias, name, "rename", f"it is called {name} here, for every provider")
            )
    return given, adjustments


def _take(provider: Provider, name: str, value: Json, sent: dict[str, Json]) -> list[Adjustment]:
    """Put one parameter among those that are sent, if it is to be. Raises: Refused."""
    if param := provider.param(name):
        sent[name], adjusted = checked(param, value)
        return [adjusted] if adjusted else []
    if why := _forbidden(name):
        raise Refused(why)
    if problem := passable(value):
        raise Refused(f"{problem}, not {shown(value)}")
    if name in KNOWN or not provider.passes:
        return [Adjustment(name, value, None, "drop", f"{provider.title} does not take it")]
    sent[name] = value
    reason = f"not in the table of {provider.title}; it is handed through unchecked"
    return [Adjustment(name, value, value, "passthrough", reason)]


def _forbidden(name: str) -> str:
    """Why a name may not be handed through, "" when it may."""
    if name in _NOT_OURS:
        return f"cannot be set here: {_NOT_OURS[name]}"
    if _ADDRESS.search(name):
        return "cannot be set here: use the API base; headers are not sent"
    if _SECRET.search(name):
        return "keys and projects are read from the environment; they are never a parameter"
    if not _NAME.fullmatch(name):
        return "is no name of a parameter: letters, digits and _ . -, beginning with a letter"
    return ""
