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
from flowforge.db.attempts_store import AttemptKey
from flowforge.events import EXECUTION_START, ExecutionStart
from flowforge.language.plan import Step
from flowforge.operations.plans import Plans
from flowforge.secrets import Vault
from flowforge.settings import Settings


@dataclass(frozen=True, slots=True)
class StepContext:
    """Whose step it is, and what the steps before it left."""

    execution_id: UUID
    workflow_id: UUID
    user_id: UUID
    payload: dict[str, Any]
    outputs: dict[str, Any]


class StartMessages:
    """Makes execution.start messages as the settings want them."""

    def __init__(self, settings: Settings, plans: Plans, catalog: Catalog, vault: Vault) -> None:
        self._plans = plans
        self._limit = settings.payload_inline_limit
        self._in_clear = settings.topic_secrets_in_clear
        self._catalog = catalog
        self._vault = vault

    def message(
        self, context: StepContext, step: Step, attempt: int, iteration: int = 0, *, by_reference: bool = False
    ) -> Message:
        """What is larger than the inline limit goes without payload and outputs: the execution's row holds them."""
        start = ExecutionStart(
            execution_id=context.execution_id,
            workflow_id=context.workflow_id,
            user_id=context.user_id,
            step_index=step.index,
            action_type=step.type,
            action_config=self._config(step),
            trigger_payload={} if by_reference else context.payload,
            context={} if by_reference else {"trigger": context.payload, "steps": context.outputs},
            iteration=iteration,
            attempt=attempt,
            by_reference=by_reference or None,
            timestamp=datetime.now(UTC),
        )
        message = Message.of(EXECUTION_START, start)
        if len(message.value) > self._limit and not by_reference:
            return self.message(context, step, attempt, iteration, by_reference=True)
        return message

    def again(self, connection: Connection, keys: Sequence[AttemptKey]) -> list[Message]:
        """The messages of attempts that PostgreSQL shows as queued. Executions that are over get none."""
        contexts = _contexts(connection, {key[0] for key in keys})
        versions = self._plans.get(connection, {version for _, version in contexts.values() if version})
        messages = []
        for execution_id, step_index, iteration, attempt in keys:
            context, version_id = contexts.get(execution_id, (None, None))
            version = versions.get(version_id) if version_id else None
            step = version.plan.step(step_index) if version else None
            if context and step:
                messages.append(self.message(context, step, attempt, iteration))
        return messages

    def _config(self, step: Step) -> dict[str, Any]:
        if not self._in_clear or step.type not in self._catalog.types():
            return step.config
        return self._catalog.open(step.type, step.config, self._vault)


def _contexts(connection: Connection, execution_ids: set[UUID]) -> dict[UUID, tuple[StepContext, UUID | None]]:
    rows = connection.exec_driver_sql(
        """
        SELECT id, workflow_id, user_id, COALESCE(trigger_payload, '{}'), COALESCE(step_outputs, '{}'), version_id
        FROM orchestrator.workflow_executions WHERE id = ANY(%(ids)s::uuid[]) AND status = 'RUNNING'
        """,
        {"ids": [str(id_) for id_ in execution_ids]},
    )
    return {row[0]: (StepContext(row[0], row[1], row[2], row[3], row[4]), row[5]) for row in rows}
