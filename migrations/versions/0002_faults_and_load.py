"""Replies that can be used again, throttling, resuming by itself, shards, and what was spent by day and role.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    calls()
    runs()
    shards()
    spending()


def calls() -> None:
    for column in (
        sa.Column("cache_key", sa.String(32), nullable=False, server_default=sa.text("''")),
        sa.Column("cached", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("lane", sa.String(250), nullable=False, server_default=sa.text("''")),
        sa.Column("throttled_s", sa.Float(53), nullable=False, server_default="0"),
        sa.Column("limited", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("calls", column)
    op.create_index("ix_calls_cache_key", "calls", ["cache_key"])


def runs() -> None:
    op.add_column("runs", sa.Column("resume_at", sa.Float(53), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("outages", sa.Integer(), nullable=False, server_default="0"))


def shards() -> None:
    op.create_table(
        "shards",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("work", sa.JSON(), nullable=False),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("lease_until", sa.Float(53), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.UniqueConstraint("run_id", "fence", "number"),
    )


def spending() -> None:
    op.create_table(
        "spending",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.UniqueConstraint("run_id", "day", "role", "model"),
    )
    op.create_index("ix_spending_day", "spending", ["day"])
