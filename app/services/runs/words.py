"""How a report writes numbers and settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from app.core.model import digest
from app.ports.journal import Totals
from app.ports.llm import Json

SHORT = 120
"""Longer texts of a setting are told by their length and content."""
DASH = "\u2013"
MINUS = "\u2212"


def score(value: float | None) -> str:
    """A score in [0, 1], or a dash."""
    return DASH if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """A difference with its sign, or a dash."""
    return DASH if value is None else f"{value:+.3f}".replace("-", MINUS)


def mean(value: Json) -> str:
    """A mean with its interval and how many of those asked were scored."""
    if not value or value.get("mean") is None:
        return "not measured"
    spread = f" ({score(value['low'])} to {score(value['high'])})" if value.get("low") is not None else ""
    return f"{score(value['mean'])}{spread}, {value['n']} of {value['asked']} scored"


def p_value(value: float | None) -> str:
    """A p value as papers write it."""
    if value is None:
        return DASH
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def moment(value: dt.datetime | None) -> str:
    """A moment to the minute, in UTC."""
    return DASH if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def spent(totals: Totals) -> str:
    """Calls, tokens and dollars; what is not known for sure is said."""
    tokens = totals.prompt_tokens + totals.completion_tokens
    if totals.unpriced_calls:
        usd = f"at least ${totals.cost_usd:.4f}, with {totals.unpriced_calls:,} calls of unknown price"
    else:
        usd = f"${totals.cost_usd:.4f}"
    sendings = "1 sending" if totals.uncertain_calls == 1 else f"{totals.uncertain_calls:,} sendings"
    doubt = f"; up to ${totals.uncertain_usd:.4f} more for {sendings} of unknown fate"
    return f"{totals.calls:,} calls, {tokens:,} tokens, {usd}{doubt if totals.uncertain_calls else ''}"


def settings(spec: Json) -> Iterator[tuple[str, str]]:
    """What the run was told, as titles and words, without the prompts."""
    dataset, split, budget = (spec.get(name) or {} for name in ("dataset", "split", "budget"))
    parts = [f"{split[name]} {name}" for name in ("train", "validation", "test") if split.get(name)]
    limits = [f"{value:,} {name}" for name, value in budget.items() if value is not None]
    yield "Dataset", f"{dataset.get('name', '')} (content {str(dataset.get('digest', ''))[:12]})"
    yield "Split", f"{', '.join(parts)} (seed {split.get('seed', DASH)})"
    yield "Primary model", _model(spec.get("primary"))
    yield "Optimizer model", _model(spec.get("optimizer"))
    if spec.get("judge"):
        yield "Judge model", _model(spec["judge"])
    yield "Scored by", "; ".join(_pairs(one) for one in spec.get("scorers") or [])
    yield "Limits", ", ".join(limits) or "none"
    names = ("strategy", "acceptance", "alpha", "min_delta", "epochs", "batch_size", "patience", "concurrency", "seed")
    for name in names:
        if spec.get(name) is not None:
            yield name.replace("_", " ").capitalize(), str(spec[name])


def _model(model: Json) -> str:
    if not model:
        return "none"
    base = f" at {model['api_base']}" if model.get("api_base") else ""
    return f"{model['name']}{base} {_pairs(model.get('params') or {})}".strip()


def _pairs(values: Json) -> str:
    return ", ".join(shown(value) if name == "name" else f"{name}={shown(value)}" for name, value in values.items())


def shown(value: Json) -> str:
    """A value in a line; of a long text its length and the beginning of its digest."""
    if isinstance(value, str) and (len(value) > SHORT or "\n" in value):
        return f"{len(value):,} characters (content {digest(value)[:12]})"
    return str(value)


def long_texts(spec: Json) -> list[tuple[str, str]]:
    """The texts that a run's scorers were pinned with, by what they are."""
    titles = {"instructions": "Instructions of the judge", "file": "Python file of the scorer"}
    scorers = spec.get("scorers") or []
    return [(title, one[key]) for one in scorers for key, title in titles.items() if one.get(key)]
