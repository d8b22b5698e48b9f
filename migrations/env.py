"""Alembic's entry: runs on the connection it is given (flowforge.db.migrate) or on Flask-Migrate's engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic import context
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, event

from flowforge.db.tables import Base

OUR_SCHEMAS = {"auth", "workflow", "trigger_service", "orchestrator", "logbook", "files", "data_tables"}


def run_migrations() -> None:
    if context.is_offline_mode():
        raise CommandError("these migrations look at what they find, so they need a database: leave out --sql")
    given = context.config.attributes.get("connection")
    if isinstance(given, Connection):
        run_on(given)
        return
    from flask import current_app

    engine: Engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        run_on(connection)


def run_on(connection: Connection) -> None:
    event.listen(connection, "begin", bound_waits_for_locks)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name in OUR_SCHEMAS,
        compare_server_default=False,
        version_table="flowforge_migrations",
        transaction_per_migration=True,
        process_revision_directives=number_in_order,
    )
    with context.begin_transaction():
        context.run_migrations()


def bound_waits_for_locks(connection: Connection) -> None:
    """Begins each transaction: whoever works while this migrates queues behind a migration that waits for a lock.

    Migrations up to 0012, which were released without this, say so themselves.
    """
    connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")


def number_in_order(_context: Any, _revision: Any, directives: Iterable[Any]) -> None:
    """Revisions are called 0001, 0002, ...: file names sort as history does."""
    head = ScriptDirectory.from_config(context.config).get_current_head()
    for directive in directives:
        directive.rev_id = f"{int(head or 0) + 1:04d}"


run_migrations()
