"""Uses of connections by workflows and their triggers, as published and in drafts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.connectors.sdk import CONNECTION
from flowforge.db.tables import Workflow, WorkflowDraft
from flowforge.errors import Conflict
from flowforge.jsonio import JsonObject
from flowforge.secrets import Vault
from flowforge.triggers.kinds import connected_types
from flowforge.workflows.drafts import opened_draft
from flowforge.workflows.validation import config_of, flat

_MOST_DRAFTS = 200
"""Looked into, the newest: each is sealed as a whole."""


@dataclass(frozen=True, slots=True)
class Use:
    workflow_id: UUID
    workflow_name: str
    in_draft: bool
    """True where only the draft calls it, not the published version."""


Uses = Mapping[str, Sequence[Use]]


def connection_uses(session: Session, vault: Vault, user_id: UUID) -> Uses:
    """Find the uses by the connection's name. Two statements, however many connections there are."""
    return uses_by_name(chain(_published(session, user_id), _drafted(session, vault, user_id)))


def published_uses(session: Session, user_id: UUID) -> Uses:
    """Find those of published versions alone, by the connection's name. One statement."""
    return uses_by_name(_published(session, user_id))


def uses_by_name(calls: Iterable[tuple[str, Use]]) -> Uses:
    """Each workflow once for a name: by its published version, where that calls it."""
    found: dict[str, dict[UUID, Use]] = {}
    for name, use in calls:
        found.setdefault(name, {}).setdefault(use.workflow_id, use)
    return {name: sorted(uses.values(), key=lambda use: use.workflow_name) for name, uses in found.items()}


def _published(session: Session, user_id: UUID) -> Iterator[tuple[str, Use]]:
    rows = session.connection().exec_driver_sql(
        """
        SELECT w.id, w.name, called #>> '{}' FROM workflow.workflows w
        CROSS JOIN LATERAL jsonb_path_query(w.actions_definition, 'strict $.**.config.connection', '{}', true) AS called
        WHERE w.user_id = %(user)s AND jsonb_typeof(called) = 'string'
        UNION ALL
        SELECT w.id, w.name, t.configuration->>'connection' FROM trigger_service.trigger_registrations t
        JOIN workflow.workflows w ON w.id = t.workflow_id
        WHERE t.user_id = %(user)s AND w.user_id = %(user)s AND lower(t.trigger_type) = ANY(%(connected)s)
            AND jsonb_typeof(t.configuration->'connection') = 'string'
        """,
        {"user": str(user_id), "connected": connected_types()},
    )
    return ((called, Use(workflow_id, name, in_draft=False)) for workflow_id, name, called in rows)


def _drafted(session: Session, vault: Vault, user_id: UUID) -> Iterator[tuple[str, Use]]:
    for part, use in drafted_parts(session, vault, user_id):
        connection = (config_of(part) or {}).get(CONNECTION)
        if isinstance(connection, str):
            yield connection, use


def drafted_parts(session: Session, vault: Vault, user_id: UUID) -> Iterator[tuple[JsonObject, Use]]:
    """The triggers and all actions of the newest drafts, each with its workflow. One statement."""
    mine = select(WorkflowDraft, Workflow.name).join(Workflow, Workflow.id == WorkflowDraft.id)
    newest = mine.where(Workflow.user_id == user_id).order_by(WorkflowDraft.updated_at.desc()).limit(_MOST_DRAFTS)
    for draft, name in session.execute(newest):
        try:
            definition = opened_draft(vault, draft)
        except Conflict:  # sealed with a key that is gone: it can only be discarded
            continue
        for part in (definition.get("trigger"), *flat(definition.get("actions"))):
            if isinstance(part, dict):
                yield part, Use(draft.id, name, in_draft=True)
