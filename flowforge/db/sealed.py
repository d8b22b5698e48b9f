"""The columns that hold sealed secrets, and how these get under a new key."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Engine, String, cast, select
from sqlalchemy.orm import InstrumentedAttribute

from flowforge.db.adoption import SealingCatalog
from flowforge.db.json_columns import BATCH, rewrite
from flowforge.db.tables import (
    Connection,
    DeletedWorkflow,
    NamedSecret,
    OAuthGrant,
    OAuthSignIn,
    TriggerRegistration,
    User,
    Workflow,
    WorkflowDraft,
    WorkflowVersion,
)
from flowforge.jsonio import JsonObject
from flowforge.language.tree import map_actions
from flowforge.secret_names import change_secrets
from flowforge.secrets import SEALED_PREFIX, Vault, is_sealed

SEALED_COLUMNS: tuple[InstrumentedAttribute[Any], ...] = (
    Workflow.trigger_definition,
    Workflow.actions_definition,
    WorkflowVersion.definition,
    WorkflowDraft.definition,
    DeletedWorkflow.kept,
    TriggerRegistration.configuration,
    Connection.config,
    NamedSecret.value,
    OAuthGrant.tokens,
    OAuthSignIn.secret,
    User.totp_secret,
)


def reseal(engine: Engine, vault: Vault, batch: int = BATCH) -> int:
    """Puts every sealed value under the vault's newest key; the number of rows changed.

    May be repeated, and stopped at any moment: a value is always under one of the vault's keys. A row that is changed
    meanwhile is left alone: that change has sealed it with the newest key. Raises SecretUnreadable.
    """
    change = partial(rotated, vault=vault)
    return sum(rewrite(engine, column, change, _holds_sealed(column), batch) for column in SEALED_COLUMNS)


def seal_clear(engine: Engine, vault: Vault, catalog: SealingCatalog, batch: int = BATCH) -> int:
    """Seals what an earlier release stored in clear, because it did not take it for a secret; the number of rows
    changed. Looks at every saved workflow. May be repeated, and stopped at any moment."""

    def seal(action: JsonObject) -> JsonObject:
        type_, config = str(action.get("type")), action.get("config")
        if not isinstance(config, dict):
            return action
        return {**action, "config": catalog.seal(type_, config, vault, None, stored_here=True)}

    def seal_definition(definition: JsonObject) -> JsonObject:
        return {**definition, "actions": map_actions(definition.get("actions"), seal)}

    templated = WorkflowVersion.templated.is_(True)
    saved_here = Workflow.version_id.in_(select(WorkflowVersion.id).where(templated))
    current = rewrite(
        engine, Workflow.actions_definition, lambda actions: map_actions(actions, seal), saved_here, batch
    )
    return current + rewrite(engine, WorkflowVersion.definition, seal_definition, templated, batch)


def _holds_sealed(column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return cast(column, String).contains(SEALED_PREFIX)


def rotated(value: Any, vault: Vault) -> Any:
    """Return the JSON value with its sealed strings under the vault's newest key."""
    if isinstance(value, dict):
        return {key: rotated(item, vault) for key, item in value.items()}
    if isinstance(value, list):
        return [rotated(item, vault) for item in value]
    if isinstance(value, str) and SEALED_PREFIX in value:
        return vault.rotate(value) if is_sealed(value) else change_secrets(value, lambda text, _: _rotated(text, vault))
    return value


def _rotated(part: str, vault: Vault) -> str:
    """A part of an address."""
    return vault.rotate(part) if is_sealed(part) else part
