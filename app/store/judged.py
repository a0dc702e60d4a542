"""What people said of the answers of a benchmark: rankings of rivals, and answers that are marked."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Float, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.ports.llm import Json
from app.store.models import Base
from app.store.types import CleanString, JsonColumn, RowId, utc_now


class RankingRow(Base):
    """One person's ranking of the answers to one prompt in one repeat. A later saving replaces it, with the next revision."""

    __tablename__ = "rankings"
    __table_args__ = (UniqueConstraint("run_id", "case", "repeat", "ranker"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    case: Mapped[str] = mapped_column(CleanString(64))
    repeat: Mapped[int]
    ranker: Mapped[str] = mapped_column(CleanString(80))
    places: Mapped[Json] = mapped_column(JsonColumn)
    """Place from 1 by config; the same place is a tie."""
    notes: Mapped[str] = mapped_column(default="")
    seconds: Mapped[float] = mapped_column(Float(53), default=0.0)
    """While the page was visible, all savings together."""
    blind: Mapped[bool]
    """Whether the configs were hidden when it was first made."""
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    saved_at: Mapped[dt.datetime] = mapped_column(server_default=utc_now(), onupdate=utc_now())


class MarkRow(Base):
    """An answer that a person found acceptable or unacceptable; the newest word counts, whoever said it."""

    __tablename__ = "marks"
    __table_args__ = (UniqueConstraint("run_id", "sample"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    sample: Mapped[str] = mapped_column(CleanString(64))
    """The sample's key."""
    verdict: Mapped[str] = mapped_column(CleanString(12))
    """acceptable or unacceptable."""
    marked_by: Mapped[str] = mapped_column(CleanString(80), default="")
    at: Mapped[dt.datetime] = mapped_column(server_default=utc_now(), onupdate=utc_now())
