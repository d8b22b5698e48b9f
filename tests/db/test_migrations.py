"""The migrations and the models describe the same tables."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from flowforge.db.migrate import upgrade
from flowforge.db.tables import Base, Workflow
from tests.services.databases import dump

OUR_SCHEMAS = {"auth", "workflow", "trigger_service", "orchestrator", "logbook", "files", "data_tables"}


def test_models_equal_migrations(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_name": lambda name, kind, _parents: kind != "schema" or name in OUR_SCHEMAS,
                "version_table": "flowforge_migrations",
            },
        )
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(
    database_url: str, workflow: Callable[..., Workflow], execution: Callable[..., UUID]
) -> None:
    execution(workflow_id=workflow().id)
    before = dump(database_url)
    assert "CREATE TABLE orchestrator.workflow_executions" in before
    upgrade(database_url)
    assert dump(database_url) == before
