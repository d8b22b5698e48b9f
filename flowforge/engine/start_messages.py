"""The execution.start message of a step: made from what the orchestrator has at hand, or again from PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge.bus import Message
from flowforge.connectors.catalog import Catalog
from flowforge.db import frames_store
from flowforge.db.attempts_store import AttemptKey
from flowforge.engine.plans import Plans, Version
from flowforge.events import EXECUTION_START, ExecutionStart
from flowforge.execution.context import step_context
from flowforge.execution.state import ROOT, Frame
from flowforge.language.plan import Step
from flowforge.resume_links import ResumeLinks
from flowforge.secrets import Vault
from flowforge.settings import Settings


@dataclass(frozen=True, slots=True)
class StepContext:
    """Whose step it is, and what it sees (flowforge.execution.context)."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    context: dict[str, Any]


class StartMessages:
    """Makes execution.start messages as the settings want them."""

    def __init__(self, settings: Settings, plans: Plans, catalog: Catalog, vault: Vault) -> None:
        self._plans = plans
        self.inline_limit = settings.payload_inline_limit
        self._in_clear = settings.topic_secrets_in_clear
        self._catalog = catalog
        self._vault = vault

    def message(
        self, seen: StepContext, step: Step, attempt: int, iteration: int = ROOT, *, by_reference: bool = False
    ) -> Message:
        """What is larger than the inline limit goes without payload and context: PostgreSQL holds them."""
        start = ExecutionStart(
            execution_id=seen.execution_id,
            workflow_id=seen.workflow_id,
            user_id=seen.user_id,
            step_index=step.index,
            action_type=step.type,
            action_config=self._config(step),
            trigger_payload={} if by_reference else seen.context.get("trigger") or {},
            context={} if by_reference else seen.context,
            iteration=iteration,
            attempt=attempt,
            by_reference=by_reference or None,
            timestamp=datetime.now(UTC),
        )
        message = Message.of(EXECUTION_START, start)
        if len(message.value) > self.inline_limit and not by_reference:
            return self.message(seen, step, attempt, iteration, by_reference=True)
        return message

    def again(self, connection: Connection, keys: Sequence[AttemptKey]) -> list[Message]:
        """The messages of attempts that PostgreSQL shows as queued. Executions that are over get none."""
        return [
            self.message(seen, step, key[3], key[2]) for key, (seen, step) in self.contexts(connection, keys).items()
        ]

    def contexts(
        self, connection: Connection, keys: Sequence[AttemptKey]
    ) -> dict[AttemptKey, tuple[StepContext, Step]]:
        """What each attempt's step sees, from PostgreSQL; of running executions only."""
        rows = _rows(connection, {key[0] for key in keys}, {key[0] for key in keys if key[2] == ROOT})
        versions = self._plans.get(connection, {row[3] for row in rows.values() if row[3]})
        inner = sorted({(key[0], key[2]) for key in keys if key[2] != ROOT and key[0] in rows})
        frames = frames_store.load_frames(connection, inner) if inner else []
        framed = {(execution_id, frame.number): (frame, block) for execution_id, frame, block in frames}
        found = {}
        for key in keys:
            execution_id, step_index, iteration, _ = key
            version = versions.get(rows[execution_id][3]) if execution_id in rows else None
            step = version.plan.step(step_index) if version else None
            if version is None or step is None or (iteration != ROOT and (execution_id, iteration) not in framed):
                continue
            _, workflow_id, user_id, _, payload, outputs = rows[execution_id]
            frame, block = framed.get((execution_id, iteration), (Frame(outputs=outputs or {}), None))
            context = step_context(version.plan, step, frame, block, payload or {})
            found[key] = (StepContext(execution_id, workflow_id, user_id, context), step)
        return found

    def _config(self, step: Step) -> dict[str, Any]:
        if not self._in_clear or step.type not in self._catalog.types():
            return step.config
        return self._catalog.open(step.type, step.config, self._vault)


def around(version: Version, execution_id: UUID, iteration: int, now: datetime, links: ResumeLinks) -> dict[str, Any]:
    """The roots of expressions that do not come from the execution's data."""
    return {
        "workflow": {"id": str(version.workflow_id), "name": version.name},
        "execution": {"id": str(execution_id)},
        "now": now,
        "resume": links.of_frame(version.plan, execution_id, iteration),
    }


def _rows(connection: Connection, execution_ids: set[UUID], with_data: set[UUID]) -> dict[UUID, Sequence[Any]]:
    rows = connection.exec_driver_sql(
        """
        SELECT id, workflow_id, user_id, version_id,
               CASE WHEN id = ANY(%(with_data)s::uuid[]) THEN trigger_payload END,
               CASE WHEN id = ANY(%(with_data)s::uuid[]) THEN step_outputs END
        FROM orchestrator.workflow_executions WHERE id = ANY(%(ids)s::uuid[]) AND status = 'RUNNING'
        """,
        {"ids": [str(id_) for id_ in execution_ids], "with_data": [str(id_) for id_ in with_data]},
    )
    return {row[0]: row for row in rows}
