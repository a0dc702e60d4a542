"""Servers of one's own that speak OpenAI's protocol: kept by name, addressed by their base URL, with a key that stays there."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.config import Settings
from app.core.storable import storable
from app.llm.keyring import Keyring, origin
from app.llm.known import KNOWN, Known
from app.llm.outbound import Forbidden, Guard
from app.llm.routes import checked
from app.ports.llm import Permanent
from app.services.errors import Invalid, NotFound, Problem
from app.services.providers import keys
from app.services.providers.trial import Trial
from app.store.provider_tables import Server
from app.store.types import utc_now

LONGEST_NAME = 100
MODEL_PREFIX = "openai/"
"""What the name of a model at such a server begins with."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a person says of a server. key: "" leaves the key as it is, forget_key removes it."""

    name: str
    base_url: str
    key: str = ""
    forget_key: bool = False


def listed(session: Session) -> list[Server]:
    """All servers by name."""
    return list(session.scalars(select(Server).order_by(Server.name)))


def get(session: Session, server_id: int) -> Server:
    """One server. Raises: NotFound."""
    found = session.get(Server, server_id)
    if found is None:
        raise NotFound(f"there is no server with the number {server_id}")
    return found


def by_name(session: Session, name: str) -> Server:
    """One server. Raises: NotFound."""
    found = session.scalars(select(Server).where(Server.name == _name(name, []))).one_or_none()
    if found is None:
        raise NotFound(f"there is no server called {name[:LONGEST_NAME]!r}")
    return found


def save(session: Session, settings: Settings, guard: Guard, form: Form, server: Server | None = None) -> Server:
    """A new server, or a changed one. With another scheme, host or port its key is gone, unless a new one comes along.

    Raises: Invalid with every problem; nothing is then changed.
    """
    problems: list[Problem] = []
    name, key = _name(form.name, problems), keys.checked_key(form.key, problems)
    base = _base(form.base_url, guard, problems)
    place = origin(base)
    if not problems:
        _refuse_doubles(session, name, place, server, problems)
    if problems:
        raise Invalid(problems)
    moved = server is not None and server.origin != place
    made = server or Server(models=[])
    made.name, made.base_url, made.origin = name, base, place
    if moved:
        made.models, made.trial, made.tried_at = [], None, None
    session.add(made)
    try:
        session.flush()
        holder = keys.holder_of(made.id)
        if key:
            keys.keep(session, settings, holder, place, key)
        elif moved or form.forget_key:
            keys.drop(session, holder)
        session.commit()
    except IntegrityError:  # somebody else was faster
        session.rollback()
        raise Invalid([Problem("name", "somebody else saved a server like this at the same moment")]) from None
    return made


def delete(session: Session, server: Server) -> None:
    """Remove a server and its key. Runs and configs that name its address keep the address."""
    keys.drop(session, keys.holder_of(server.id))
    session.delete(server)
    session.commit()


def record(session: Session, server: Server, trial: Trial) -> None:
    """Keep how a test went, and the models that it found."""
    server.trial = [asdict(step) for step in trial.steps]
    server.models = list(trial.models)
    server.tried_at = utc_now()
    session.commit()


def document(server: Server, kept: dict[str, keys.Kept]) -> dict[str, Any]:
    """A server as JSON; of its key only whether and when it was set."""
    key = kept.get(keys.holder_of(server.id))
    return {
        "name": server.name,
        "base_url": server.base_url,
        "models": [MODEL_PREFIX + name for name in server.models],
        "key_set_at": _time(key.set_at) if key else None,
        "key_usable": key.usable if key else None,
        "test": server.trial,
        "tested_at": _time(server.tried_at),
    }


def key_of(ring: Keyring, server: Server) -> Keyring:
    """A ring with this server's key alone."""
    own = ring.of_server(server.base_url)
    return Keyring({server.origin: own} if own else {})


def _time(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


def _name(text: str, problems: list[Problem]) -> str:
    name = " ".join(unicodedata.normalize("NFC", storable(text)).split())
    if not name:
        problems.append(Problem("name", "give it a name"))
    elif len(name) > LONGEST_NAME:
        problems.append(Problem("name", f"a name has at most {LONGEST_NAME} characters; this one has {len(name)}"))
    elif not name.isprintable() or "/" in name:
        problems.append(Problem("name", "use letters, digits, spaces and signs, but no /"))
    return name


def _base(text: str, guard: Guard, problems: list[Problem]) -> str:
    try:
        base = checked(storable(text), "the address").rstrip("/").removesuffix("/chat/completions")
        parts = urlsplit(base)
        if parts.query or parts.fragment:
            raise Forbidden("the address must end before ? and #; a key has a field of its own")
        if own := _known_at(base):
            raise Forbidden(f"this is the address of {own.title}, which is known by name: write {own.name}/MODEL")
        guard.look_up(base)
    except (Permanent, Forbidden) as error:
        problems.append(Problem("base_url", str(error)))
        return ""
    except OSError:
        return base  # it has no address at the moment; its test says so
    return base


def _known_at(base: str) -> Known | None:
    """The provider whose own address it is."""
    theirs = (one for one in KNOWN.values() if one.default_base and not one.local)
    return next((one for one in theirs if origin(one.default_base) == origin(base)), None)


def _refuse_doubles(session: Session, name: str, place: str, own: Server | None, problems: list[Problem]) -> None:
    others = [one for one in listed(session) if own is None or one.id != own.id]
    if any(one.name == name for one in others):
        problems.append(Problem("name", f"there is a server called {name!r} already; choose another name"))
    if same := next((one for one in others if one.origin == place), None):
        problems.append(Problem("base_url", f"{place} is the server {same.name!r} already; change that one"))
