"""Workflows: saved as versions, secrets sealed, the own trigger registered (contract.md, 1.1 and 1.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from flowforge.bus import EventBus
from flowforge.connectors.catalog import Catalog
from flowforge.db.tables import TriggerRegistration, Workflow, WorkflowVersion
from flowforge.errors import Conflict, Invalid, NotFound, Problem
from flowforge.ids import uuid7
from flowforge.language.check import check
from flowforge.language.definition import WorkflowDefinition, parse
from flowforge.operations import intake
from flowforge.operations.intake import NewEvent
from flowforge.operations.triggers import SECRETS, Triggers
from flowforge.secrets import Vault, mask_fields


@dataclass(frozen=True, slots=True)
class Started:
    execution_id: UUID
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Workflows:
    """The operations, with what they need besides the session. Each commits."""

    catalog: Catalog
    vault: Vault
    triggers: Triggers

    def create(self, session: Session, user_id: UUID, raw: Mapping[str, Any]) -> Workflow:
        """Raises Invalid with every problem there is."""
        enabled = _flag(raw.get("enabled"), True)
        definition = self._read({"actions": [], **_present(raw)})
        workflow = Workflow(id=uuid7(), user_id=user_id, name=definition.name, enabled=enabled)
        session.add(workflow)
        self._save(session, workflow, definition, user_id)
        return workflow

    def all(self, session: Session, user_id: UUID) -> Sequence[Workflow]:
        """Newest first."""
        mine = select(Workflow).where(Workflow.user_id == user_id)
        return session.scalars(mine.order_by(Workflow.created_at.desc(), Workflow.id.desc())).all()

    def get(self, session: Session, user_id: UUID, workflow_id: UUID) -> Workflow:
        """Raises NotFound."""
        mine = select(Workflow).where(Workflow.id == workflow_id, Workflow.user_id == user_id)
        workflow = session.scalar(mine)
        if workflow is None:
            raise NotFound("there is no such workflow")
        return workflow

    def update(self, session: Session, user_id: UUID, workflow_id: UUID, raw: Mapping[str, Any]) -> Workflow:
        """A full replacement, but what is omitted is kept: nothing is lost by accident. Raises Invalid, NotFound."""
        mine = select(Workflow).where(Workflow.id == workflow_id, Workflow.user_id == user_id)
        workflow = session.scalar(mine.with_for_update())
        if workflow is None:
            raise NotFound("there is no such workflow")
        workflow.enabled = _flag(raw.get("enabled"), workflow.enabled)
        kept = {"trigger": workflow.trigger_definition, "actions": workflow.actions_definition or []}
        given = _present(raw)
        if given.keys() <= {"enabled"}:
            self.triggers.manage(session, workflow, workflow.trigger_definition)
            session.commit()
            return workflow
        definition = self._read({**kept, **given})
        workflow.name = definition.name
        self._save(session, workflow, definition, user_id)
        return workflow

    def delete(self, session: Session, user_id: UUID, workflow_id: UUID) -> None:
        """Its triggers go with it; its executions stay readable."""
        workflow = self.get(session, user_id, workflow_id)
        session.execute(delete(TriggerRegistration).where(TriggerRegistration.workflow_id == workflow.id))
        session.delete(workflow)
        session.commit()

    def start(
        self, session: Session, bus: EventBus, user_id: UUID, workflow_id: UUID, payload: dict[str, Any]
    ) -> Started:
        """Starts it by hand. Raises NotFound, and Conflict for a disabled one."""
        workflow = self.get(session, user_id, workflow_id)
        if not workflow.enabled:
            raise Conflict("the workflow is disabled; enable it to run it")
        event = NewEvent(None, workflow.id, user_id, "manual", payload, {"source": "manual"}, execution_id=uuid7())
        intake.record(session.connection(), [event])
        session.commit()
        intake.announce(bus, [event], inline_limit=self.triggers.settings.payload_inline_limit)
        assert event.execution_id is not None
        return Started(event.execution_id, event.event_id)

    def shown(self, workflow: Workflow) -> dict[str, Any]:
        """A workflow as the API shows it, secrets masked."""
        return {
            "id": workflow.id,
            "name": workflow.name,
            "userId": workflow.user_id,
            "enabled": workflow.enabled,
            "trigger": _masked_trigger(workflow.trigger_definition),
            "actions": [self._masked_action(action) for action in workflow.actions_definition or []],
            "createdAt": workflow.created_at,
            "updatedAt": workflow.updated_at,
        }

    def _read(self, raw: Mapping[str, Any]) -> WorkflowDefinition:
        """All problems at once: of shape first, then of meaning."""
        definition = parse(dict(raw))
        problems = check(definition)
        for index, action in enumerate(definition.actions):
            problems += self.catalog.validate(action.type, action.config, f"/actions/{index}")
        if definition.trigger is not None:
            problems += self._trigger_problems(definition)
        if problems:
            raise Invalid(problems)
        return definition

    def _trigger_problems(self, definition: WorkflowDefinition) -> list[Problem]:
        assert definition.trigger is not None
        kind = definition.trigger.type.lower()
        if kind not in {"webhook", "scheduler", "email", "manual"}:
            return [Problem("/trigger/type", "must be one of webhook, scheduler, email, manual")]
        return self.triggers.validate(kind, definition.trigger.config, "/trigger/config")

    def _save(self, session: Session, workflow: Workflow, definition: WorkflowDefinition, user_id: UUID) -> None:
        written = definition.dump()
        trigger = written["trigger"]
        if trigger is not None and trigger.get("config"):
            stored = (workflow.trigger_definition or {}).get("config")
            trigger["config"] = self.triggers.seal(trigger["config"], stored)
        actions = self._sealed_actions(written["actions"], workflow.actions_definition or [])
        workflow.trigger_definition, workflow.actions_definition = trigger, actions
        session.flush()
        version = WorkflowVersion(
            id=uuid7(),
            workflow_id=workflow.id,
            number=_next_number(session, workflow.id),
            definition={"name": definition.name, "trigger": trigger, "actions": actions},
            templated=True,
            created_by=user_id,
        )
        session.add(version)
        workflow.version_id = version.id
        self.triggers.manage(session, workflow, trigger)
        session.commit()

    def _sealed_actions(self, actions: list[dict[str, Any]], stored: list[Any]) -> list[dict[str, Any]]:
        """A mask keeps the secret of the action with the same id, or at the same place and of the same type."""
        by_id = {action["id"]: action for action in stored if isinstance(action, dict) and action.get("id")}
        sealed = []
        for index, action in enumerate(actions):
            before = by_id.get(action.get("id")) or (stored[index] if index < len(stored) else {})
            same = isinstance(before, dict) and str(before.get("type", "")).upper() == action["type"]
            previous = before.get("config") if same else None
            config = self.catalog.seal(action["type"], action.get("config") or {}, self.vault, previous)
            sealed.append({**action, "config": config} if "config" in action else action)
        return sealed

    def _masked_action(self, action: Any) -> Any:
        if not isinstance(action, dict) or not isinstance(action.get("config"), dict):
            return action
        return {**action, "config": self.catalog.mask(str(action.get("type", "")), action["config"])}


def _masked_trigger(trigger: dict[str, Any] | None) -> dict[str, Any] | None:
    if trigger is None or not isinstance(trigger.get("config"), dict):
        return trigger
    return {**trigger, "config": mask_fields(trigger["config"], SECRETS)}


def _present(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What a client sent and means: null for `actions` is the same as leaving it out."""
    return {name: value for name, value in raw.items() if not (name == "actions" and value is None)}


def _next_number(session: Session, workflow_id: UUID) -> int:
    highest = session.scalar(select(func.max(WorkflowVersion.number)).where(WorkflowVersion.workflow_id == workflow_id))
    return (highest or 0) + 1


def _flag(value: Any, default: bool) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Invalid.at("/enabled", "must be true or false")
    return value
