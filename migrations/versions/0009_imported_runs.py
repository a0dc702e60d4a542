"""Runs that came from another installation.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("origin_id", sa.String(16)))
    op.add_column("runs", sa.Column("imported_at", sa.DateTime(timezone=True)))
    imported = sa.text("origin_id IS NOT NULL")
    op.create_index("ix_runs_origin_id", "runs", ["origin_id"], sqlite_where=imported, postgresql_where=imported)
