"""Trigger registrations: what makes a workflow start (contract.md, sections 1.1, 1.2 and 6)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.tables import TriggerRegistration, Workflow
from flowforge.engine.account_access import AccountAccess
from flowforge.engine.intake import KnownToken
from flowforge.errors import MAX_PROBLEMS, Invalid, NotFound, Problem, raise_any
from flowforge.jsonio import JsonObject
from flowforge.secrets import SecretUnreadable, Vault, mask_fields, open_fields, seal_fields, unmask_fields
from flowforge.sentences import sentence
from flowforge.settings import Settings
from flowforge.triggers.changes import CONFIGURATION, NewTrigger, TriggerChange
from flowforge.triggers.connected import problems_of_connection
from flowforge.triggers.kind import Address, Registered, TrialResult, TriggerKind
from flowforge.triggers.kinds import find_kind, find_registered_kind, secret_keys
from flowforge.triggers.kinds.webhook import WEBHOOK
from flowforge.triggers.renewals import Renewal, find_by_former_token, replace_token
from flowforge.triggers.validation import problems_of_config, warnings_of_config
from flowforge.triggers.views import AddressedTrigger, TriggerHealth, TriggerView
from flowforge.triggers.webhooks.hook import Hook, read_hook
from flowforge.views import view_of
from flowforge.wiring import Backends

SHOWN_FIRE_TIMES = 5
TEST_SECONDS = 20.0
MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Triggers:
    """The operations, with what they need besides the session. Each commits."""

    settings: Settings
    vault: Vault

    def create(self, session: Session, user_id: UUID, wanted: NewTrigger) -> TriggerView:
        """Takes over the registration a workflow's own trigger made, so that there is only one. Raises NotFound."""
        mine = select(Workflow.id).where(Workflow.id == wanted.workflow_id, Workflow.user_id == user_id)
        if session.scalar(mine.with_for_update()) is None:  # held, so that it is not deleted meanwhile
            raise NotFound(sentence("there is no such workflow"))
        raise_any(problems_of_connection(session, user_id, wanted.kind, wanted.configuration, CONFIGURATION))
        row = _managed(session, wanted.workflow_id, wanted.kind.type)
        if row is None:
            row = TriggerRegistration(workflow_id=wanted.workflow_id, user_id=user_id, trigger_type=wanted.kind.type)
            session.add(row)
        row.managed = None
        self._write(row, self.seal(wanted.configuration, None), wanted.enabled)
        session.flush()
        _record(session, Action.TRIGGER_CREATED, row)
        session.commit()
        return self.view(row)

    def all(
        self,
        session: Session,
        user_id: UUID,
        workflow_id: UUID | None = None,
        *,
        page: int = 0,
        size: int = MOST_LISTED,
    ) -> Sequence[TriggerView]:
        """List triggers, oldest first, secrets masked."""
        statement = select(TriggerRegistration).where(TriggerRegistration.user_id == user_id)
        if workflow_id is not None:
            statement = statement.where(TriggerRegistration.workflow_id == workflow_id)
        oldest_first = statement.order_by(TriggerRegistration.created_at, TriggerRegistration.id)
        return [self.view(row) for row in session.scalars(oldest_first.offset(page * size).limit(size))]

    def update(self, session: Session, user_id: UUID, trigger_id: UUID, change: TriggerChange) -> TriggerView:
        """Change a registration; omitted fields are kept, the type and the workflow never change. Raises Invalid,
        NotFound.

        The client's from now on: saving the workflow does not undo what was set here.
        """
        row = self._load(session, user_id, trigger_id)
        stored, changed = configuration_of(row), change.configuration
        enabled = row.enabled if change.enabled is None else change.enabled
        problems = [*change.problems]
        if changed is not None or (enabled and not row.enabled and not problems):
            wanted = stored if changed is None else changed
            kind = find_kind(row.trigger_type)
            problems += problems_of_config(kind, wanted, CONFIGURATION, stored)
            problems += problems_of_connection(session, user_id, kind, wanted, CONFIGURATION)
        raise_any(problems)
        row.managed = None
        self._write(row, stored if changed is None else self.seal(changed, stored), enabled)
        _record(session, Action.TRIGGER_CHANGED, row)
        session.commit()
        return self.view(row)

    def renew(self, session: Session, user_id: UUID, trigger_id: UUID, renewal: Renewal) -> TriggerView:
        """Give a trigger another address; the former one goes on for the time of overlap. A secret that a provider
        handed out to the former one ends with it. Raises Invalid for a trigger without an address, and NotFound."""
        row = self._load(session, user_id, trigger_id)
        kind = find_kind(row.trigger_type)
        if kind is None or kind.address is None:
            raise Invalid.at("", sentence("this trigger has no address"))
        replace_token(session, row, renewal)
        self._address(row, kind.address)
        row.configuration = kind.without_what_came(configuration_of(row))
        _record(session, Action.TRIGGER_RENEWED, row)
        session.commit()
        return self.view(row)

    def delete(self, session: Session, user_id: UUID, trigger_id: UUID) -> None:
        row = self._load(session, user_id, trigger_id)
        _record(session, Action.TRIGGER_DELETED, row)
        session.delete(row)
        session.commit()

    def get(self, session: Session, user_id: UUID, trigger_id: UUID) -> TriggerView:
        """Get a trigger, its secrets masked. Raises NotFound."""
        return self.view(self._load(session, user_id, trigger_id))

    def hook(self, session: Session, user_id: UUID, trigger_id: UUID) -> Hook:
        """The webhook that a trigger declares, secrets in clear. Raises NotFound, Unavailable."""
        row = self._load(session, user_id, trigger_id)
        if row.trigger_type.lower() != WEBHOOK:
            raise NotFound(sentence("this trigger is no webhook"))
        return read_hook(jsonio.dumps(configuration_of(row)).decode(), self.vault)

    def _load(self, session: Session, user_id: UUID, trigger_id: UUID) -> TriggerRegistration:
        """Raises NotFound."""
        row = session.scalar(
            select(TriggerRegistration).where(
                TriggerRegistration.id == trigger_id, TriggerRegistration.user_id == user_id
            )
        )
        if row is None:
            raise NotFound(sentence("there is no such trigger"))
        return row

    def at_address(self, session: Session, kind: TriggerKind[Any], token: str) -> AddressedTrigger:
        """Find the trigger of that kind, of any owner, that has the token in its address, or had it and still goes on
        there. Raises NotFound."""
        row = session.scalar(select(TriggerRegistration).where(TriggerRegistration.webhook_token == token))
        row = row or find_by_former_token(session, token)
        if row is None or row.webhook_token is None or row.trigger_type.lower() != kind.type:
            raise NotFound(sentence("there is nothing at this address"))
        return AddressedTrigger(row.id, row.user_id, row.webhook_token, row.enabled, configuration_of(row))

    def keep_secret(self, session: Session, known: KnownToken, secret: str) -> bool:
        """Keep the secret that a provider hands out in its handshake. False where the trigger has been changed since
        its token was looked up."""
        row = session.scalar(
            select(TriggerRegistration).where(TriggerRegistration.webhook_token == known.token).with_for_update()
        )
        if row is None or configuration_of(row) != (jsonio.loads(known.configuration) or {}):
            return False
        row.configuration = {**configuration_of(row), "secret": self.vault.seal(secret)}
        _record(session, Action.TRIGGER_CHANGED, row)
        session.commit()
        return True

    def view(self, row: TriggerRegistration) -> TriggerView:
        return view_of(
            TriggerView,
            row,
            trigger_type=row.trigger_type.lower(),
            configuration=self.masked(configuration_of(row)),
            managed=bool(row.managed),
            next_fire_times=_fire_times(row),
            health=view_of(TriggerHealth, row),
            warnings=_warnings(row),
        )

    def manage(self, session: Session, workflow: Workflow, trigger: Mapping[str, Any] | None) -> None:
        """Makes the managed registration fit the workflow's own `trigger`; the caller commits. Raises Invalid.

        A registration that a client made for the same type is left to the client.
        """
        own = session.scalar(
            select(TriggerRegistration).where(
                TriggerRegistration.workflow_id == workflow.id, TriggerRegistration.managed.is_(True)
            )
        )
        trigger = trigger if isinstance(trigger, dict) else None  # an adopted one may be anything
        kind = find_registered_kind(trigger.get("type")) if trigger else None
        if own is not None and (kind is None or own.trigger_type != kind.type):
            session.delete(own)
            own = None
        if kind is None or trigger is None:
            return
        if own is None:
            if _of_client(session, workflow.id, kind.type) is not None:
                return
            own = TriggerRegistration(
                workflow_id=workflow.id, user_id=workflow.user_id, trigger_type=kind.type, managed=True
            )
            session.add(own)
        written = trigger.get("config")
        config = kind.in_zone(written if isinstance(written, dict) else {}, (workflow.settings or {}).get("timeZone"))
        if workflow.enabled:
            raise_any(problems_of_config(kind, config, "/trigger/config", config))
        self._write(own, config, workflow.enabled)

    def seal(self, config: Mapping[str, Any], previous: Mapping[str, Any] | None) -> JsonObject:
        return seal_fields(config, secret_keys(), self.vault, previous, literal=True)

    def masked(self, config: Mapping[str, Any]) -> JsonObject:
        return mask_fields(config, secret_keys(), literal=True)

    def unmasked(self, config: Mapping[str, Any], stored: Mapping[str, Any] | None) -> JsonObject:
        """Replace each mask by its secret in `stored`."""
        return unmask_fields(config, secret_keys(), stored)

    def opened(self, config: Mapping[str, Any]) -> JsonObject:
        """Decrypt the secrets of a config. Raises SecretUnreadable."""
        return open_fields(config, secret_keys(), self.vault)

    def test(self, session: Session, backends: Backends, user_id: UUID, trigger_id: UUID) -> TrialResult:
        """Tries a trigger out. Ends the session's transaction first: what is called may take its time.

        Raises NotFound, Unavailable, and Invalid for a trigger of a kind that cannot be tried out.
        """
        row = self._load(session, user_id, trigger_id)
        type_, configuration = row.trigger_type, configuration_of(row)
        session.rollback()
        try:
            return self.test_configuration(backends, user_id, type_, self.opened(configuration))
        except SecretUnreadable as error:
            return TrialResult("the trigger", str(error))

    def test_configuration(
        self, backends: Backends, user_id: UUID, type_: object, configuration: Mapping[str, Any]
    ) -> TrialResult:
        """Test a trigger that is being written; its secrets are in clear. Raises Invalid, Unavailable."""
        kind = find_kind(type_)
        if kind is None:
            raise Invalid.at("/triggerType", sentence("there is no such kind of trigger"))
        return kind.test(configuration, AccountAccess(backends, user_id, time.monotonic() + TEST_SECONDS))

    def _write(self, row: TriggerRegistration, configuration: JsonObject, enabled: bool) -> None:
        row.trigger_type = row.trigger_type.lower()
        kind = find_kind(row.trigger_type)
        if kind is not None and enabled:
            before = Registered(row.next_scheduled_at, bool(row.enabled), configuration_of(row))
            row.next_scheduled_at = kind.due_at(configuration, before, datetime.now(UTC))
        if kind is not None:
            configuration = kind.kept(configuration_of(row), configuration)
        if kind is not None and kind.address is not None:
            row.webhook_token = row.webhook_token or str(uuid4())
            self._address(row, kind.address)
        row.configuration, row.enabled = configuration, enabled

    def _address(self, row: TriggerRegistration, address: Address) -> None:
        row.webhook_url = f"{self.settings.public_webhook_base}/{address.path}/{row.webhook_token}"


def _record(session: Session, action: Action, row: TriggerRegistration) -> None:
    kind, workflow_id, is_enabled = row.trigger_type.lower(), str(row.workflow_id), bool(row.enabled)
    record(session, action, by=row.user_id, on=row.id, named=kind, workflow=workflow_id, enabled=is_enabled)


def _warnings(row: TriggerRegistration) -> list[Problem] | None:
    kind = find_kind(row.trigger_type)
    found = warnings_of_config(kind, configuration_of(row), ("configuration",)) if kind else ()
    return list(islice(found, MAX_PROBLEMS)) or None


def _fire_times(row: TriggerRegistration) -> list[datetime]:
    """The next five; empty for what is not a schedule, not enabled, or not readable."""
    kind, first = find_kind(row.trigger_type), row.next_scheduled_at
    if kind is None or not kind.has_times or not row.enabled or first is None:
        return []
    later = kind.upcoming(configuration_of(row), first, SHOWN_FIRE_TIMES - 1)
    return [first, *later] if later else []


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


def configuration_of(row: TriggerRegistration) -> JsonObject:
    """Empty where an adopted row holds something else."""
    return row.configuration if isinstance(row.configuration, dict) else {}
