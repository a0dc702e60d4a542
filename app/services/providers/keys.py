"""Keys that a person enters: written, never read out again, bound to one address, sealed at rest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from app.config import Settings
from app.llm.keyring import Bound, Keyring, origin
from app.llm.known import KNOWN, Known
from app.services.errors import Invalid, NotFound, Problem
from app.services.providers.sealing import Seal
from app.store.provider_tables import ProviderKey
from app.store.types import utc_now

LONGEST_KEY = 4096
_PROVIDER, _SERVER = "provider:", "server:"


@dataclass(frozen=True, slots=True)
class Kept:
    """What may be said of a key. usable: it can be opened with the secret key in force, and its address is the same."""

    set_at: dt.datetime
    usable: bool


def takes_key(known: Known) -> bool:
    """Whether a key can be entered for a provider: it has keys at all, and one address of its own to bind them to."""
    return bool(known.keys and known.default_base) and not known.local


def checked_key(text: str, problems: list[Problem]) -> str:
    """The key without spaces around it; what cannot be a key is a problem that does not repeat it."""
    key = text.strip()
    if len(key) > LONGEST_KEY:
        problems.append(Problem("key", f"a key has at most {LONGEST_KEY} characters"))
    elif not (key.isascii() and key.isprintable()) or " " in key:
        problems.append(
            Problem("key", "a key is one word of letters, digits and signs; was something else copied along?")
        )
    return key


def enter(session: Session, settings: Settings, name: str, text: str) -> None:
    """Keep the key of a provider that is known by name, in place of an earlier one. Raises: Invalid, NotFound."""
    known = _known(name)
    problems: list[Problem] = []
    key = checked_key(text, problems)
    if not key:
        problems.append(Problem("key", "enter the key"))
    if problems:
        raise Invalid(problems)
    keep(session, settings, _PROVIDER + name, origin(known.default_base), key)
    session.commit()


def forget(session: Session, name: str) -> None:
    """Remove the key of a provider that is known by name. Raises: NotFound."""
    _known(name)
    drop(session, _PROVIDER + name)
    session.commit()


def keep(session: Session, settings: Settings, holder: str, place: str, key: str) -> None:
    """Add or replace a holder's key; the caller commits. place: the origin that it is bound to."""
    row = session.scalars(select(ProviderKey).where(ProviderKey.holder == holder)).one_or_none()
    if row is None:
        row = ProviderKey(holder=holder)
        session.add(row)
    row.origin, row.sealed = place, Seal(settings).close(key, place)
    row.set_at = utc_now()


def drop(session: Session, holder: str) -> None:
    """Remove a holder's key, if there is one; the caller commits."""
    session.execute(delete(ProviderKey).where(ProviderKey.holder == holder))


def holder_of(server_id: int) -> str:
    """What the key of a server of one's own is kept under."""
    return f"{_SERVER}{server_id}"


def kept(session: Session, settings: Settings) -> dict[str, Kept]:
    """What is known of every key, by holder."""
    seal = Seal(settings)
    rows = session.scalars(select(ProviderKey))
    return {row.holder: Kept(row.set_at, _opened(seal, row) is not None) for row in rows}


def of_provider(found: dict[str, Kept], name: str) -> Kept | None:
    """What is known of a provider's key."""
    return found.get(_PROVIDER + name)


def keyring(engine: Engine, settings: Settings) -> Keyring:
    """Every key that can be opened, for the adapters. Raises: SQLAlchemyError."""
    with Session(engine) as session:
        rows = list(session.scalars(select(ProviderKey)))
    seal = Seal(settings) if rows else None
    servers: dict[str, str] = {}
    providers: dict[str, Bound] = {}
    for row in rows:
        key = _opened(seal, row) if seal else None
        if key and row.holder.startswith(_SERVER):
            servers[row.origin] = key
        elif key:
            providers[row.holder.removeprefix(_PROVIDER)] = Bound(row.origin, key)
    return Keyring(servers, providers)


def reseal(session: Session, settings: Settings) -> tuple[int, int]:
    """Seal every key anew under the secret key in force. Returns how many were, and how many cannot be opened."""
    seal = Seal(settings)
    done = lost = 0
    for row in session.scalars(select(ProviderKey)):
        key = seal.open(row.sealed, row.origin)
        if key is None:
            lost += 1
            continue
        row.sealed = seal.close(key, row.origin)
        done += 1
    session.commit()
    return done, lost


def _opened(seal: Seal, row: ProviderKey) -> str | None:
    """The key; None also when the provider has another address by now."""
    if row.holder.startswith(_PROVIDER):
        known = KNOWN.get(row.holder.removeprefix(_PROVIDER))
        if known is None or origin(known.default_base) != row.origin:
            return None
    return seal.open(row.sealed, row.origin)


def _known(name: str) -> Known:
    known = KNOWN.get(name)
    if known is None:
        raise NotFound(f"no provider is called {name[:80]!r}")
    if not takes_key(known):
        raise Invalid(
            [Problem("key", f"no key can be entered for {known.title}; docs/providers.md says what it needs")]
        )
    return known
