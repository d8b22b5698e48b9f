"""Trigger registrations: what makes a workflow start (contract.md, sections 1.1, 1.2 and 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flowforge.db.tables import TriggerRegistration, Workflow
from flowforge.errors import Invalid, NotFound, Problem
from flowforge.mailbox import Mailbox, Server
from flowforge.schedule import Schedule
from flowforge.secrets import MASK, Vault, mask_fields, open_fields, seal_fields
from flowforge.settings import Settings

TYPES = ("webhook", "scheduler", "email")
SECRETS = ("password",)
_SHOWN_FIRE_TIMES = 5
_TIMED = {"intervalMinutes", "cron", "timeZone", "catchUp", "scheduleTime"}


@dataclass(frozen=True, slots=True)
class Triggers:
    """The operations, with what they need besides the session. Each commits."""

    settings: Settings
    vault: Vault

    def create(self, session: Session, user_id: UUID, raw: Mapping[str, Any]) -> TriggerRegistration:
        """Takes over the registration a workflow's own trigger made, so that there is only one. Raises Invalid,
        NotFound."""
        workflow_id = _workflow_id(raw)
        kind = _type(raw.get("triggerType"), "/triggerType")
        enabled = _flag(raw.get("enabled"), True)
        configuration = self._configuration(kind, raw.get("configuration"), None)
        if session.scalar(select(Workflow.id).where(Workflow.id == workflow_id, Workflow.user_id == user_id)) is None:
            raise NotFound("there is no such workflow")
        row = _managed(session, workflow_id, kind)
        if row is None:
            row = TriggerRegistration(workflow_id=workflow_id, user_id=user_id, trigger_type=kind)
            session.add(row)
        row.managed = None
        self._write(row, configuration, enabled)
        session.commit()
        return row

    def all(self, session: Session, user_id: UUID, workflow_id: UUID | None = None) -> list[TriggerRegistration]:
        statement = select(TriggerRegistration).where(TriggerRegistration.user_id == user_id)
        if workflow_id is not None:
            statement = statement.where(TriggerRegistration.workflow_id == workflow_id)
        return list(session.scalars(statement.order_by(TriggerRegistration.created_at, TriggerRegistration.id)))

    def update(self, session: Session, user_id: UUID, trigger_id: UUID, raw: Mapping[str, Any]) -> TriggerRegistration:
        """What is omitted is kept; the type and the workflow never change. Raises Invalid, NotFound."""
        row = self.get(session, user_id, trigger_id)
        configuration = row.configuration or {}
        if raw.get("configuration") is not None:
            configuration = self._configuration(row.trigger_type.lower(), raw["configuration"], row.configuration)
        self._write(row, configuration, _flag(raw.get("enabled"), row.enabled))
        session.commit()
        return row

    def delete(self, session: Session, user_id: UUID, trigger_id: UUID) -> None:
        session.delete(self.get(session, user_id, trigger_id))
        session.commit()

    def get(self, session: Session, user_id: UUID, trigger_id: UUID) -> TriggerRegistration:
        """Raises NotFound."""
        row = session.scalar(
            select(TriggerRegistration).where(
                TriggerRegistration.id == trigger_id, TriggerRegistration.user_id == user_id
            )
        )
        if row is None:
            raise NotFound("there is no such trigger")
        return row

    def manage(self, session: Session, workflow: Workflow, trigger: Mapping[str, Any] | None) -> None:
        """Makes the managed registration fit the workflow's own `trigger`; the caller commits. Raises Invalid.

        A registration that a client made for the same type is left to the client.
        """
        own = session.scalar(
            select(TriggerRegistration).where(
                TriggerRegistration.workflow_id == workflow.id, TriggerRegistration.managed.is_(True)
            )
        )
        kind = str(trigger["type"]).lower() if trigger else None
        if kind not in TYPES:
            kind = None  # `manual`, or nothing: started by hand only
        if own is not None and own.trigger_type != kind:
            session.delete(own)
            own = None
        if kind is None or trigger is None:
            return
        if own is None:
            if _of_client(session, workflow.id, kind) is not None:
                return
            own = TriggerRegistration(
                workflow_id=workflow.id, user_id=workflow.user_id, trigger_type=kind, managed=True
            )
            session.add(own)
        own.managed = True
        self._write(own, dict(trigger.get("config") or {}), workflow.enabled)

    def validate(self, kind: str, config: Any, pointer: str) -> list[Problem]:
        """What keeps a configuration from being used; secrets in it are in clear or masked."""
        if config is not None and not isinstance(config, dict):
            return [Problem(pointer, "must be an object")]
        try:
            self._check(kind, config or {})
        except Invalid as error:
            return [problem.under(pointer) for problem in error.problems]
        return []

    def seal(self, config: Mapping[str, Any], previous: Mapping[str, Any] | None) -> dict[str, Any]:
        return seal_fields(config, SECRETS, self.vault, previous)

    def fire_times(self, row: TriggerRegistration) -> list[datetime]:
        """The next five; empty for what is not a schedule, not enabled, or not readable."""
        if row.trigger_type.lower() != "scheduler" or not row.enabled or row.next_scheduled_at is None:
            return []
        try:
            schedule = Schedule.parse(row.configuration or {})
        except Invalid:
            return []
        first = row.next_scheduled_at
        return [first, *schedule.upcoming(first, _SHOWN_FIRE_TIMES - 1, first)]

    def _configuration(self, kind: str, raw: Any, previous: Mapping[str, Any] | None) -> dict[str, Any]:
        problems = self.validate(kind, raw, "/configuration")
        if problems:
            raise Invalid(problems)
        return self.seal(raw or {}, previous)

    def _check(self, kind: str, config: Mapping[str, Any]) -> None:
        if kind == "scheduler":
            Schedule.parse(config)
        elif kind == "email":
            default = Server(
                self.settings.email_imap_host, self.settings.email_imap_port, self.settings.email_imap_secure
            )
            clear = config if config.get("password") == MASK else open_fields(config, SECRETS, self.vault)
            Mailbox.parse(clear, default)

    def _write(self, row: TriggerRegistration, configuration: dict[str, Any], enabled: bool) -> None:
        before = {name: value for name, value in (row.configuration or {}).items() if name in _TIMED}
        after = {name: value for name, value in configuration.items() if name in _TIMED}
        retimed = row.next_scheduled_at is None or before != after or (enabled and not row.enabled)
        row.configuration, row.enabled = configuration, enabled
        if row.trigger_type == "webhook":
            row.webhook_token = row.webhook_token or str(uuid4())
            row.webhook_url = f"{self.settings.public_webhook_base}/webhook/{row.webhook_token}"
        elif row.trigger_type == "scheduler" and retimed:
            row.next_scheduled_at = Schedule.parse(configuration).next_after(datetime.now(UTC))
        elif row.trigger_type == "email" and retimed:
            row.next_scheduled_at = datetime.now(UTC)


def trigger_fields(triggers: Triggers, row: TriggerRegistration) -> dict[str, Any]:
    """A trigger as the API shows it: the contract's fields, then ours."""
    return {
        "id": row.id,
        "workflowId": row.workflow_id,
        "userId": row.user_id,
        "triggerType": row.trigger_type.lower(),
        "configuration": mask_fields(row.configuration or {}, SECRETS),
        "enabled": row.enabled,
        "webhookUrl": row.webhook_url,
        "webhookToken": row.webhook_token,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "managed": bool(row.managed),
        "nextFireTimes": triggers.fire_times(row),
        "health": {
            "lastTriggeredAt": row.last_triggered_at,
            "lastSuccessAt": row.last_success_at,
            "lastErrorAt": row.last_error_at,
            "lastError": row.last_error,
        },
    }


