"""Looking through the audit log, newest first, page by page.

Ids are made in the order of time, so that times and positions are both ranges of an index: no page costs more as the
log grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, union
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.db.name_keys import find_account
from flowforge.db.tables import ADMINISTRATORS, AuditEntryRow, User
from flowforge.errors import Forbidden
from flowforge.ids import first_id_at
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.views import columns_of, view_of


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: UUID
    occurred_at: datetime
    action: str
    actor_id: UUID | None
    """The account that did it; None: nobody who is known, or the instance itself."""
    actor_name: str | None
    account_id: UUID | None
    """The account that it concerns."""
    account_name: str | None
    subject_id: UUID | None
    subject_name: str | None
    address: str | None
    request_id: str | None
    via: str | None
    details: JsonObject


@dataclass(frozen=True, slots=True)
class Filter:
    """All optional; `since` is inclusive, `until` is not. `account_id`: what it did, and what concerns it.
    `seen_by`: who is not to learn from where others acted."""

    account_id: UUID | None = None
    action: Action | None = None
    since: datetime | None = None
    until: datetime | None = None
    seen_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    entries: Sequence[AuditEntry]
    after: UUID | None
    """Where the next page begins; None on the last one."""


def seen_by(session: Session, viewer_id: UUID, wanted: Filter) -> Filter:
    """The filter as it counts for this viewer: administrators see everything, others what concerns their own account,
    without the origin of what other accounts did to it. Raises Forbidden for another's account."""
    if sees_everything(session, viewer_id):
        return wanted
    if wanted.account_id not in (None, viewer_id):
        raise Forbidden(sentence("only administrators of this server see what concerns other accounts"))
    return replace(wanted, account_id=viewer_id, seen_by=viewer_id)


def sees_everything(session: Session, viewer_id: UUID) -> bool:
    return session.scalar(select(User.role).where(User.id == viewer_id)) in ADMINISTRATORS


def find_page(session: Session, wanted: Filter, after: UUID | None = None, size: int = 50) -> AuditPage:
    """The next entries behind `after`, or the newest. One statement."""
    rows = session.execute(_newest(wanted, after, size + 1)).all()
    entries = [_as_seen(view_of(AuditEntry, row), wanted.seen_by) for row in rows[:size]]
    return AuditPage(entries, entries[-1].id if len(rows) > size else None)


def account_named(session: Session, name_or_id: str) -> UUID | None:
    """The account of this name, if there is one; an id stands for itself, also where the account was deleted."""
    try:
        return UUID(name_or_id)
    except ValueError:
        return find_account(session, name_or_id)


def _as_seen(entry: AuditEntry, viewer_id: UUID | None) -> AuditEntry:
    if viewer_id is None or entry.actor_id in (None, viewer_id):
        return entry
    return replace(entry, address=None, request_id=None, via=None)


def _newest(wanted: Filter, after: UUID | None, size: int) -> Select[tuple[object, ...]]:
    """Selects the newest entries. What an account did and what concerns it are found by an index each, so each is cut
    to `size` by itself."""
    ids = [_ids(wanted, after, whose).limit(size) for whose in _of_account(wanted.account_id)]
    found = union(*[select(each.subquery()) for each in ids]).subquery()
    columns = columns_of(AuditEntry, AuditEntryRow)
    joined = select(*columns).join(found, found.c.id == AuditEntryRow.id)
    return joined.order_by(AuditEntryRow.id.desc()).limit(size)


def _of_account(account_id: UUID | None) -> list[tuple[ColumnElement[bool], ...]]:
    if account_id is None:
        return [()]
    return [(AuditEntryRow.account_id == account_id,), (AuditEntryRow.actor_id == account_id,)]


def _ids(wanted: Filter, after: UUID | None, whose: tuple[ColumnElement[bool], ...]) -> Select[UUID]:
    found = select(AuditEntryRow.id).where(*whose)
    if wanted.action is not None:
        found = found.where(AuditEntryRow.action == wanted.action)
    if wanted.since is not None:
        found = found.where(AuditEntryRow.id >= first_id_at(wanted.since))
    for end in (after, first_id_at(wanted.until) if wanted.until else None):
        found = found.where(AuditEntryRow.id < end) if end else found
    return found.order_by(AuditEntryRow.id.desc())
