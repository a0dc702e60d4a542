"""Providers that can be used from here, how that was found out, what the others need, and what was entered; never a secret."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template
from flask.typing import ResponseReturnValue

from app.llm.known import KNOWN, Known
from app.llm.routes import key_in
from app.services import providers
from app.services.errors import Invalid, Problem
from app.services.providers.keys import Kept
from app.store.provider_tables import Server
from app.web.context import backend, settings
from app.web.database import session
from app.web.errors import by_field
from app.web.providers.page import pages


@dataclass(frozen=True)
class KeyRow:
    """A provider for which a key was entered. in_environment: the variable whose key counts instead; "" for none."""

    known: Known
    kept: Kept
    in_environment: str


@dataclass(frozen=True)
class ServerRow:
    """A server with what is known of its key, None without one."""

    server: Server
    key: Kept | None


@pages.get("")
def index() -> ResponseReturnValue:
    """The providers, those that are ready first."""
    return overview()


def overview(problems: tuple[Problem, ...] = (), chosen: str = "") -> ResponseReturnValue:
    """The page, with what is wrong with a key that was entered. chosen: its provider."""
    found = providers.found(settings(), backend().environ, backend().keys)
    kept = providers.keys.kept(session(), settings())
    takers = [known for known in KNOWN.values() if providers.keys.takes_key(known)]
    page = render_template(
        "providers/index.html",
        ready=[p for p in found if p.ready and p.name != "simulated"],
        simulated=next((p for p in found if p.name == "simulated"), None),
        others=[p for p in found if not p.ready],
        configured=[("Primary model", settings().primary_model), ("Optimizer model", settings().optimizer_model)],
        servers=[
            ServerRow(one, kept.get(providers.keys.holder_of(one.id))) for one in providers.servers.listed(session())
        ],
        keys=[_row(known, of) for known in takers if (of := providers.keys.of_provider(kept, known.name))],
        takers=[(known.name, f"{known.title} ({known.name}/)") for known in takers],
        chosen=chosen,
        problems=problems,
        errors=by_field(Invalid(problems)),
    )
    return page, 422 if problems else 200


def _row(known: Known, kept: Kept) -> KeyRow:
    environ = backend().environ
    named = next((name for name in known.keys if environ.get(name, "").strip()), "") if key_in(environ, known) else ""
    return KeyRow(known, kept, named)
