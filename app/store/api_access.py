"""Tables of the JSON API: tokens that programs show, and answers that are kept for requests that are sent twice."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.store.models import Base
from app.store.types import CleanString, RowId, utc_now


class ApiToken(Base):
    """A token of the API. Only its digest is kept: a token is random, so that nobody finds it from there."""

    __tablename__ = "api_tokens"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(100), unique=True)
    digest: Mapped[str] = mapped_column(CleanString(64), unique=True)
    """SHA-256 of the token."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    used_at: Mapped[dt.datetime | None]
    """To the minute."""


class KeptAnswer(Base):
    """What a request with an idempotency key was answered; status is 0 while it is being done."""

    __tablename__ = "kept_answers"
    __table_args__ = (Index("ix_kept_answers_at", "at"),)
    key: Mapped[str] = mapped_column(CleanString(64), primary_key=True)
    """SHA-256 of the client's key with method, address and token."""
    request: Mapped[str] = mapped_column(CleanString(64))
    """SHA-256 of the body."""
    status: Mapped[int] = mapped_column(default=0)
    location: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
