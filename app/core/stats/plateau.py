"""A search is on a plateau when its latest tries would rarely all have failed, were it still as fruitful as before."""

from __future__ import annotations

from collections.abc import Sequence

RARELY = 0.2
"""How rarely."""


def plateau(gains: Sequence[float], *, rarely: float = RARELY) -> bool:
    """Whether the search has stopped bringing anything.

    gains: what each try brought, in order, 0 for nothing. With w of the tries up to the last success having brought something,
    a share p = (w + 1) / (tries + 2) (Laplace's rule of succession), the k tries since then would all fail with the probability
    (1 - p)^k; below ``rarely`` that is a plateau.
    """
    last = max((i for i, gain in enumerate(gains, start=1) if gain > 0), default=0)
    wins = sum(gain > 0 for gain in gains[:last])
    share = (wins + 1) / (last + 2)
    return (1.0 - share) ** (len(gains) - last) < rarely
