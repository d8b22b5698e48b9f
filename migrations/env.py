"""Alembic's entry: runs on the connection it is given (flowforge.db.migrate) or on Flask-Migrate's engine."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, Engine, MetaData

from flowforge.db.tables import Base

OUR_SCHEMAS = {"auth", "workflow", "trigger_service", "orchestrator", "logbook"}


def run_migrations() -> None:
    given = context.config.attributes.get("connection")
    if isinstance(given, Connection):
        run_on(given)
        return
    from flask import current_app

    engine: Engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        run_on(connection)


def run_on(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=target(),
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name in OUR_SCHEMAS,
        compare_server_default=False,
        version_table="flowforge_migrations",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def target() -> MetaData:
    return Base.metadata


run_migrations()
