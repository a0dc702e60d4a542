"""Where a prompt's labels have pointed: a row each time that one is set, moved or taken away."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.store.models import Base, PromptVersion
from app.store.types import CleanString, RowId, utc_now


class LabelMove(Base):
    """A label was pointed at a version; version_id is None when it was taken away."""

    __tablename__ = "prompt_label_moves"
    __table_args__ = (Index("ix_prompt_label_moves_prompt_id", "prompt_id", "id"),)
    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    prompt_id: Mapped[int] = mapped_column(ForeignKey("prompts.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(CleanString(60))
    version_id: Mapped[int | None] = mapped_column(ForeignKey("prompt_versions.id", ondelete="CASCADE"))
    at: Mapped[dt.datetime] = mapped_column(server_default=utc_now())
    version: Mapped[PromptVersion | None] = relationship()