def _managed(session: Session, workflow_id: UUID, kind: str) -> TriggerRegistration | None:
    return session.scalar(
        select(TriggerRegistration).where(
            TriggerRegistration.workflow_id == workflow_id,
            func.lower(TriggerRegistration.trigger_type) == kind,
            TriggerRegistration.managed.is_(True),
        )
    )


def _of_client(session: Session, workflow_id: UUID, kind: str) -> UUID | None:
    return session.scalar(
        select(TriggerRegistration.id)
        .where(TriggerRegistration.workflow_id == workflow_id, func.lower(TriggerRegistration.trigger_type) == kind)
        .where(TriggerRegistration.managed.is_not(True))
        .limit(1)
    )


def _workflow_id(raw: Mapping[str, Any]) -> UUID:
    value = raw.get("workflowId")
    if value is None:
        raise Invalid.at("/workflowId", "is required")
    try:
        return UUID(str(value))
    except ValueError as error:
        raise Invalid.at("/workflowId", "is not a UUID") from error


def _type(value: Any, pointer: str) -> str:
    kind = value.lower() if isinstance(value, str) else value
    if kind not in TYPES:
        raise Invalid.at(pointer, "is required" if value is None else f"must be one of {', '.join(TYPES)}")
    return str(kind)


def _flag(value: Any, default: bool) -> bool:
    if value is None:
        return default
    if not isinstance(value, bool):
        raise Invalid.at("/enabled", "must be true or false")
    return value
