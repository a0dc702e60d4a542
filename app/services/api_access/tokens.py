"""Tokens of the JSON API: made, shown once, listed by name, taken back."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core.storable import storable
from app.services.errors import Invalid, NotFound, Problem
from app.store.api_access import ApiToken

PREFIX = "whet_"
"""What every token begins with, so that scanners for secrets find one that was published."""
LONGEST_NAME = 100
SEEN_EVERY = dt.timedelta(minutes=1)
"""How exactly it is known when a token was used last: not every request should write."""


def create(session: Session, name: str) -> tuple[ApiToken, str]:
    """A new token with its text, which cannot be shown again. Raises: Invalid."""
    name = " ".join(storable(name).split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid([Problem("name", f"write a name of 1 to {LONGEST_NAME} ordinary characters")])
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(name=name, digest=_digest(text))
    session.add(token)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise Invalid([Problem("name", f"there is a token called {name} already")]) from None
    return token, text


def list_tokens(session: Session) -> list[ApiToken]:
    """Every token by name."""
    return list(session.scalars(select(ApiToken).order_by(ApiToken.name)))


def revoke(session: Session, name: str) -> None:
    """End a token. Raises: NotFound."""
    token = session.scalars(select(ApiToken).where(ApiToken.name == storable(name))).one_or_none()
    if token is None:
        raise NotFound(f"there is no token called {name[:LONGEST_NAME]}")
    session.delete(token)
    session.commit()


def owner(session: Session, text: str) -> ApiToken | None:
    """The token of that text, None for one that was never made or was taken back. Commits when it was last used."""
    token = session.scalars(select(ApiToken).where(ApiToken.digest == _digest(text))).one_or_none()
    now = dt.datetime.now(dt.UTC)
    if token and (token.used_at is None or abs(now - token.used_at) > SEEN_EVERY):
        token.used_at = now
        session.commit()
    return token


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
