"""Rows of data tables as people and clients read and change them, each change committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.connectors.tables import Added, NewRows, WantedPage, Which
from flowforge.db.data_tables_store import Limits
from flowforge.errors import NotFound
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.table_registry.tables import open_table

_GONE = sentence("there is no such row")


def find_rows(session: Session, user_id: UUID, table_id: UUID, wanted: WantedPage, limits: Limits) -> JsonObject:
    """A page of rows. Raises NotFound, Invalid, TooMuchAtOnce."""
    return open_table(session, user_id, table_id, limits).find(wanted)


def get_row(session: Session, user_id: UUID, table_id: UUID, row_id: UUID, limits: Limits) -> JsonObject:
    """Raises NotFound."""
    row = open_table(session, user_id, table_id, limits).get(Which(id=str(row_id)))
    if row is None:
        raise NotFound(_GONE)
    return row


def add_rows(session: Session, user_id: UUID, table_id: UUID, new: NewRows, limits: Limits) -> Sequence[Added]:
    """Commits. Raises NotFound, Invalid, Conflict, OverQuota."""
    added = open_table(session, user_id, table_id, limits).add(new)
    session.commit()
    return added


def change_row(
    session: Session,
    user_id: UUID,
    table_id: UUID,
    row_id: UUID,
    values: Mapping[str, Any],
    limits: Limits,
    expire_after: timedelta | None = None,
) -> JsonObject:
    """Commits. Raises NotFound, Invalid, Conflict, OverQuota."""
    table = open_table(session, user_id, table_id, limits)
    if not table.update(Which(id=str(row_id)), values, expire_after):
        raise NotFound(_GONE)
    session.commit()
    return get_row(session, user_id, table_id, row_id, limits)


def delete_row(session: Session, user_id: UUID, table_id: UUID, row_id: UUID, limits: Limits) -> None:
    """Commits. Raises NotFound."""
    if not open_table(session, user_id, table_id, limits).delete(Which(id=str(row_id))):
        raise NotFound(_GONE)
    session.commit()
