"""Definitions say what they meant before a refused approval ended the workflow, and before an expression gave one
recipient of a mail only. Drafts, which are sealed, are told apart by `meanings` and changed when they are opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic import op
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from flowforge.language.former_meanings import with_former_meanings

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_AFFECTED = "~* '\"(WAIT|SEND_EMAIL)\"'"
_WORKFLOWS = f"SELECT id, actions_definition FROM workflow.workflows WHERE actions_definition::text {_AFFECTED}"
_VERSIONS = f"SELECT id, definition FROM workflow.workflow_versions WHERE definition::text {_AFFECTED}"


def upgrade() -> None:
    op.execute("ALTER TABLE workflow.workflow_drafts ADD COLUMN meanings integer")
    _change(_WORKFLOWS, "UPDATE workflow.workflows SET actions_definition = :changed WHERE id = :id", with_former_meanings)
    _change(_VERSIONS, "UPDATE workflow.workflow_versions SET definition = :changed WHERE id = :id", _of_version)


def _change(select: str, update: str, change: Callable[[Any], Any]) -> None:
    """Touches the rows alone that change."""
    connection = op.get_bind()
    write = text(update).bindparams(bindparam("changed", type_=JSONB))
    for id_, before in connection.execute(text(select)).all():
        after = change(before)
        if after != before:
            connection.execute(write, {"id": id_, "changed": after})


def _of_version(definition: Any) -> Any:
    if not isinstance(definition, dict):
        return definition
    return {**definition, "actions": with_former_meanings(definition.get("actions"))}


def downgrade() -> None:
    """What was written into definitions stays: the release before does not read it."""
    op.execute("ALTER TABLE workflow.workflow_drafts DROP COLUMN meanings")
