"""The page about the JSON API: tokens for programs, and every request with what it takes and gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.services import api_access
from app.services.errors import Invalid
from app.web import params
from app.web.context import settings
from app.web.database import session
from app.web.errors import by_field

pages = Blueprint("reference", __name__, url_prefix="/api")


@dataclass(frozen=True)
class Field:
    """One parameter, or one key of a JSON object. place: path, query, header or body."""

    name: str
    place: str
    type: str
    needed: bool
    about: str


@dataclass(frozen=True)
class Entry:
    """One request. takes, gives: its parameters with the keys of its body, and the keys of its answer."""

    method: str
    path: str
    id: str
    title: str
    text: str
    status: str
    answer: str
    takes: tuple[Field, ...]
    gives: tuple[Field, ...]
    example: str


@pages.get("")
def index() -> ResponseReturnValue:
    """Tokens, then the requests by noun."""
    return _page()


@pages.post("/tokens")
def create() -> ResponseReturnValue:
    """Make a token and show it this one time."""
    name = params.clean(request.form.get("name", ""))
    try:
        token, text = api_access.create(session(), name)
    except Invalid as error:
        return _page(name=name, errors=by_field(error)), 422
    return _page(made=(token.name, text)), 201


@pages.post("/tokens/revoke")
def revoke() -> ResponseReturnValue:
    """Take a token back."""
    name = params.clean(request.form.get("name", ""))
    api_access.revoke(session(), name)
    flash(f"The token {name} is taken back; programs that show it are refused from now on.", "good")
    return redirect(url_for("reference.index"), 303)


def _page(**more: Any) -> str:
    document = current_app.extensions["openapi"]
    groups: dict[str, list[Entry]] = {}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            groups.setdefault((said["tags"] or [""])[0], []).append(_entry(document, method.upper(), path, said))
    return render_template(
        "reference/index.html",
        groups=groups,
        tokens=api_access.list_tokens(session()),
        needed=settings().api_needs_token,
        **{"made": None, "name": "", "errors": {}} | more,
    )


def _entry(document: Any, method: str, path: str, said: Any) -> Entry:
    status, answer = next(iter(said["responses"].items()))
    body = _schema(said.get("requestBody", {}))
    in_body = _fields(document, body, "body")
    return Entry(
        method,
        path,
        said["operationId"].replace(".", "-"),
        said["summary"],
        said.get("description", ""),
        status,
        answer["description"],
        (*(_parameter(one) for one in said["parameters"]), *in_body),
        tuple(_fields(document, _schema(answer), "answer")),
        _example(method, path, said),
    )


def _parameter(one: Any) -> Field:
    return Field(one["name"], one["in"], _type(one["schema"]), bool(one.get("required")), one.get("description", ""))


def _schema(holder: Any) -> Any:
    content = holder.get("content", {})
    return next(iter(content.values()))["schema"] if content else {}


def _fields(document: Any, schema: Any, place: str) -> Iterator[Field]:
    """The keys of an object; of a page, those of its items."""
    schema = _resolved(document, schema)
    if "items" in schema.get("properties", {}):
        schema = _resolved(document, schema["properties"]["items"]["items"])
    needed = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        yield Field(name, place, _type(one), name in needed, one.get("description", ""))


def _resolved(document: Any, schema: Any) -> Any:
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON type in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return ", ".join(str(one) for one in schema["enum"] if one != "")
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("type", "any"))


def _example(method: str, path: str, said: Any) -> str:
    """How the request is sent from a shell."""
    address = request.host_url.rstrip("/") + path.replace("{", "<").replace("}", ">")
    parts = ["curl", *([] if method == "GET" else ["-X", method]), f"'{address}'"]
    content = said.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        parts += ["-F", "file=@..."]
    elif content:
        parts += ["-H", "'Content-Type: application/json'", "-d", "'{...}'"]
    return " ".join(parts)
