"""Random numbers that any NumPy release repeats: uniform floats made from the raw PCG64 stream, which never changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

_CHUNK = 2_000_000
"""Numbers drawn at once; bounds the memory of long resamplings to some 32 MB."""


def uniform_rows(seed: int, rows: int, width: int) -> Iterator[Floats]:
    """``rows`` x ``width`` uniform numbers in [0, 1), in portions of whole rows.

    ``Generator`` methods may give other numbers in another NumPy release; the bit generators may not (NEP 19).
    """
    stream = np.random.PCG64(seed)
    portion = max(1, _CHUNK // max(1, width))
    for start in range(0, rows, portion):
        count = min(portion, rows - start)
        raw = stream.random_raw(count * width)
        yield (raw >> np.uint64(11)).astype(np.float64).reshape(count, width) * 2.0**-53
