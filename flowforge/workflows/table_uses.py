"""Uses of tables by workflows, as published and in drafts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.secrets import Vault
from flowforge.workflows.connection_uses import Use, drafted_parts, uses_by_name
from flowforge.workflows.validation import config_of

_TYPE = "TABLE"


def table_uses(session: Session, vault: Vault, user_id: UUID, table: str) -> Sequence[Use]:
    """Find the uses of a table, by its name. Two statements; what an expression names is not known."""
    calls = chain(_published(session, user_id), _drafted(session, vault, user_id))
    return uses_by_name(calls).get(table, ())


def _published(session: Session, user_id: UUID) -> Iterator[tuple[str, Use]]:
    rows = session.connection().exec_driver_sql(
        """
        SELECT w.id, w.name, called #>> '{}' FROM workflow.workflows w
        CROSS JOIN LATERAL jsonb_path_query(
            w.actions_definition, 'strict $.** ? (@.type == $type).config.table', %(type)s, true
        ) AS called
        WHERE w.user_id = %(user)s AND jsonb_typeof(called) = 'string'
        """,
        {"user": str(user_id), "type": f'{{"type": "{_TYPE}"}}'},
    )
    return ((called, Use(workflow_id, name, in_draft=False)) for workflow_id, name, called in rows)


def _drafted(session: Session, vault: Vault, user_id: UUID) -> Iterator[tuple[str, Use]]:
    for part, use in drafted_parts(session, vault, user_id):
        table = (config_of(part) or {}).get("table")
        if part.get("type") == _TYPE and isinstance(table, str):
            yield table, use
