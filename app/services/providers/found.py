"""Which providers this installation can use, how that was found out, and what to set for the others; never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.config import Settings
from app.llm import checks, local
from app.llm.around import Around
from app.llm.keyring import EMPTY, Keyring
from app.llm.known import KNOWN, Known
from app.llm.routes import base_of
from app.ports.llm import Permanent
from app.services import local_model

LOOK_S = 0.3
"""Seconds to wait for a server on this machine or network."""

_SECOND_NAMES = frozenset({"ollama_chat", "cohere"})
"""Other names for a provider that is listed already."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. name: what a model's name begins with. how_found: why it counts as ready, in words; "" when it does not.

    models: examples of names, to start from. missing: what to set or start; "" when ready.
    """

    name: str
    title: str
    how_found: str
    models: tuple[str, ...]
    ready: bool
    missing: str


def found(settings: Settings, environ: Mapping[str, str], keys: Keyring = EMPTY) -> list[Provider]:
    """Every provider that is known by name: those that are ready first, in the order of the table."""
    around = Around.of(settings, environ, keys)
    listed = [_look(known, settings, around) for known in KNOWN.values() if known.name not in _SECOND_NAMES]
    return sorted(listed, key=lambda provider: not provider.ready)


def _look(known: Known, settings: Settings, around: Around) -> Provider:
    environ = around.environ
    if known.adapter == "simulated":
        how, missing = "built in; needs no key and no network; its answers are simulated", ""
    elif known.adapter == "vertex":
        how, missing = _vertex(settings, environ)
    elif known.name == "bedrock":
        missing = checks.bedrock_problem(known, environ) or ""
        how = "" if missing else "AWS credentials found"
    elif known.name == local.PROVIDER:
        missing = local_model.missing(settings, environ)
        how = "" if missing else f"a real model at {_place(local_model.address(settings, environ))}; it costs nothing"
    elif known.local:
        how, missing = _local(known, around)
    else:
        how, missing = _hosted(known, around)
    return Provider(known.name, known.title, how, known.examples, not missing, missing)


def _vertex(settings: Settings, environ: Mapping[str, str]) -> tuple[str, str]:
    missing = checks.vertex_problem(environ, settings.project_id)
    if missing:
        return "", missing
    project = checks.project_of(environ, settings.project_id)
    return f"project {project}, location {settings.location}, credentials from {checks.adc_source(environ)}", ""


def _local(known: Known, around: Around) -> tuple[str, str]:
    """A server that runs on the user's own machine or network counts when it answers."""
    variables, environ = " or ".join(known.bases), around.environ
    if not known.default_base and not any(environ.get(name) for name in known.bases):
        return "", f"set {variables} to its address"
    try:
        base = base_of(known, None, environ)
    except Permanent as error:
        return "", str(error)
    if checks.reachable(base, around.guard, LOOK_S):
        return "", f"nothing answers at {_place(base)}; start it, or set {variables}"
    return f"answers at {_place(base)}", ""


def _hosted(known: Known, around: Around) -> tuple[str, str]:
    environ = around.environ
    key = next((name for name in known.keys if environ.get(name, "").strip()), "")
    base = next((name for name in known.bases if environ.get(name, "").strip()), "")
    if not key and not base and around.keys.of_provider(known.name, known.default_base):
        return "a key was entered here", ""
    if not key:
        return "", f"set {' or '.join(known.keys)}"
    if not base and not known.default_base and known.adapter == "openai":
        return "", f"{key} is set; set {' or '.join(known.bases)} too"
    if not base:
        return f"{key} is set", ""
    try:
        return f"{key} is set, {base} leads to {_place(base_of(known, None, environ))}", ""
    except Permanent as error:
        return "", str(error)


def _place(base: str) -> str:
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}"
