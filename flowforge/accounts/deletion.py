"""Deleting an account: what it has is handed over to another one, or deleted with it.

What its executions left, and their log, is deleted in the background (flowforge.engine.pruning).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete as deleted_from
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from flowforge.accounts import administration, sign_ins
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db import data_tables_store, files_store
from flowforge.db.tables import (
    ApiRow,
    Connection,
    DailyUsage,
    DataTableRow,
    DeadLetter,
    DeletedWorkflow,
    ExecutionHour,
    ExecutionRow,
    GuideRow,
    NamedSecret,
    RefreshToken,
    RemovedAccount,
    SavedFilterRow,
    TriggerEventRow,
    TriggerRegistration,
    User,
    VariableRow,
    Workflow,
    WorkflowTag,
)
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.executions import executions
from flowforge.sentences import sentence
from flowforge.wiring import Backends

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Belongings:
    workflows: int
    triggers: int
    connections: int
    secrets: int


@dataclass(frozen=True, slots=True)
class DeletedAccount:
    username: str
    handed_over_to: str | None
    """The account that has its belongings now; None: they are deleted."""
    belongings: Belongings
    cancelled: int
    """Executions that were under way, and were cancelled; those of workflows that are handed over go on."""


def belongings_of(session: Session, user_id: UUID) -> Belongings:
    return Belongings(
        _count(session, Workflow.user_id, user_id),
        _count(session, TriggerRegistration.user_id, user_id),
        _count(session, Connection.user_id, user_id),
        _count(session, NamedSecret.user_id, user_id),
    )


def delete(session: Session, backends: Backends, user_id: UUID, hand_over_to: UUID | None = None) -> DeletedAccount:
    """Commits: the account is disabled first, so that nothing of it begins meanwhile.

    Raises NotFound, Forbidden for the owner, Invalid for an heir that cannot be one, and Conflict where the heir has
    connections, secrets or keys of workflows by the same names.
    """
    heir = None if hand_over_to is None else _heir(session, user_id, hand_over_to)
    username = administration.disable(session, user_id).username
    cancelled = 0 if heir else executions.cancel_all(session, backends, user_id)
    sign_ins.lock_account(session, user_id)
    had = belongings_of(session, user_id)
    if heir is None:
        _remove(session, user_id)
    else:
        _hand_over(session, user_id, heir.id)
    name_of_heir = heir.username if heir else None
    record(session, Action.ACCOUNT_DELETED, account=user_id, handed_over_to=name_of_heir, workflows=had.workflows)
    _forget(session, user_id)
    session.commit()
    return DeletedAccount(username, name_of_heir, had, cancelled)


def _heir(session: Session, user_id: UUID, heir_id: UUID) -> administration.ManagedAccountView:
    """Checks, before anything is done, that the heir can take everything."""
    administration.find(session, user_id)
    try:
        heir = administration.find(session, heir_id)
    except NotFound as error:
        raise Invalid.at("/handOverTo", sentence("is no account")) from error
    if heir.id == user_id or heir.disabled_at is not None:
        raise Invalid.at("/handOverTo", sentence("must be another account that is not disabled"))
    _refuse_same_names(session, user_id, heir)
    return heir


def _refuse_same_names(session: Session, user_id: UUID, heir: administration.ManagedAccountView) -> None:
    for what, owner, name in (
        (sentence("connections"), Connection.user_id, Connection.name),
        (sentence("APIs"), ApiRow.user_id, ApiRow.name),
        (sentence("tables"), DataTableRow.user_id, DataTableRow.name),
        (sentence("secrets"), NamedSecret.user_id, NamedSecret.name),
        (sentence("variables"), VariableRow.user_id, VariableRow.name),
        (sentence("keys of workflows"), Workflow.user_id, Workflow.key),
    ):
        both = _names_of_both(session, owner, name, user_id, heir.id)
        if both:
            raise Conflict(
                sentence(
                    "%(username)s has %(what)s by the same names, too: %(names)s",
                    username=heir.username,
                    what=what,
                    names=", ".join(both),
                )
            )


def _names_of_both(
    session: Session, owner: InstrumentedAttribute[UUID], name: InstrumentedAttribute[Any], one: UUID, other: UUID
) -> Sequence[str]:
    named = select(name).where(owner.in_((one, other)), name.is_not(None))
    return session.scalars(named.group_by(name).having(func.count() > 1).order_by(name).limit(_MOST_NAMED)).all()


def _hand_over(session: Session, user_id: UUID, heir_id: UUID) -> None:
    """Executions under way go with their workflows."""
    for table in (Workflow, TriggerRegistration, WorkflowTag, Connection, NamedSecret, VariableRow, ApiRow):
        session.execute(update(table).where(table.user_id == user_id).values(user_id=heir_id))
    under_way = ExecutionRow.user_id == user_id, ExecutionRow.status.in_(("PENDING", "RUNNING"))
    session.execute(update(ExecutionRow).where(*under_way).values(user_id=heir_id, updated_at=ExecutionRow.updated_at))
    owed = TriggerEventRow.user_id == user_id, TriggerEventRow.handled_at.is_(None)
    session.execute(update(TriggerEventRow).where(*owed).values(user_id=heir_id))
    files_store.hand_over(session.connection(), user_id, heir_id)
    data_tables_store.hand_over(session.connection(), user_id, heir_id)


def _remove(session: Session, user_id: UUID) -> None:
    for table in (TriggerRegistration, Workflow, Connection, NamedSecret, VariableRow, ApiRow):
        session.execute(deleted_from(table).where(table.user_id == user_id))
    data_tables_store.delete_of(session.connection(), user_id)


def _forget(session: Session, user_id: UUID) -> None:
    for table in (RefreshToken, DailyUsage, DeadLetter, DeletedWorkflow, ExecutionHour, GuideRow, SavedFilterRow):
        session.execute(deleted_from(table).where(table.user_id == user_id))
    session.execute(deleted_from(User).where(User.id == user_id))
    session.execute(insert(RemovedAccount).values(user_id=user_id).on_conflict_do_nothing())


def _count(session: Session, owner: InstrumentedAttribute[UUID], user_id: UUID) -> int:
    return session.scalar(select(func.count()).where(owner == user_id)) or 0
