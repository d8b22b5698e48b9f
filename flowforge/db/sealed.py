"""The places where sealed secrets lie in PostgreSQL, and how they get under a new key."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, String, cast, select, update
from sqlalchemy.orm import InstrumentedAttribute

from flowforge.db.tables import TriggerRegistration, Workflow, WorkflowVersion
from flowforge.secrets import Vault, is_sealed

SEALED_COLUMNS: tuple[InstrumentedAttribute[Any], ...] = (
    Workflow.trigger_definition,
    Workflow.actions_definition,
    WorkflowVersion.definition,
    TriggerRegistration.configuration,
)
_BATCH = 200


def reseal(engine: Engine, vault: Vault) -> int:
    """Puts every sealed value under the vault's newest key; the number of rows changed.

    May be repeated, and stopped at any moment: a value is always under one of the vault's keys. A row that somebody
    changes meanwhile is left to them, since they seal with the newest key too. Raises SecretUnreadable.
    """
    return sum(_reseal_column(engine, vault, column) for column in SEALED_COLUMNS)


def _reseal_column(engine: Engine, vault: Vault, column: InstrumentedAttribute[Any]) -> int:
    key = column.class_.id
    page = select(key, column).where(cast(column, String).contains('"enc:v1:')).order_by(key).limit(_BATCH)
    changed, last = 0, None
    while True:
        with engine.begin() as connection:
            rows = connection.execute(page if last is None else page.where(key > last)).all()
            for identity, value in rows:
                same_row = (key == identity) & (column == value)
                result = connection.execute(
                    update(column.class_).where(same_row).values({column: rotated(value, vault)})
                )
                changed += result.rowcount
        if not rows:
            return changed
        last = rows[-1][0]


def rotated(value: Any, vault: Vault) -> Any:
    """The same JSON value, its sealed strings under the vault's newest key."""
    if isinstance(value, dict):
        return {key: rotated(item, vault) for key, item in value.items()}
    if isinstance(value, list):
        return [rotated(item, vault) for item in value]
    return vault.rotate(value) if is_sealed(value) else value
