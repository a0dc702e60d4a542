"""/models: named model configs: list, show, create, new revisions, clone, delete; files in and out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from app.api import shapes
from app.api.context import answer, backend, body, page_size, session, text
from app.api.openapi import Parameter, describe, paged
from app.api.shapes import page
from app.api.shapes import providers as of_providers
from app.services import access, documents
from app.services import models as service
from app.services.errors import Invalid, Problem
from app.store.models import ModelConfig, ModelConfigRevision

routes = Blueprint("models", __name__, url_prefix="/models")


@routes.get("")
@describe(page(shapes.ListedModelConfig), query=paged("a config's name"))
def list_all() -> Response:
    """The configs by name, as their newest revisions say them."""
    used, size, after = service.statistics(session()), page_size(), request.args.get("after", "")
    items = [
        {**_document(config), "used": documents.values(used.get(config.id, service.Statistics()))}
        for config in service.list_configs(session(), after=after, limit=size)
    ]
    return answer({"items": items, "next": items[-1]["name"] if len(items) == size else None})


@routes.post("")
@describe(shapes.FullModelConfig, 201, body=shapes.NewModelConfig)
def create() -> Response:
    """A new config: name, active, and what it says."""
    given = body()
    name, active = text(given, "name"), _active(given, True)
    made = service.create(session(), name, _said(given), active=active)
    return answer(_full(made), 201, Location=url_for("api.models.show", name=made.name))


@routes.get("/export")
@describe({"application/json": "a file that an import takes"})
def export() -> Response:
    """All configs as the file that an import takes."""
    return Response(service.export_json(service.list_configs(session())), mimetype="application/json")


@routes.post("/import")
@describe(shapes.ImportedModels, body=shapes.Text)
def take_in() -> Response:
    """A JSON export or JSONL profiles: {"text": content of the file}."""
    return answer(documents.values(service.import_text(session(), text(body(), "text"))))


@routes.post("/check")
@describe(page(of_providers.Access), 202, body=of_providers.ModelsToCheck)
def check() -> Response:
    """Ask whether models answer: {"models": names of configs or models, or none for all active configs, "try": ...}.

    Answers at once; GET /models/access says how it went.
    """
    given = body()
    names, trying = given.get("models", []), given.get("try", False)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Invalid([Problem("models", "must be a list of names")])
    if not isinstance(trying, bool):
        raise Invalid([Problem("try", "must be true or false")])
    targets = access.named(session(), names)
    access.ask_for(session(), targets, trying=trying)
    backend().start_checks()
    items = [access.document(state) for state in access.states(session(), targets)]
    return answer({"items": items, "next": None}, 202)


@routes.get("/access")
@describe(page(of_providers.Access), query={"model": Parameter("a config or model; may be repeated")})
def known_access() -> Response:
    """What is known of access: of the models or configs of ?model= (repeated), or of all active configs."""
    states = access.states(session(), access.named(session(), request.args.getlist("model")))
    return answer({"items": [access.document(state) for state in states], "next": None})


@routes.get("/<path:name>")
@describe(shapes.FullModelConfig)
def show(name: str) -> Response:
    """One config with all its revisions, the newest first, and what it comes to."""
    return answer(_full(service.get(session(), name)))


@routes.put("/<path:name>")
@describe(shapes.FullModelConfig, body=shapes.ModelConfigSaid)
def save(name: str) -> Response:
    """A new revision, or active alone; what is said already makes no revision."""
    given = body()
    config = service.get(session(), name)
    active = _active(given, config.active)
    if said := _said(given):
        service.save(session(), config, said)
    if active != config.active:
        service.set_active(session(), config, active)
    return answer(_full(config))


@routes.delete("/<path:name>")
@describe(None, 204)
def delete(name: str) -> Response:
    """Take it out of the list; runs keep what they used."""
    service.delete(session(), service.get(session(), name))
    return Response(status=204)


@routes.post("/<path:name>/clone")
@describe(shapes.FullModelConfig, 201, body=shapes.Name)
def clone(name: str) -> Response:
    """A new config that says the same: {"name": ...}, or a name made from the old one."""
    made = service.clone(session(), service.get(session(), name), text(body(), "name", ""))
    return answer(_full(made), 201, Location=url_for("api.models.show", name=made.name))


def _said(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in ("name", "active")}


def _active(given: dict[str, Any], default: bool) -> bool:
    value = given.get("active", default)
    if not isinstance(value, bool):
        raise Invalid([Problem("active", "must be true or false")])
    return value


def _document(config: ModelConfig, revision: ModelConfigRevision | None = None) -> dict[str, Any]:
    shown = revision or service.head(config)
    numbered = {"revision": shown.number, "created_at": documents.time(shown.created_at)}
    return {**service.document(config, shown), **numbered}


def _full(config: ModelConfig) -> dict[str, Any]:
    seen = service.look(service.says(service.head(config)), backend().gateway)
    comes_to = {
        "sent": seen.sent,
        "adjustments": [documents.values(one) for one in seen.adjustments],
        "usd_per_million": documents.values(seen.price) if seen.price else None,
        "warnings": list(seen.warnings),
    }
    history = [_document(config, one) for one in reversed(config.revisions)]
    return {**_document(config), "comes_to": comes_to, "history": history}
