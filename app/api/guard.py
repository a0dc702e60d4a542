"""What stands before every request to the API: no foreign page, a token where one is given or needed, nothing done twice."""

from __future__ import annotations

import hashlib

from flask import Response, g, request
from sqlalchemy.orm import Session

from app.api.context import backend, refusal, session
from app.services import api_access
from app.services.errors import Invalid, Problem

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_KEY = 200
UPLOADS = frozenset({"api.datasets.import_file", "api.transfer.import_run"})
"""What takes multipart/form-data in place of JSON."""


def check() -> Response | None:
    """Refuse a request, or answer it with what it was answered before; None when it may go on."""
    return _foreign() or _token() or _again()


def _foreign() -> Response | None:
    """Refuse what a page of another origin could send with a plain form or script."""
    if request.method in SAFE:
        return None
    origin = request.headers.get("Origin", "")
    if origin and origin != request.host_url.rstrip("/"):
        return refusal(403, ("", f"requests from {origin[:200]} are not accepted here"))
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return refusal(403, ("", "requests from other sites are not accepted here"))
    wanted = "multipart/form-data" if request.endpoint in UPLOADS else "application/json"
    if request.method in ("POST", "PUT", "PATCH") and request.mimetype != wanted:
        return refusal(415, ("", f"Content-Type must be {wanted}"))
    return None


def _token() -> Response | None:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if not scheme:
        return _unauthorized("a token is needed: send it as Authorization: Bearer ...") if _needed() else None
    token = api_access.owner(session(), text.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        return _unauthorized("this token is not known here; it may have been taken back")
    g.api_token = token.name
    return None


def _needed() -> bool:
    return backend().settings.api_needs_token


def _unauthorized(message: str) -> Response:
    response = refusal(401, ("", message))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _again() -> Response | None:
    given = request.headers.get("Idempotency-Key")
    if given is None or request.method != "POST":
        return None
    if not 0 < len(given) <= LONGEST_KEY or not all("!" <= sign <= "~" for sign in given):
        raise Invalid([Problem("Idempotency-Key", f"must be 1 to {LONGEST_KEY} visible ASCII characters")])
    key = _digest(given, request.method, request.path, g.get("api_token", ""))
    with Session(backend().engine) as own:
        known = api_access.begin(own, key, _said())
    if known is None:
        g.api_once = key
        return None
    response = Response(known.body, known.status, mimetype="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    if known.location:
        response.headers["Location"] = known.location
    return response


def keep(response: Response) -> Response:
    """Keep the answer of a request that had a key of its own; a fault of ours frees the key."""
    key = g.pop("api_once", None)
    if key is None:
        return response
    with Session(backend().engine) as own:
        if response.status_code >= 500 or response.is_streamed:
            api_access.forget(own, key)
        else:
            location = response.headers.get("Location", "")
            api_access.finish(
                own, key, api_access.Known(response.status_code, location, response.get_data(as_text=True))
            )
    return response


def _said() -> str:
    """A digest of what the request says; of an upload only how long it is, since it is not read twice."""
    return (
        _digest(str(request.content_length)) if request.endpoint in UPLOADS else _digest(request.get_data(as_text=True))
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()
