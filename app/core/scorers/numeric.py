"""numeric: the last number in the answer must equal the last number of the reference within a tolerance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from app.core.model import Score
from app.core.scorers.base import TextScorer, binary
from app.core.scorers.setting import setting
from app.core.scorers.text import quote

_MINUS = "-\N{MINUS SIGN}"
_SPACES = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_BIGGEST_EXPONENT = 300


def _pattern(group: str, point: str) -> re.Pattern[str]:
    """Every part after the first digit is optional or possessive, so that a long answer takes linear time."""
    group, point = re.escape(group), re.escape(point)
    return re.compile(
        rf"(?:(?<![\w)])(?P<sign>[{_MINUS}+]))?(?:[$€£¥₹]\s?)?"
        rf"(?P<number>\d[\d{group}{_SPACES}]*+(?P<fraction>{point}\d++)?|(?<!\w){point}\d++)"
        r"(?P<exponent>[eE][+-]?\d{1,4}(?!\w))?"
    )


_POINT = _pattern(",", ".")
_COMMA = _pattern(".", ",")
_GROUPED = re.compile(r"\d{1,3}(?:[^\d]\d{2,3})*[^\d]\d{3}")


@dataclass(frozen=True)
class Numeric(TextScorer):
    """Thousands separators and currency signs are stripped. The larger of the two tolerances counts."""

    name: ClassVar[str] = "numeric"
    tolerance: float = setting(0.0, "Largest absolute difference that is still right.", kind="float", low=0.0)
    relative: float = setting(
        0.0, "Largest difference as a share of the reference (0.01 is 1 %).", kind="float", low=0.0, high=1.0
    )
    decimal_comma: bool = setting(
        False, "Read 1.234,5 as one thousand two hundred thirty-four and a half.", kind="bool"
    )

    def grade(self, reference: str, answer: str) -> Score:
        """1 or 0; unreadable (parsed False) when the answer holds no number."""
        expected = last_number(reference, decimal_comma=self.decimal_comma)
        if expected is None:
            return Score(0.0, f"The reference {quote(reference)} holds no number, so no answer can be right.")
        got = last_number(answer, decimal_comma=self.decimal_comma)
        if got is None:
            return Score(0.0, f"Expected the number {expected:f}, got no number in {quote(answer)}.", parsed=False)
        return binary(self._close(expected, got), f"Expected {expected:f}, but the answer's last number is {got:f}.")

    def _close(self, expected: Decimal, got: Decimal) -> bool:
        if expected == got:
            return True
        allowed = max(Decimal(str(self.tolerance)), Decimal(str(self.relative)) * abs(expected))
        return abs(expected - got) <= allowed


def last_number(text: str, *, decimal_comma: bool = False) -> Decimal | None:
    """The last number written in the text, or None. A hyphen after a word or digit is no minus sign."""
    last = None
    for last in (_COMMA if decimal_comma else _POINT).finditer(text):  # noqa: B007 - the last one is wanted
        pass
    return _value(last, "," if decimal_comma else ".") if last else None


def _value(match: re.Match[str], point: str) -> Decimal | None:
    whole, _, fraction = match["number"].rpartition(point) if _has_fraction(match, point) else (match["number"], "", "")
    whole = whole.rstrip(",." + _SPACES)
    sign = "-" if match["sign"] and match["sign"] in _MINUS else ""
    pieces = re.split(r"\D", whole)
    if len(pieces) > 1 and not _GROUPED.fullmatch(whole):
        sign, pieces = "", pieces[-1:]  # a list such as 10,20,30 and not one number
    decimals = f".{fraction}" if fraction else ""
    value = Decimal(f"{sign}{''.join(pieces) or '0'}{decimals}{match['exponent'] or ''}")
    return value if abs(value.adjusted()) <= _BIGGEST_EXPONENT else None


def _has_fraction(match: re.Match[str], point: str) -> bool:
    return match["fraction"] is not None or match["number"].startswith(point)
