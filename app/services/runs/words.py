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


def points(value: float | None) -> str:
    """A difference of mean scores in points (hundredths) with its sign, or a dash."""
    if value is None:
        return DASH
    text = f"{100 * value:+.1f}"
    return text.replace("-", MINUS) if float(text) else "0.0"


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
    cached = f" (and {totals.cached_calls:,} replies from the cache)" if totals.cached_calls else ""
    return f"{numbered(totals.calls, 'call')}{cached}, {tokens:,} tokens, {cost(totals)}"


def cost(totals: Totals) -> str:
    """US dollars: one sum when all is known, else the bounds between which it lies, and what they leave out."""
    low, high = totals.cost_usd, totals.cost_usd + totals.uncertain_usd
    doubt = f" with {numbered(totals.uncertain_calls, 'sending')} of unknown fate" if totals.uncertain_calls else ""
    if totals.unpriced_calls:
        return f"at least {_usd(low)}{doubt}, and {numbered(totals.unpriced_calls, 'call')} of unknown price"
    if high > low:
        digits = next((n for n in range(4, 9) if f"{low:.{n}f}" != f"{high:.{n}f}"), 9)
        return f"between {_usd(low, digits)} and {_usd(high, digits)}{doubt}"
    return f"{_usd(low)}{doubt}"


def numbered(count: int, name: str) -> str:
    """A count with its name, which gets an s unless it is one."""
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def time(seconds: float) -> str:
    """A duration: seconds up to two minutes, minutes up to two hours, then hours."""
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def measured(value: float | None, name: str) -> str:
    """A time or speed of app.core.stats.latency.MEASURES, with its unit."""
    if value is None:
        return DASH
    if "tokens_per" in name:
        return f"{value:.3g}/s" if value < 1000 else f"{value:,.0f}/s"
    return f"{value * 1000:.3g} ms" if value < 0.9995 else time(value)


def _usd(value: float, digits: int = 4) -> str:
    """Four decimals, or as many as a small sum needs to be seen."""
    while 0 < value < 10**-digits / 2 and digits < 9:
        digits += 1
    return f"${value:.{digits}f}"


def settings(spec: Json) -> Iterator[tuple[str, str]]:
    """What the run was told, as titles and words, without the prompts."""
    dataset, split, budget = (spec.get(name) or {} for name in ("dataset", "split", "budget"))
    parts = [f"{split[name]} {name}" for name in ("train", "validation", "test") if split.get(name)]
    limits = [f"{value:,} {name}" for name, value in budget.items() if value is not None]
    if spec.get("configs"):
        yield from _compared(spec)
        return
    yield "Dataset", f"{dataset.get('name', '')} (content {str(dataset.get('digest', ''))[:12]})"
    yield "Split", f"{', '.join(parts)} (seed {split.get('seed', DASH)})"
    yield "Primary model", _model(spec.get("primary"))
    yield "Optimizer model", _model(spec.get("optimizer"))
    if spec.get("judge"):
        yield "Judge model", _model(spec["judge"])
    yield "Scored by", "; ".join(_pairs(one) for one in spec.get("scorers") or [])
    yield "Limits", ", ".join(limits) or "none"
    names = ["strategy", "acceptance", "alpha", "min_delta", "epochs", "batch_size", "patience", "concurrency", "seed"]
    names += ["max_prompt_tokens", "max_prompt_chars", "shorten", "shorten_margin", "shorten_answers"]
    if spec.get("locked"):
        yield "Locked texts", "; ".join(shown(text) for text in spec["locked"])
    for name in names:
        if spec.get(name) is not None:
            yield name.replace("_", " ").capitalize(), str(spec[name])


def _compared(spec: Json) -> Iterator[tuple[str, str]]:
    """The same of a benchmark."""
    review = spec["review"]
    yield (
        "Prompts",
        numbered(len(spec["cases"]), "prompt")
        + (f" from {spec['dataset']['name']}" if spec["dataset"]["name"] else ""),
    )
    for config in spec["configs"]:
        yield f"Config {config['label']}", _model(config)
    yield (
        "Reviewed by",
        f"{_model(spec['judge'])}, {review['prompt']} version {review['version']}" if review else "nobody",
    )
    yield "Runs", f"{spec['runs']}, {numbered(spec['repeats'], 'answer')} to each prompt in each"
    if spec["scorers"]:
        yield "Scored by", "; ".join(_pairs(one) for one in spec["scorers"])
    limits = [f"{value:,} {name}" for name, value in spec["budget"].items() if value is not None]
    yield "Limits", ", ".join(limits) or "none"
    yield "Seed", str(spec["seed"])


def _model(model: Json) -> str:
    if not model:
        return "none"
    base = f" at {model['api_base']}" if model.get("api_base") else ""
    region = f" in {model['region']}" if model.get("region") else ""
    config = model.get("config")
    named = f" (config {config['name']}, revision {config['revision']})" if config else ""
    return f"{model['name']}{base}{region} {_pairs(model.get('params') or {})}{named}".strip()


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
