"""Indexes for lists over millions of rows; runs whose calls were removed, and runs that are on their way out.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("calls_pruned_at", sa.DateTime(timezone=True)))
    op.add_column("runs", sa.Column("deleted_at", sa.DateTime(timezone=True)))
    partial("ix_runs_deleted_at", "runs", ["deleted_at"], "deleted_at IS NOT NULL")
    samples()
    calls()
    events()


def samples() -> None:
    for name in ("ix_samples_run_candidate", "ix_samples_run_id"):
        op.drop_index(name, "samples")
    op.create_index("ix_samples_run_id", "samples", ["run_id", "id", "split", "outcome"])
    op.create_index("ix_samples_run_candidate", "samples", ["run_id", "candidate", "id", "split", "outcome"])
    by_case = ["run_id", "split", "case", "repeat", "candidate", "outcome", "score", "id"]
    op.create_index("ix_samples_case", "samples", by_case)
    partial("ix_samples_unscored", "samples", ["run_id", "id", "outcome"], "outcome <> 'scored'")


def calls() -> None:
    partial("ix_calls_role", "calls", ["run_id", "role", "id"], "role <> 'primary'")
    partial("ix_calls_failed", "calls", ["run_id", "id"], "error <> ''")
    partial("ix_calls_open", "calls", ["run_id", "id"], "settled IN (false)")
    partial("ix_calls_cached", "calls", ["run_id", "id"], "cached IN (true)")


def events() -> None:
    """Of the progress that was told, only the last word between two changes of status is kept from now on."""
    partial("ix_events_state", "events", ["run_id", "name", "id"], "name IN ('progress', 'status')")
    op.execute(
        "DELETE FROM events WHERE name = 'progress' AND EXISTS ("
        "SELECT 1 FROM events AS later WHERE later.run_id = events.run_id AND later.name = 'progress'"
        " AND later.name IN ('progress', 'status') AND later.id > events.id AND NOT EXISTS ("
        "SELECT 1 FROM events AS change WHERE change.run_id = events.run_id AND change.name = 'status'"
        " AND change.name IN ('progress', 'status') AND change.id > events.id AND change.id < later.id))"
    )


def partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
