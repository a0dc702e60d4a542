"""Servers of one's own, keys that are entered, and checks of access.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "servers",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(300), nullable=False, unique=True),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("trial", sa.JSON()),
        sa.Column("tried_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now()),
    )
    op.create_table(
        "provider_keys",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("holder", sa.String(120), nullable=False, unique=True),
        sa.Column("origin", sa.String(300), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False, server_default=now()),
    )
    op.create_table(
        "access_checks",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("digest", sa.String(32), nullable=False, unique=True),
        sa.Column("target", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
        sa.Column("wants_trying", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("checked_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.String(30), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(53)),
        sa.Column("usd", sa.Float(53)),
        sa.Column("tried", sa.JSON()),
    )


def now() -> sa.TextClause:
    """SQLite's CURRENT_TIMESTAMP has whole seconds only."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    return sa.text("(strftime('%Y-%m-%d %H:%M:%f000', 'now'))" if on_sqlite else "CURRENT_TIMESTAMP")
