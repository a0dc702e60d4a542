"""The images of datasets, from our own address."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from app import wiring
from app.services.pictures.serving import POLICY, served
from app.web.context import settings

pages = Blueprint("pictures", __name__, url_prefix="/images")


@pages.get("/<digest>")
def whole(digest: str) -> ResponseReturnValue:
    """An image as it is sent to models."""
    return _sent(digest, small=False)


@pages.get("/<digest>/small")
def small(digest: str) -> ResponseReturnValue:
    """The same, small."""
    return _sent(digest, small=True)


def _sent(digest: str, *, small: bool) -> Response:
    content, kind = served(wiring.image_files(settings()), digest, small=small)
    response = Response(content, mimetype=kind)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
