"""How fast models answered: times and speeds of single replies, and their percentiles over many.

TTFT is the time from sending to the first delta of content or reasoning, TTLB the time to the last one. A reply that was not
streamed has no TTFT, and one from the cache has no times at all: neither is ever counted as zero.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.ports.llm import Json

ACCURACY = 0.001
"""Relative error of a percentile at the most."""
_STEP = math.log((1 + ACCURACY) / (1 - ACCURACY))

QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Timing:
    """One reply that was bought. ttft_s, ttlb_s: in seconds; ttft_s is None when it was not streamed.

    tokens: all that the model wrote, thoughts too. hidden: those among them that came before the first delta, because the
    provider does not show its model's thoughts. estimated: the tokens were counted by ourselves.
    """

    ttft_s: float | None
    ttlb_s: float
    tokens: int
    hidden: int = 0
    estimated: bool = False

    @property
    def inter_token_s(self) -> float | None:
        """Mean seconds from one token to the next: (TTLB - TTFT) / (tokens - 1), as vLLM and NVIDIA's GenAI-Perf define
        their inter-token latency; of the tokens that were shown. None when it all came at once, or there is but one.
        """
        shown = self.tokens - self.hidden
        spread = self._spread
        return spread / (shown - 1) if spread and shown > 1 else None

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens per second end to end: tokens / TTLB. None without tokens."""
        return self.tokens / self.ttlb_s if self.tokens > 0 and self.ttlb_s > 0 else None

    @property
    def output_tokens_per_s(self) -> float | None:
        """Output speed: tokens / (TTLB - TTFT), of the tokens that were shown. None when it all came at once."""
        shown, spread = self.tokens - self.hidden, self._spread
        return shown / spread if spread and shown > 1 else None

    @property
    def _spread(self) -> float | None:
        """TTLB - TTFT; None without a stream, 0 when it all came at once."""
        return None if self.ttft_s is None or self.ttlb_s < self.ttft_s else self.ttlb_s - self.ttft_s


class Percentiles:
    """Percentiles of positive values, within ACCURACY, in memory that does not grow with their number.

    Values are counted in buckets whose borders grow by a constant factor: the DDSketch of Masson, Rim and Lee (VLDB 2019). Two
    of them can be added, so a model's figures are made from those of its runs.
    """

    __slots__ = ("_buckets", "n")

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._buckets: Counter[int] = Counter()
        self.n = 0
        """How many values."""
        for value in values:
            self.add(value)

    def add(self, value: float | None) -> None:
        """Count a value; None is none."""
        if value is None or not value > 0:
            return
        self._buckets[math.ceil(math.log(value) / _STEP)] += 1
        self.n += 1

    def merge(self, other: Percentiles) -> None:
        """Count all values of another one."""
        self._buckets.update(other._buckets)
        self.n += other.n

    def at(self, share: float) -> float | None:
        """The smallest value that this share of all does not exceed (nearest rank); None of no values. share: in (0, 1]."""
        rank, seen = max(1, math.ceil(share * self.n - 1e-9)), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return 2 * math.exp(bucket * _STEP) / (1 + math.exp(_STEP))
        return None

    def as_json(self) -> dict[str, Json]:
        """n, p50, p95, p99, to four digits; null of no values."""
        found = {f"p{round(100 * share)}": self.at(share) for share in QUANTILES}
        return {"n": self.n} | {name: None if value is None else float(f"{value:.4g}") for name, value in found.items()}


class Speed:
    """What a number of replies took. n: replies; estimated: those among them whose tokens were counted by ourselves."""

    def __init__(self, timings: Iterable[Timing] = ()) -> None:
        self.n = self.estimated = 0
        self.ttft_s, self.ttlb_s, self.inter_token_s = Percentiles(), Percentiles(), Percentiles()
        self.tokens_per_s, self.output_tokens_per_s = Percentiles(), Percentiles()
        for timing in timings:
            self.add(timing)

    def add(self, timing: Timing) -> None:
        """Count one reply."""
        self.n += 1
        self.estimated += timing.estimated
        for name in MEASURES:
            self.of(name).add(getattr(timing, name))

    def merge(self, other: Speed) -> None:
        """Count the replies of another one."""
        self.n += other.n
        self.estimated += other.estimated
        for name in MEASURES:
            self.of(name).merge(other.of(name))

    def of(self, measure: str) -> Percentiles:
        """The percentiles of one of MEASURES."""
        found: Percentiles = getattr(self, measure)
        return found

    def as_json(self) -> dict[str, Json]:
        """replies, estimated, and each measure as Percentiles.as_json()."""
        return {"replies": self.n, "estimated": self.estimated} | {name: self.of(name).as_json() for name in MEASURES}


MEASURES = ("ttft_s", "ttlb_s", "inter_token_s", "tokens_per_s", "output_tokens_per_s")
"""Names of what is measured, as they stand in exports."""
