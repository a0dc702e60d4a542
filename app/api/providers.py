"""/providers: what is ready, keys (written, never read), servers of one's own with their tests."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, url_for

from app.api.context import answer, backend, body, session, text
from app.api.openapi import describe
from app.api.shapes import page
from app.api.shapes import providers as shapes
from app.llm.known import KNOWN
from app.ports.llm import Json
from app.services import documents
from app.services import providers as service
from app.services.errors import Invalid, Problem
from app.services.providers.servers import Form
from app.store.provider_tables import Server

routes = Blueprint("providers", __name__, url_prefix="/providers")


@routes.get("")
@describe(page(shapes.Provider))
def list_all() -> Response:
    """Every provider that is known by name: whether it is ready and how that was found, and when a key was entered."""
    kept = service.keys.kept(session(), backend().settings)
    items = []
    for one in service.found(backend().settings, backend().environ, backend().keys):
        key = service.keys.of_provider(kept, one.name)
        at = {"key_set_at": documents.time(key.set_at) if key else None, "key_usable": key.usable if key else None}
        items.append({**documents.values(one), "takes_key": service.keys.takes_key(KNOWN[one.name]), **at})
    return answer({"items": items, "next": None})


@routes.put("/<name>/key")
@describe(None, 204, body=shapes.Key)
def enter_key(name: str) -> Response:
    """Keep a provider's key: {"key": ...}. No answer ever holds it."""
    service.keys.enter(session(), backend().settings, name, text(body(), "key"))
    return Response(status=204)


@routes.delete("/<name>/key")
@describe(None, 204)
def forget_key(name: str) -> Response:
    """Remove a provider's key."""
    service.keys.forget(session(), name)
    return Response(status=204)


@routes.get("/servers")
@describe(page(shapes.Server))
def list_servers() -> Response:
    """The servers of one's own, by name, with their last tests."""
    return answer({"items": [_document(one) for one in service.servers.listed(session())], "next": None})


@routes.post("/servers")
@describe(shapes.Server, 201, body=shapes.NewServer)
def add_server() -> Response:
    """A new one: name, base_url, and key if it wants one."""
    made = _saved(body(), None)
    return answer(_document(made), 201, Location=url_for("api.providers.show_server", name=made.name))


@routes.get("/servers/<name>")
@describe(shapes.Server)
def show_server(name: str) -> Response:
    """One server."""
    return answer(_document(service.servers.by_name(session(), name)))


@routes.put("/servers/<name>")
@describe(shapes.Server, body=shapes.ServerChange)
def change_server(name: str) -> Response:
    """Change it; what is not given stays. key: "" removes the key; another scheme, host or port removes it as well."""
    return answer(_document(_saved(body(), service.servers.by_name(session(), name))))


@routes.delete("/servers/<name>")
@describe(None, 204)
def delete_server(name: str) -> Response:
    """Remove it and its key."""
    service.servers.delete(session(), service.servers.by_name(session(), name))
    return Response(status=204)


@routes.post("/servers/<name>/test")
@describe(shapes.Server, body=shapes.ModelToCall)
def test_server(name: str) -> Response:
    """Test it: {"model": ...} for the one to call, or {}. Takes seconds."""
    server = service.servers.by_name(session(), name)
    own = service.servers.key_of(backend().keys, server)
    trial = service.trial.run(server.base_url, backend().gateway.around, own, text(body(), "model", ""))
    service.servers.record(session(), server, trial)
    return answer(_document(server))


def _saved(given: dict[str, Any], server: Server | None) -> Server:
    if unknown := sorted(given.keys() - {"name", "base_url", "key"}):
        raise Invalid([Problem(name[:100], "is not a field that is known") for name in unknown])
    form = Form(
        text(given, "name", server.name if server else None),
        text(given, "base_url", server.base_url if server else None),
        text(given, "key", ""),
        forget_key="key" in given,
    )
    return service.servers.save(session(), backend().settings, backend().gateway.around.guard, form, server)


def _document(server: Server) -> Json:
    return service.servers.document(server, service.keys.kept(session(), backend().settings))
