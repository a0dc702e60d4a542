"""How numbers, money, spans and moments are written on pages: short, aligned, and never more certain than they are."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable

from flask import Flask
from markupsafe import Markup, escape

MINUS = "\u2212"
NARROW = "\u202f"
DASH = "\u2013"


def score(value: float | None, digits: int = 3) -> str:
    """A score in [0, 1], or a dash when there is none."""
    return DASH if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """A difference with its sign."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("+" if value > 0 else MINUS) + text


def signed_points(value: float | None) -> str:
    """A difference of mean scores in points (hundredths) with its sign."""
    return signed(None if value is None else value * 100, 1)


def p_value(value: float | None) -> str:
    """A p value the way papers write it."""
    if value is None:
        return "p not available"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def count(value: float | None) -> str:
    """A whole number with narrow spaces between thousands."""
    return DASH if value is None else f"{int(value):,}".replace(",", NARROW)


def money(value: float | None) -> str:
    """US dollars; an unknown price is said to be unknown and never shown as zero."""
    if value is None:
        return "unknown"
    if value == 0:
        return "$0"
    if value >= 0.001:
        return f"${value:.2f}" if value >= 1 else f"${value:.4f}"
    return f"${value:.7f}".rstrip("0") if value >= 1e-7 else "< $0.0000001"


def span(seconds: float | None) -> str:
    """A duration in the two largest units that matter."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return DASH
    if seconds < 1:
        return f"{seconds * 1000:.0f}{NARROW}ms"
    if seconds < 10:
        return f"{seconds:.1f}{NARROW}s"
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (secs, "s")]
    first = next(i for i, (n, _) in enumerate(parts) if n)
    return " ".join(f"{n}{NARROW}{unit}" for n, unit in parts[first : first + 2] if n)


def utc(moment: dt.datetime) -> dt.datetime:
    """The moment with its time zone; databases without zones store UTC."""
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def iso(moment: dt.datetime | None) -> str:
    """For a time element's datetime attribute."""
    return "" if moment is None else utc(moment).isoformat(timespec="seconds")


def ago(moment: dt.datetime | None) -> str:
    """How long ago, in one unit."""
    if moment is None:
        return DASH
    seconds = max(0.0, (dt.datetime.now(dt.UTC) - utc(moment)).total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)}{NARROW}{unit} ago"
    return "just now"


def clock(moment: dt.datetime) -> str:
    """Time of day in UTC, for the lines of a log."""
    return f"{utc(moment):%H:%M:%S}"


def between(start: dt.datetime | None, end: dt.datetime | None) -> str:
    """The time from start to end, to now when it has not ended."""
    if start is None:
        return DASH
    last = utc(end) if end else dt.datetime.now(dt.UTC)
    return span(max(0.0, (last - utc(start)).total_seconds()))


def sentence(text: str) -> str:
    """A remark of the engine as a sentence: a capital first, a full stop at the end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?:" else ".") if text else ""


def commands(text: str) -> Markup:
    """A message as it is written for a terminal too: what stands between backticks is shown as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first


def percent(share: float | None) -> str:
    """A share in [0, 1] as whole percent."""
    return DASH if share is None else f"{share * 100:.0f}{NARROW}%"


def points(value: float | None) -> str:
    """A score or a difference of scores in points of a hundred, with a decimal below ten."""
    if value is None or not math.isfinite(value):
        return DASH
    said = 100 * value
    number = f"{said:.1f}".removesuffix(".0") if said < 9.95 else f"{said:.0f}"
    return f"{number}{NARROW}{'point' if number == '1' else 'points'}"


FILTERS: dict[str, Callable[..., str]] = {
    "score": score,
    "signed": signed,
    "signed_points": signed_points,
    "p_value": p_value,
    "count_of": count,
    "money": money,
    "span": span,
    "iso": iso,
    "ago": ago,
    "clock": clock,
    "percent": percent,
    "points": points,
    "sentence": sentence,
    "commands": commands,
}


def register(app: Flask) -> None:
    """Make the filters known to the templates."""
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals["between"] = between
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
