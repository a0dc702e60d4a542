"""The OpenAPI 3.1 document: every route of the API with what it says about itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, TypeAlias, cast

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from app.api.openapi.describe import Operation, Parameter
from app.api.shapes import Errors

BASE = "/api/v1"
ANSWERS: JsonSchemaMode = "serialization"
Used: TypeAlias = tuple[type[BaseModel], JsonSchemaMode]
BINARY = ("file", "images")
"""Fields of an upload that are files."""
PATHS = {
    "digest": "SHA-256 of an image, in hex",
    "key": "a dataset's name or number",
    "row": "number of a row, from 1",
    "name": "a name; a / in it may be written as it is",
    "which": "a version's number, or a label",
    "label": "a label, such as production",
    "run_id": "a run's id",
    "case": "a prompt of a benchmark, such as p1",
}
"""What the variables of the addresses mean."""
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "your own mark of this request, 1 to 200 visible ASCII characters: sent again with it within a day, the "
    "request is not done again, and the first answer comes back",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
REFUSALS = {
    400: "the request could not be read",
    401: "a token is needed, or this one is not known",
    403: "it comes from another site",
    404: "there is no such thing",
    409: "it cannot be done now",
    413: "it is too large",
    415: "the body has another content type",
    422: "something in the request is wrong, by field",
    503: "the database does not answer; nothing was changed",
}


_REFUSED = {str(status): {"$ref": f"#/components/responses/refused-{status}"} for status in REFUSALS}


def document(app: Flask, version: str) -> dict[str, Any]:
    """The whole document. version: of the release."""
    rules = sorted(_rules(app), key=lambda rule: (_tag(rule), rule.rule))
    shapes: set[Used] = {(Errors, ANSWERS)}
    shapes.update(shape for rule in rules for shape in _shapes(_said(app, rule)))
    in_order = sorted(shapes, key=lambda shape: shape[0].__name__)
    _, definitions = models_json_schema(in_order, ref_template="#/components/schemas/{model}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Whetstone",
            "version": version,
            "description": "Everything that the pages do, for programs. Lists come in pages: give next back as after.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name} for name in dict.fromkeys(map(_tag, rules))],
        "paths": _paths(app, rules),
        "components": {
            "schemas": definitions["$defs"],
            "responses": _refusals(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "a token of this installation"}
            },
        },
        "security": [{}, {"token": []}],
    }


def _rules(app: Flask) -> Iterator[Rule]:
    return (
        rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.") and rule.endpoint != "api.unknown"
    )


def _said(app: Flask, rule: Rule) -> Operation:
    view = app.view_functions[rule.endpoint]
    if not (said := getattr(view, "operation", None)):
        raise TypeError(
            f"{rule.endpoint} does not say what it takes and gives: decorate it with app.api.openapi.describe"
        )
    return cast(Operation, said)


def _tag(rule: Rule) -> str:
    return rule.rule.removeprefix(BASE).strip("/").partition("/")[0]


def _shapes(said: Operation) -> Iterator[Used]:
    if isinstance(said.answer, type):
        yield said.answer, ANSWERS
    if said.body:
        yield said.body, "validation"


def _paths(app: Flask, rules: list[Rule]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for rule in rules:
        address = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(address, {})[method.lower()] = _operation(app, rule, method)
    return paths


def _operation(app: Flask, rule: Rule, method: str) -> dict[str, Any]:
    said = _said(app, rule)
    first, _, rest = (inspect.getdoc(app.view_functions[rule.endpoint]) or "").partition("\n")
    about: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api."),
        "tags": [_tag(rule)],
        "summary": first.removesuffix("."),
        "parameters": [*_path_parameters(rule), *map(_query_parameter, said.query, said.query.values())],
        "responses": {str(said.status): _answer(said)} | _REFUSED,
    }
    if rest.strip():
        about["description"] = " ".join(rest.split())
    if method == "POST":
        about["parameters"].append(IDEMPOTENCY)
    if said.body or said.files or method in ("POST", "PUT", "PATCH"):
        about["requestBody"] = {"required": True, "content": _content(said)}
    return about


def _path_parameters(rule: Rule) -> Iterator[dict[str, Any]]:
    for kind, name in re.findall(r"<(?:(\w+):)?(\w+)>", rule.rule):
        schema = {"type": "integer", "minimum": 1} if kind == "int" else {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "description": PATHS[name], "schema": schema}


def _query_parameter(name: str, parameter: Parameter) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": parameter.about, "schema": parameter.schema()}


def _content(said: Operation) -> dict[str, Any]:
    if said.body:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{said.body.__name__}"}}}
    if not said.files:  # JSON all the same, since no plain form of another site can send it
        return {"application/json": {"schema": {"type": "object"}}}
    fields = {
        name: {"type": "string", "description": about} | ({"format": "binary"} if name in BINARY else {})
        for name, about in said.files.items()
    }
    return {"multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": fields}}}


def _answer(said: Operation) -> dict[str, Any]:
    if said.answer is None:
        return {"description": "done"}
    if isinstance(said.answer, type):
        shape = {"schema": {"$ref": f"#/components/schemas/{said.answer.__name__}"}}
        return {
            "description": (inspect.getdoc(said.answer) or "").partition("\n")[0],
            "content": {"application/json": shape},
        }
    kinds = {kind: {"schema": {} if kind == "application/json" else {"type": "string"}} for kind in said.answer}
    return {"description": "; ".join(said.answer.values()), "content": kinds}


def _refusals() -> dict[str, Any]:
    schema = {"application/json": {"schema": {"$ref": f"#/components/schemas/{Errors.__name__}"}}}
    return {f"refused-{status}": {"description": why, "content": schema} for status, why in REFUSALS.items()}
