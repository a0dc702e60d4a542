"""Whatever goes wrong becomes a calm page (or, for a part of a page, a notice) that says what to do next."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, SecurityError

from app.services.errors import Conflict, Invalid, NotFound, Problem
from app.web.context import settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trouble:
    """What an error page says: a title, what happened, what to do; the problems name fields.

    renewed: it brings a fresh mark for the forms of the page.
    """

    status: int
    title: str
    what: str
    advice: str = ""
    problems: tuple[Problem, ...] = ()
    renewed: bool = False


_HTTP = {
    400: ("That request could not be read", "Go back, reload the page and try again."),
    403: ("That is not allowed", "Reload the page and try again."),
    404: ("There is nothing here", "It may have been deleted, or the address has a slip in it."),
    405: ("That address does not do that", "Use the buttons and links of the pages."),
    413: ("That is too large", "Send a smaller file, or raise uploads.max_mb in config.yaml."),
    429: ("Too many at once", "Wait a moment and try again."),
}


_UNTYPED = frozenset({"csrf_token", "once", "do", "from", "base"})
"""Fields of our forms that nobody types into."""


def explain(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(CSRFError, _expired)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Invalid, _invalid)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(Conflict, _conflict)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(Exception, _unexpected)


def by_field(error: Invalid) -> dict[str, str]:
    """The messages by field name, for the form macros; several about one field are joined."""
    fields: dict[str, str] = {}
    for problem in error.problems:
        fields[problem.field] = (
            f"{fields[problem.field]}; {problem.message}" if problem.field in fields else problem.message
        )
    return fields


def is_fragment() -> bool:
    """True when htmx asks for a part of the page, so that a whole page would be the wrong answer."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true"


def _show(trouble: Trouble) -> Response:
    template = "errors/notice.html" if is_fragment() else "errors/page.html"
    response = make_response(render_template(template, trouble=trouble, typed=_typed(trouble.status)), trouble.status)
    if is_fragment():
        response.headers["HX-Retarget"] = "#notices"
        response.headers["HX-Reswap"] = "beforeend"
    return response


def _typed(status: int) -> list[tuple[str, str]]:
    """What a person had typed into the form that failed, to be taken elsewhere. A body over the limit is not read."""
    if request.method != "POST" or status in (400, 413):
        return []
    said = request.form.items(multi=True)
    return [(name, value) for name, value in said if name not in _UNTYPED and value.strip()]


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    title, advice = _HTTP.get(status, (error.name, "Go back and try again."))
    what = f"The limit is {settings().uploads.max_mb} MB." if status == 413 else ""
    response = _show(Trouble(status, title, what, advice))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _expired(error: CSRFError) -> ResponseReturnValue:
    """Nothing typed is lost: a form of our own pages is made fresh, with everything that was in it."""
    del error
    title, what = "The form is out of date", "Its one-time mark did not fit this browser session; nothing was done."
    if not _is_ours():
        return _show(Trouble(400, title, what, "Open the page here and send it again."))
    if is_fragment():
        return _show(Trouble(400, title, what, "It is fresh again: press the button once more.", renewed=True))
    fields = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    advice = "What you typed is kept; send it again." + (" Choose the file once more." if request.files else "")
    trouble = Trouble(400, title, what, advice)
    files = list(request.files)
    return make_response(render_template("errors/expired.html", trouble=trouble, fields=fields, files=files), 400)


def _is_ours() -> bool:
    """Whether a page of this server sent the request, by the browser's word. Another site's form is not made fresh."""
    said = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return urlsplit(said).netloc == request.host


def _foreign_host(error: SecurityError) -> ResponseReturnValue:
    del error
    text = "This host name is not served here. Add it to allowed_hosts in config.yaml if it should be.\n"
    return Response(text, 400, mimetype="text/plain")


def _invalid(error: Invalid) -> ResponseReturnValue:
    return _show(Trouble(422, "Something needs another look", "", "Correct it and send it again.", error.problems))


def _not_found(error: NotFound) -> ResponseReturnValue:
    return _show(Trouble(404, "There is nothing here", str(error), "It may have been deleted in another tab."))


def _conflict(error: Conflict) -> ResponseReturnValue:
    return _show(Trouble(409, "Not in this state", str(error), "Reload the page to see how things stand now."))


def _database(error: DBAPIError) -> ResponseReturnValue:
    log.error("The database refused a query: %s", error.orig)
    advice = "Nothing was lost. Try again in a moment; `whetstone doctor` says what is wrong."
    return _show(Trouble(503, "The database does not answer", "", advice))


def _unexpected(error: Exception) -> ResponseReturnValue:
    mark = secrets.token_hex(4)
    log.error("Unexpected error %s on %s %s", mark, request.method, request.path, exc_info=error)
    advice = f"It is in the server's log under {mark}. Please report it with what you did."
    return _show(Trouble(500, "Something broke on our side", "", advice))
