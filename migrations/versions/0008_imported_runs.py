"""Runs that came from another installation, and the history of labels.

Revision: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("origin_id", sa.String(16)))
    op.add_column("runs", sa.Column("imported_at", sa.DateTime(timezone=True)))
    imported = sa.text("origin_id IS NOT NULL")
    op.create_index("ix_runs_origin_id", "runs", ["origin_id"], sqlite_where=imported, postgresql_where=imported)
    op.create_table(
        "prompt_label_moves",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("prompt_id", ROW_ID, sa.ForeignKey("prompts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("version_id", ROW_ID, sa.ForeignKey("prompt_versions.id", ondelete="CASCADE")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now()),
    )
    op.create_index("ix_prompt_label_moves_prompt_id", "prompt_label_moves", ["prompt_id", "id"])
    # What stands now is where each history begins.
    columns = "prompt_id, label, version_id"
    op.execute(
        f"INSERT INTO prompt_label_moves ({columns}, at) SELECT {columns}, set_at FROM prompt_labels ORDER BY id"
    )


def now() -> sa.TextClause:
    """SQLite's CURRENT_TIMESTAMP has whole seconds only."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    return sa.text("(strftime('%Y-%m-%d %H:%M:%f000', 'now'))" if on_sqlite else "CURRENT_TIMESTAMP")
