"""The tables that a template works with, made where its user has none by their names."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.onboarding.template import Template
from flowforge.table_registry.changes import TableChange
from flowforge.table_registry.tables import create_table, list_tables


def make_missing_tables(session: Session, user_id: UUID, template: Template) -> None:
    """Commits. Raises Conflict where there are too many tables."""
    there = {table.name for table in list_tables(session, user_id)} if template.tables else ()
    for wanted in map(TableChange.read, template.tables):
        if wanted.name not in there:
            create_table(session, user_id, wanted)
