"""The first tables: datasets, prompts, runs and what a run leaves behind.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def now() -> sa.TextClause:
    """SQLite's CURRENT_TIMESTAMP has whole seconds only."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    return sa.text("(strftime('%Y-%m-%d %H:%M:%f000', 'now'))" if on_sqlite else "CURRENT_TIMESTAMP")


def upgrade() -> None:
    datasets()
    prompts()
    runs()
    prompt_versions()
    run_records()


def datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("statistics", sa.JSON(), nullable=False),
        sa.Column("created_at", moment(), nullable=False, server_default=now()),
        sa.Column("deleted_at", moment()),
    )
    op.create_table(
        "examples",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("dataset_id", ROW_ID, sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("extra", sa.JSON(), nullable=False),
        sa.UniqueConstraint("dataset_id", "row"),
    )


def prompts() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.String(100), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", moment(), nullable=False, server_default=now()),
        sa.Column("deleted_at", moment()),
    )


def runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("wish", sa.String(8), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("dataset_id", ROW_ID, sa.ForeignKey("datasets.id")),
        sa.Column("prompt_id", ROW_ID, sa.ForeignKey("prompts.id")),
        sa.Column("cloned_from", sa.String(16)),
        sa.Column("outcome", sa.JSON()),
        sa.Column("spent", sa.JSON()),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(80), nullable=False),
        sa.Column("lease_until", sa.Float(53), nullable=False),
        sa.Column("created_at", moment(), nullable=False, server_default=now()),
        sa.Column("started_at", moment()),
        sa.Column("ended_at", moment()),
    )
    op.create_index("ix_runs_created_at", "runs", ["created_at", "id"])
    op.create_index("ix_runs_status", "runs", ["status"])


def prompt_versions() -> None:
    op.create_table(
        "prompt_versions",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("prompt_id", ROW_ID, sa.ForeignKey("prompts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("system_prompt", sa.Text(), nullable=False),
        sa.Column("output_prompt", sa.Text(), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("parent_id", ROW_ID, sa.ForeignKey("prompt_versions.id")),
        sa.Column("author", sa.String(20), nullable=False),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="SET NULL")),
        sa.Column("run_number", sa.Integer()),
        sa.Column("fate", sa.String(20), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("created_at", moment(), nullable=False, server_default=now()),
        sa.UniqueConstraint("prompt_id", "number"),
    )
    op.create_index("ix_prompt_versions_run_id", "prompt_versions", ["run_id"])
    op.create_table(
        "prompt_labels",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("prompt_id", ROW_ID, sa.ForeignKey("prompts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("version_id", ROW_ID, sa.ForeignKey("prompt_versions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("set_at", moment(), nullable=False, server_default=now()),
        sa.UniqueConstraint("prompt_id", "label"),
    )


def run_records() -> None:
    op.create_table(
        "samples",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("candidate", sa.String(64), nullable=False),
        sa.Column("case", sa.String(64), nullable=False),
        sa.Column("repeat", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(12), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("score", sa.Double()),
        sa.Column("feedback", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("scores", sa.JSON()),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Double()),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.UniqueConstraint("run_id", "key"),
    )
    op.create_index("ix_samples_run_candidate", "samples", ["run_id", "candidate", "split", "id"])
    op.create_index("ix_samples_run_id", "samples", ["run_id", "id"])
    op.create_table(
        "calls",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("reserved_usd", sa.Double()),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("error", sa.String(30), nullable=False),
        sa.Column("finish_reason", sa.String(20), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=False),
        sa.Column("cached_tokens", sa.Integer(), nullable=False),
        sa.Column("tokens_estimated", sa.Boolean(), nullable=False),
        sa.Column("cost_usd", sa.Double()),
        sa.Column("ttft_s", sa.Double()),
        sa.Column("ttlb_s", sa.Double(), nullable=False),
        sa.Column("served_model", sa.String(200), nullable=False),
        sa.Column("raw", sa.JSON()),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("wait_s", sa.Double(), nullable=False),
        sa.Column("uncertain", sa.Integer(), nullable=False),
        sa.Column("sent_at", moment(), nullable=False, server_default=now()),
        sa.Column("settled_at", moment()),
        sa.UniqueConstraint("run_id", "key"),
    )
    op.create_index("ix_calls_run_id", "calls", ["run_id", "id"])
    op.create_table(
        "steps",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.Column("value", sa.JSON()),
        sa.UniqueConstraint("run_id", "key"),
    )
    op.create_table(
        "events",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("run_id", sa.String(16), sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("note", sa.Integer()),
        sa.Column("name", sa.String(30), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", moment(), nullable=False, server_default=now()),
        sa.UniqueConstraint("run_id", "note"),
    )
    op.create_index("ix_events_run_id", "events", ["run_id", "id"])
