"""Runs the migrations on the connection that app.store.schema opened, or on `alembic -x url=...` while developing."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from app.store import api_access, judged, label_moves, provider_tables  # noqa: F401  their tables belong to Base
from app.store.database import Database
from app.store.models import Base


def migrate(connection: Connection) -> None:
    """One transaction for all missing migrations: a failure leaves the database as it was."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transactional_ddl=True,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
    given.commit()
else:
    arguments = context.get_x_argument(as_dictionary=True)
    with Database(arguments.get("url", "sqlite:///data/app.db")).engine.connect() as own:
        migrate(own)
        own.commit()
