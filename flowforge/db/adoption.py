"""Rows of the original implementations get what ours have: secrets sealed, and an end.

What they kept in clear text were mail passwords, action secrets and refresh tokens. Rows saved by us are sealed
already. A row keeps its `updated_at`: nobody has edited it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Engine, func, literal, or_, select, text, update

from flowforge.db.json_columns import rewrite
from flowforge.db.tables import ExecutionRow, TriggerRegistration, User, Workflow, WorkflowVersion
from flowforge.jsonio import JsonObject
from flowforge.secrets import Vault, seal_fields

MAIL_SECRETS = ("password",)
_HASHED = "sha256:"
_IN_FLIGHT = ("PENDING", "RUNNING")
_ENDED = ("COMPLETED", "FAILED", "CANCELLED")
IN_FLIGHT = "This execution was under way when FlowForge took over from another installation, which did not end it."
_LONGEST_UPDATE = "15min"


class SealingCatalog(Protocol):
    """Knows which fields of an action's config are secret."""

    def seal(
        self,
        type_: str,
        config: Mapping[str, Any],
        vault: Vault,
        previous: Mapping[str, Any] | None,
        *,
        literal: bool = False,
        stored_here: bool = False,
    ) -> JsonObject: ...


def seal_adopted_secrets(engine: Engine, vault: Vault, catalog: SealingCatalog) -> int:
    """Returns how many rows changed. May be repeated, and stopped at any moment; what is sealed stays as it is."""
    seal = _Sealer(vault, catalog)
    literally = WorkflowVersion.templated.is_(False)
    never_saved_here = or_(
        Workflow.version_id.is_(None), Workflow.version_id.in_(select(WorkflowVersion.id).where(literally))
    )
    has_password = TriggerRegistration.configuration.has_key("password")
    return (
        rewrite(engine, TriggerRegistration.configuration, seal.mailbox, has_password)
        + rewrite(engine, Workflow.trigger_definition, seal.trigger, never_saved_here)
        + rewrite(engine, Workflow.actions_definition, seal.actions, never_saved_here)
        + rewrite(engine, WorkflowVersion.definition, seal.definition, literally)
        + _hide_refresh_tokens(engine)
    )


def date_finished_executions(engine: Engine) -> int:
    """Executions that the originals finished get a `finished_at`, without which they would be kept for ever.

    Returns how many. Ours have an event, so the index on it leads straight to the others.
    """
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{_LONGEST_UPDATE}'"))
        ended = ExecutionRow.event_id.is_(None) & ExecutionRow.finished_at.is_(None) & ExecutionRow.status.in_(_ENDED)
        when = {"finished_at": ExecutionRow.updated_at, "updated_at": ExecutionRow.updated_at}
        return connection.execute(update(ExecutionRow).where(ended).values(when)).rowcount


def end_executions_in_flight(engine: Engine) -> int:
    """Fails the executions that the originals had begun and not ended: nobody else will. Returns how many.

    Which message of theirs was sent last is written nowhere (contract.md, section 7), so that going on could do a step
    twice.
    """
    in_flight = ExecutionRow.event_id.is_(None) & ExecutionRow.status.in_(_IN_FLIGHT)
    failed = {"status": "FAILED", "error": {"message": IN_FLIGHT}, "finished_at": func.now(), "updated_at": func.now()}
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{_LONGEST_UPDATE}'"))
        return connection.execute(update(ExecutionRow).where(in_flight).values(failed)).rowcount


def stored_forms(refresh_token: str) -> list[str]:
    """The values that `users.refresh_token` may hold for a token that a client presents: itself, or its hash."""
    if refresh_token.startswith(_HASHED):  # or a stored hash would do as a token
        return [_hash(refresh_token)]
    return [_hash(refresh_token), refresh_token]


@dataclass(frozen=True, slots=True)
class _Sealer:
    """Each method takes a JSON value of whatever shape was found, and returns it sealed."""

    vault: Vault
    catalog: SealingCatalog

    def mailbox(self, config: Any) -> Any:
        if not isinstance(config, dict):
            return config
        return seal_fields(config, MAIL_SECRETS, self.vault, literal=True, stored_here=True)

    def trigger(self, trigger: Any) -> Any:
        return {**trigger, "config": self.mailbox(trigger["config"])} if _has_config(trigger) else trigger

    def actions(self, actions: Any) -> Any:
        return [self._action(action) for action in actions] if isinstance(actions, list) else actions

    def definition(self, definition: Any) -> Any:
        trigger, actions = self.trigger(definition.get("trigger")), self.actions(definition.get("actions"))
        return {**definition, "trigger": trigger, "actions": actions}

    def _action(self, action: Any) -> Any:
        if not _has_config(action):
            return action
        type_, config = str(action.get("type")), action["config"]
        return {**action, "config": self.catalog.seal(type_, config, self.vault, None, literal=True, stored_here=True)}


def _has_config(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("config"), dict)


def _hide_refresh_tokens(engine: Engine) -> int:
    """Hashes refresh tokens that may still be used (once, see `stored_forms`), and deletes the expired ones."""
    clear = User.refresh_token.is_not(None) & ~User.refresh_token.startswith(_HASHED)
    expired = User.refresh_token.is_not(None) & (User.refresh_token_expiry_date < func.now())
    digest = func.encode(func.sha256(func.convert_to(User.refresh_token, "UTF8")), "hex")
    kept = {"updated_at": User.updated_at}
    with engine.begin() as connection:
        forget = update(User).where(expired).values({"refresh_token": None, "refresh_token_expiry_date": None} | kept)
        hide = update(User).where(clear).values({"refresh_token": literal(_HASHED) + digest} | kept)
        return connection.execute(forget).rowcount + connection.execute(hide).rowcount


def _hash(token: str) -> str:
    return _HASHED + hashlib.sha256(token.encode()).hexdigest()
