"""The local model as it is offered: whether it runs, what is missing, and a first training that it can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.config import Settings
from app.llm import checks, local
from app.llm.outbound import THIS_MACHINE, Guard

LOOK_S = 0.3
"""Seconds to wait for its server, which is on this machine."""
MODEL = f"{local.PROVIDER}/{local.ALIAS}"
SAMPLES = ("news_topic", "review_sentiment", "city_mentioned")
"""Samples that it can learn; the first one to begin with."""
TRAINING: Mapping[str, str] = {
    "primary_model": MODEL,
    "strategy": "example_addition",  # it asks no second model
    "split": "40/30/30",
    "max_output_tokens": "16",
    "concurrency": "2",  # the server answers one request at a time
    "epochs": "6",
    "patience": "2",
}
"""What a training of it asks for besides the dataset and the prompt."""


@dataclass(frozen=True, slots=True)
class Offer:
    """model: its name. missing: what to do before it can be used, "" when it runs. training: fields of a first one."""

    model: str
    missing: str
    training: Mapping[str, str]

    @property
    def running(self) -> bool:
        """Whether it can be used now."""
        return not self.missing


def missing(settings: Settings, environ: Mapping[str, str]) -> str:
    """What to do before the local model can be used, in words; "" when its server answers."""
    if flaw := local.problem(local.ALIAS, environ):
        return f"{flaw}, then start with `make up`"
    if not settings.local_model_port and local.BASE not in environ:
        return "it is installed, but local_model_port is 0 in config.yaml; give it a port and start again"
    if checks.reachable(address(settings, environ), Guard.of(THIS_MACHINE), LOOK_S):
        return "it is installed, but does not run; start it with `whetstone up`"
    return ""


def address(settings: Settings, environ: Mapping[str, str]) -> str:
    """Base URL of its server."""
    return local.with_address(environ, settings.local_model_port)[local.BASE]


def offer(settings: Settings, environ: Mapping[str, str]) -> Offer:
    """The local model and a first training of it."""
    return Offer(MODEL, missing(settings, environ), {"dataset": f"sample:{SAMPLES[0]}.csv", **TRAINING})
