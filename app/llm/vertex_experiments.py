"""Vertex AI Experiments: a finished run as one run of an experiment, over REST like every call to Vertex AI.

google-cloud-aiplatform is imported inside the call, as everywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from app.llm.failures import scrub
from app.llm.outbound import Guard
from app.llm.vertex import host_of
from app.llm.vertex_clients import Clients


class NotLogged(Exception):
    """The run is not in the experiment; the message says why and is fit for a page."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where experiments are kept. endpoint: base URL in place of Google's own, "" for that; no credentials are sent there."""

    project: str
    location: str
    experiment: str
    endpoint: str = ""


def log(
    place: Place, run: str, params: Mapping[str, str | float], metrics: Mapping[str, float], environ: Mapping[str, str]
) -> None:
    """Log parameters and metrics as the run of that name; the experiment is made if there is none. Raises: NotLogged."""
    from google.cloud import aiplatform

    host = place.endpoint or host_of(place.location)
    logging.getLogger("google.cloud.aiplatform").setLevel(logging.WARNING)
    try:
        aiplatform.init(
            project=place.project,
            location=place.location,
            experiment=place.experiment,
            experiment_tensorboard=False,
            api_transport="rest",
            api_endpoint=host,
            credentials=Clients(environ, Guard()).credentials_for(host),
        )
        with aiplatform.start_run(run):
            aiplatform.log_params(dict(params))
            aiplatform.log_metrics(dict(metrics))
    except Exception as error:  # noqa: BLE001  # the door to a library that raises whatever its parts raise
        raise NotLogged(scrub(f"{type(error).__name__}: {error}")) from None
