"""An image that cannot be shown costs no call: the sample says why, and the run goes on."""

from __future__ import annotations

from app.core.model import Case, Response
from app.ports.llm import ModelRef


def unseen(model: ModelRef, case: Case) -> Response | None:
    """Why a model cannot be asked about a case; None when it can.

    A model of which nobody knows whether it sees is asked, and its provider says so.
    """
    if case.picture is None:
        return None
    if case.picture.image is None:
        return Response("", "provider_error", f"image could not be loaded: {case.picture.problem}")
    return Response("", "provider_error", f"{model.name} cannot see images") if model.vision is False else None
