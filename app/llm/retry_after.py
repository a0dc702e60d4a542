"""How long a provider asks to wait: header in seconds, milliseconds or as a date, RetryInfo, or words; never over an hour."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_S = 3600.0
_IN_WORDS = re.compile(r"(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?\s*(?:ms|s|m|h)[a-z]*\s*)+)", re.IGNORECASE)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)", re.IGNORECASE)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_asked(headers: Mapping[str, str], message: str = "", now: float | None = None) -> float | None:
    """Seconds to wait, in [0, 3600]; None when nothing readable was said.

    headers: names in lower case. now: seconds since the epoch, against which dates are read.
    Forms: RFC 9110 Retry-After (seconds or date), the -ms headers of OpenAI and Azure, "try again in 1m2.5s" in the message.
    """
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if (asked := _number(headers.get(name, ""))) is not None:
            return _capped(asked / 1000)
    given = headers.get("retry-after", "")
    if (asked := _number(given)) is not None:
        return _capped(asked)
    if given and (date := _date(given)) is not None:
        return _capped(date - (time.time() if now is None else now))
    said = _IN_WORDS.search(message)
    return duration(said[1]) if said else None


def duration(text: str) -> float | None:
    """Seconds in a text such as "12.5s", "350ms" or "1m2s"."""
    parts = _PART.findall(text)
    return _capped(round(sum(float(number) * _UNITS[unit.lower()] for number, unit in parts), 6)) if parts else None


def _capped(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_S)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\s*\d{1,12}(\.\d*)?\s*", text) else None


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
