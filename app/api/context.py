"""What the routes stand on: the application's backend, a session for each request, and checked query parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

from flask import Response, current_app, g, jsonify, request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.config import Settings
from app.llm.gateway import Gateway
from app.llm.keyring import Keyring
from app.ports.llm import Json
from app.services.access import Target
from app.services.errors import Invalid, Problem

LARGEST_PAGE = 1000


class Backend(Protocol):
    """What the application gives us, under the extension name "whetstone"."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        ...

    @property
    def engine(self) -> Engine:
        """The database."""
        ...

    @property
    def environ(self) -> Mapping[str, str]:
        """Where keys of providers are looked for."""
        ...

    @property
    def keys(self) -> Keyring:
        """The keys that were entered."""
        ...

    @property
    def gateway(self) -> Gateway:
        """What knows which models can be called, and their prices."""
        ...

    def check_access(self, targets: Sequence[Target]) -> None:
        """Ask whether models answer, and wait."""
        ...

    @property
    def start_checks(self) -> Callable[[], None]:
        """Has what was asked for checked, and does not wait."""
        ...

    @property
    def enqueue(self) -> Callable[[str], bool]:
        """Hints at a run; False when the broker is away."""
        ...


def backend() -> Backend:
    """The backend of the application that answers this request."""
    return cast(Backend, current_app.extensions["whetstone"])


def session() -> Session:
    """This request's session; closed when the request ends, and what was not committed is rolled back."""
    if "api_session" not in g:
        g.api_session = Session(backend().engine, expire_on_commit=False)
    return cast(Session, g.api_session)


def close_session(_error: BaseException | None) -> None:
    """End the request's session."""
    if (opened := g.pop("api_session", None)) is not None:
        opened.close()


def body() -> dict[str, Any]:
    """The request's JSON object. Raises: Invalid."""
    try:
        value = request.get_json(silent=True)
    except RecursionError:
        value = None
    if not isinstance(value, dict):
        raise Invalid([Problem("", "the body must be a JSON object")])
    return value


def text(given: dict[str, Any], field: str, default: str | None = None) -> str:
    """A text of the body. Raises: Invalid when it is missing without a default, or no text."""
    value = given.get(field, default)
    if not isinstance(value, str):
        raise Invalid([Problem(field, "is needed" if value is None else "must be a text")])
    return value


def whole(field: str, default: int, *, low: int = 0, high: int = 2**62) -> int:
    """A whole number of the query. Raises: Invalid."""
    given = request.args.get(field, "").strip()
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 20 and low <= int(given) <= high):
        raise Invalid([Problem(field, f"must be a whole number from {low} to {high}, not {given[:40]!r}")])
    return int(given)


def page_size() -> int:
    """How many items the client wants."""
    return whole("limit", 100, low=1, high=LARGEST_PAGE)


def answer(document: Json, status: int = 200, **headers: str) -> Response:
    """A JSON answer."""
    response = jsonify(document)
    response.status_code = status
    response.headers.update(headers)
    return response


TYPES = {
    400: "unreadable",
    401: "unauthorized",
    403: "foreign",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    503: "unavailable",
}
"""What kind of refusal a status stands for."""


def refusal(status: int, *problems: tuple[str, str]) -> Response:
    """A refusal: its kind, and a field ("" for the whole) and message for each thing that is wrong."""
    kind = TYPES.get(status, "fault" if status >= 500 else "unreadable")
    errors = [{"field": field, "message": message} for field, message in problems]
    return answer({"type": kind, "errors": errors}, status)
