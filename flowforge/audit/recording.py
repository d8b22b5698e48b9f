"""Writing the audit log, in the transaction of what is done: neither is there without the other."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ScalarSelect, insert, select
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.origin import origin_of
from flowforge.db.tables import AuditEntryRow, User
from flowforge.ids import moment_of, uuid7

LONGEST_NAME = 200


def record(
    session: Session,
    action: Action,
    *,
    by: UUID | None = None,
    account: UUID | None = None,
    on: UUID | None = None,
    named: str | None = None,
    **details: str | int | bool | None,
) -> None:
    """Records what somebody does. One statement; the caller commits.

    `by`: the account that does it; by default the one that is signed in. `account`: the account that it concerns, by
    default the same; its owner sees the entry. `on`, `named`: the thing it is done to. `details` never hold a secret,
    nor anything of a payload.
    """
    origin, entry_id = origin_of(session), uuid7()
    actor_id = by or origin.actor_id
    account_id = account or actor_id
    entry = insert(AuditEntryRow).values(
        id=entry_id,
        occurred_at=moment_of(entry_id),
        action=action,
        actor_id=actor_id,
        actor_name=_name_of(actor_id),
        account_id=account_id,
        account_name=_name_of(account_id),
        subject_id=on,
        subject_name=_brief(named),
        address=origin.address,
        request_id=origin.request_id,
        via=origin.via,
        details={name: value for name, value in details.items() if value is not None},
    )
    session.connection().execute(entry)  # does not flush what the caller has not written yet


def _name_of(user_id: UUID | None) -> ScalarSelect[str]:
    return select(User.username).where(User.id == user_id).scalar_subquery()


def _brief(name: str | None) -> str | None:
    return name.replace("\0", "")[:LONGEST_NAME] if name else None
