"""The tables of what a person set up about providers: servers, keys, and what was last known of access to models."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Float, false
from sqlalchemy.orm import Mapped, mapped_column

from app.ports.llm import Json
from app.store.models import Base
from app.store.types import CleanString, JsonColumn, RowId, utc_now


class Server(Base):
    """An OpenAI-compatible server of one's own. Models at it are addressed by its base URL, which runs pin."""

    __tablename__ = "servers"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(100), unique=True)
    base_url: Mapped[str]
    origin: Mapped[str] = mapped_column(CleanString(300), unique=True)
    """Scheme, host and port of base_url; what a key is bound to."""
    models: Mapped[Json] = mapped_column(JsonColumn)
    """Names that its /models listed when it was last tested."""
    trial: Mapped[Json] = mapped_column(JsonColumn, nullable=True)
    """The steps of the last test, see app.services.providers.trial; None before the first."""
    tried_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())


class ProviderKey(Base):
    """A key that was entered here, sealed (see app.services.providers.sealing)."""

    __tablename__ = "provider_keys"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    holder: Mapped[str] = mapped_column(CleanString(120), unique=True)
    """Whose it is: provider:NAME or server:ID."""
    origin: Mapped[str] = mapped_column(CleanString(300))
    """The only scheme, host and port that it may be sent to; sealed with it."""
    sealed: Mapped[str]
    set_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())


class AccessRow(Base):
    """Whether a model answers: one row for each model, address, region and service tier."""

    __tablename__ = "access_checks"
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    digest: Mapped[str] = mapped_column(CleanString(32), unique=True)
    """Of target."""
    target: Mapped[Json] = mapped_column(JsonColumn)
    """model, api_base, region, tier, as app.services.access.target.Target."""
    asked_at: Mapped[dt.datetime | None]
    """When a check was asked for that has not ended; None when none is awaited."""
    wants_trying: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether that check is to try capabilities too."""
    checked_at: Mapped[dt.datetime | None]
    outcome: Mapped[str] = mapped_column(CleanString(30), default="")
    """answers, or the label of the error (see app.ports.llm); "" before the first check."""
    words: Mapped[str] = mapped_column(default="")
    seconds: Mapped[float | None] = mapped_column(Float(53))
    usd: Mapped[float | None] = mapped_column(Float(53))
    tried: Mapped[Json] = mapped_column(JsonColumn, nullable=True)
    """What was tried and how it came out, by capability; None when nothing was."""
