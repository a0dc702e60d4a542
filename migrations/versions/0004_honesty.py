"""Looks at hidden splits; versions of a dataset and what people ruled about its labels.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("datasets", sa.Column("root_id", ROW_ID))
    op.add_column("datasets", sa.Column("parent_id", ROW_ID))
    op.add_column("datasets", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    looks()
    rulings()


def looks() -> None:
    op.create_table(
        "looks",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("dataset_id", ROW_ID, nullable=False),
        sa.Column("run_id", sa.String(16), nullable=False),
        sa.Column("split", sa.String(12), nullable=False),
        sa.Column("candidate", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now()),
        sa.UniqueConstraint("run_id", "split", "candidate"),
    )
    op.create_index("ix_looks_dataset_id", "looks", ["dataset_id", "split", "run_id", "id"])


def rulings() -> None:
    op.create_table(
        "rulings",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("dataset_id", ROW_ID, sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("ruling", sa.String(10), nullable=False),
        sa.Column("reference", sa.Text()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=now()),
        sa.UniqueConstraint("dataset_id", "row"),
    )


def now() -> sa.TextClause:
    """SQLite's CURRENT_TIMESTAMP has whole seconds only."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    return sa.text("(strftime('%Y-%m-%d %H:%M:%f000', 'now'))" if on_sqlite else "CURRENT_TIMESTAMP")
