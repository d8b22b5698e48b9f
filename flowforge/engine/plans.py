"""The compiled plans of workflow versions: parsed once per process, not per event."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.errors import Invalid
from flowforge.ids import uuid7
from flowforge.language.plan import Plan, compile_plan

_CAPACITY = 2_000


@dataclass(frozen=True, slots=True)
class Version:
    """A saved definition, compiled. It never changes, so it never expires."""

    id: UUID
    workflow_id: UUID
    name: str
    plan: Plan
    problem: str | None = None
    """Why a definition that an earlier product wrote cannot be run."""

    @property
    def error_workflow(self) -> UUID | None:
        """The workflow that hears of a failure."""
        named = self.plan.settings.error_workflow
        return UUID(named) if named else None


class Plans:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, Version] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, connection: Connection, version_ids: Iterable[UUID]) -> dict[UUID, Version]:
        """At most one query, for the versions this process has not met. Missing ones are left out."""
        wanted = set(version_ids)
        with self._lock:
            found = {id_: self._known[id_] for id_ in wanted if id_ in self._known}
            for id_ in found:
                self._known.move_to_end(id_)
        missing = wanted - found.keys()
        if missing:
            loaded = _load(connection, missing)
            with self._lock:
                self._known |= loaded
                while len(self._known) > _CAPACITY:
                    self._known.popitem(last=False)
            found |= loaded
        return found


def adopt(connection: Connection, workflow_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Gives workflows of an adopted database, which were never saved here, their first version: taken literally.

    Returns workflow id -> version id. Two callers at once end with the same version.
    """
    ids = [str(id_) for id_ in workflow_ids]
    connection.exec_driver_sql(
        """
        INSERT INTO workflow.workflow_versions (id, workflow_id, number, definition, templated, note)
        SELECT (n.ids->>w.id::text)::uuid, w.id, 1,
               jsonb_build_object('name', w.name, 'trigger', w.trigger_definition,
                                  'actions', COALESCE(w.actions_definition, '[]')), false, 'as found'
        FROM workflow.workflows w, (SELECT %(new)s::jsonb AS ids) n
        WHERE w.id = ANY(%(ids)s::uuid[]) AND w.version_id IS NULL
        ON CONFLICT (workflow_id, number) DO NOTHING
        """,
        {"ids": ids, "new": jsonio.dumps({id_: uuid7() for id_ in ids}).decode()},
    )
    rows = connection.exec_driver_sql(
        """
        UPDATE workflow.workflows w SET version_id = COALESCE(w.version_id, v.id)
        FROM workflow.workflow_versions v
        WHERE w.id = ANY(%(ids)s::uuid[]) AND v.workflow_id = w.id AND v.number = 1
        RETURNING w.id, w.version_id
        """,
        {"ids": ids},
    )
    return {row[0]: row[1] for row in rows}


def _load(connection: Connection, version_ids: Iterable[UUID]) -> dict[UUID, Version]:
    rows = connection.exec_driver_sql(
        """
        SELECT id, workflow_id, definition, templated, pins FROM workflow.workflow_versions
        WHERE id = ANY(%(ids)s::uuid[])
        """,
        {"ids": [str(id_) for id_ in version_ids]},
    )
    return {row[0]: _compile(*row) for row in rows}


def _compile(
    id_: UUID, workflow_id: UUID, definition: dict[str, Any], templated: bool, pins: dict[str, Any] | None
) -> Version:
    name = str(definition.get("name") or "")
    try:
        return Version(id_, workflow_id, name, compile_plan({**definition, "pins": pins}, templated=templated))
    except Invalid as error:
        return Version(id_, workflow_id, name, Plan.empty(), problem=str(error))
