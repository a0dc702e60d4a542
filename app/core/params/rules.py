"""What does not go together, one rule a function: each changes the parameters and says so."""

from __future__ import annotations

import re

from app.core.params.spec import Adjustment, change, drop
from app.ports.llm import Json

REASONING = re.compile(r"(?:^|/)(?:gpt-[5-9](?!-chat|\.\d+-chat)|o[1-9](?:$|[-.@:]))", re.IGNORECASE)
"""OpenAI's models that think before they answer: no free temperature, and a limit that includes the thinking."""

_GPT = re.compile(r"(?:^|/)gpt-[5-9]", re.IGNORECASE)
_GPT_LATER = re.compile(r"(?:^|/)gpt-(?:5\.\d|[6-9])", re.IGNORECASE)
_CLAUDE = re.compile(r"claude", re.IGNORECASE)
_CLAUDE_BEFORE_THINKING = re.compile(r"claude-(?:instant|v?2|3-(?:opus|sonnet|haiku|5-))", re.IGNORECASE)
_GEMINI_BEFORE_THINKING = re.compile(r"gemini-(?:1|2\.0|pro|flash)", re.IGNORECASE)
_GROK_THINKS = re.compile(r"grok-(?:3-mini|[4-9]|code)", re.IGNORECASE)
_GROK_EFFORT = re.compile(r"grok-3-mini", re.IGNORECASE)
_MISTRAL_THINKS = re.compile(r"magistral", re.IGNORECASE)
_DEEPSEEK_THINKS = re.compile(r"reasoner|r1", re.IGNORECASE)
_LEAST_THINKING = 1024

CHOOSES = "reasoning models choose it themselves"
DOES_NOT_THINK = "this model does not think before it answers"


def openai_reasoning(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """The o-series and gpt-5 and later take no free temperature, top_p or penalties; the others take no effort."""
    if not REASONING.search(model):
        return drop(params, "reasoning_effort", DOES_NOT_THINK) + _verbosity(model, params)
    done = [one for name in ("temperature", "top_p") for one in drop(params, name, CHOOSES)]
    for name in ("presence_penalty", "frequency_penalty", *(("stop",) if _GPT.search(model) else ())):
        done += drop(params, name, "reasoning models do not take it")
    if params.get("reasoning_effort") == "minimal" and (_GPT_LATER.search(model) or not _GPT.search(model)):
        done += change(params, "reasoning_effort", "low", "low is the least that this model takes")
    return done + _verbosity(model, params)


def _verbosity(model: str, params: dict[str, Json]) -> list[Adjustment]:
    if REASONING.search(model) and _GPT.search(model):
        return []
    return drop(params, "verbosity", "only gpt-5 and later take it")


def only_reasoning(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """Where any model may stand behind the provider: what is known of OpenAI's names, and nothing said of others."""
    return openai_reasoning(model, params) if REASONING.search(model) else []


def claude_sampling(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """Claude takes a temperature or top_p, not both; while it thinks it takes neither, nor top_k."""
    if not _CLAUDE.search(model):
        return []
    done = claude_thinking(model, params)
    if "thinking_budget" in params or "reasoning_effort" in params:
        for name in ("temperature", "top_p", "top_k"):
            done += drop(params, name, "Claude chooses it itself while it thinks")
    elif "temperature" in params:
        done += drop(params, "top_p", "Claude takes temperature or top_p, not both")
    return done


def claude_thinking(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """The budget for thinking is a part of the answer's limit, and older models do not think."""
    if _CLAUDE_BEFORE_THINKING.search(model):
        return drop(params, "thinking_budget", DOES_NOT_THINK) + drop(params, "reasoning_effort", DOES_NOT_THINK)
    done = one_thought(model, params)
    budget, most = params.get("thinking_budget"), params.get("max_output_tokens")
    if budget is None or most is None or budget < most:
        return done
    if most <= _LEAST_THINKING:
        reason = f"thinking takes at least {_LEAST_THINKING} tokens, and max_output_tokens leaves no room for them"
        return done + drop(params, "thinking_budget", reason)
    return done + change(params, "thinking_budget", most - 1, "it must be less than max_output_tokens")


def one_thought(_model: str, params: dict[str, Json]) -> list[Adjustment]:
    """A budget in tokens says more than an effort in words."""
    if "thinking_budget" not in params:
        return []
    return drop(params, "reasoning_effort", "thinking_budget says it already")


def not_claude(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """Amazon's door gives a budget for thinking to Claude only."""
    return [] if _CLAUDE.search(model) else drop(params, "thinking_budget", "only Claude models take it there")


def gemini_thinking(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """Gemini thinks since 2.5."""
    if _GEMINI_BEFORE_THINKING.search(model):
        return drop(params, "thinking_budget", DOES_NOT_THINK) + drop(params, "reasoning_effort", DOES_NOT_THINK)
    return one_thought(model, params)


def grok_reasoning(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """Grok's reasoning models take no stop texts and no penalties; the effort is for grok-3-mini alone."""
    done = [] if _GROK_EFFORT.search(model) else drop(params, "reasoning_effort", "only grok-3-mini takes it")
    if _GROK_THINKS.search(model):
        for name in ("stop", "presence_penalty", "frequency_penalty"):
            done += drop(params, name, "reasoning models do not take it")
    return done


def mistral_reasoning(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """Only Magistral thinks."""
    return [] if _MISTRAL_THINKS.search(model) else drop(params, "reasoning_effort", DOES_NOT_THINK)


def deepseek_reasoning(model: str, params: dict[str, Json]) -> list[Adjustment]:
    """The reasoner ignores whatever shapes the choice of words; to send it would only look as if it had an effect."""
    if not _DEEPSEEK_THINKS.search(model):
        return []
    names = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
    return [one for name in names for one in drop(params, name, "the reasoner ignores it")]


def one_of_two(_model: str, params: dict[str, Json]) -> list[Adjustment]:
    """Temperature and top_p shape the same choice; whoever sets both should know."""
    if "temperature" not in params or "top_p" not in params:
        return []
    top_p = params["top_p"]
    return [
        Adjustment(
            "top_p", top_p, top_p, "warn", "sent along with temperature; providers advise to set only one of them"
        )
    ]
