"""Rankings of answers by people, and answers that are marked.

Revision: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    run = sa.ForeignKey("runs.id", ondelete="CASCADE")
    op.create_table(
        "rankings",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(16), run, nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("ranker", sa.String(80), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=now()),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False, server_default=now()),
        sa.UniqueConstraint("run_id", "case", "repeat", "ranker"),
    )
    op.create_table(
        "marks",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sample", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(12), nullable=False),
        sa.Column("marked_by", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now()),
        sa.UniqueConstraint("run_id", "sample"),
    )


def now() -> sa.TextClause:
    """SQLite's CURRENT_TIMESTAMP has whole seconds only."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    return sa.text("(strftime('%Y-%m-%d %H:%M:%f000', 'now'))" if on_sqlite else "CURRENT_TIMESTAMP")
