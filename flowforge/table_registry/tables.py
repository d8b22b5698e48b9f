"""Data tables of an account: making, changing and deleting them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.data_tables.columns import Column, changed_columns
from flowforge.data_tables.shape import Shape, key_id
from flowforge.db import data_tables_store
from flowforge.db.data_tables_store import Limits
from flowforge.db.engine import within
from flowforge.db.refusals import refused_as
from flowforge.db.tables import DataTableRow
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.ids import uuid7
from flowforge.kept_tables import AccountTables, KeptTable
from flowforge.sentences import sentence
from flowforge.table_registry.changes import TableChange
from flowforge.table_registry.views import TableView
from flowforge.views import view_of

MOST_TABLES = 100
"""Of one account."""


def account_tables(session: Session, user_id: UUID, limits: Limits) -> AccountTables:
    """The tables of an account, as this transaction sees them; who changes rows commits."""
    return AccountTables(within(session), user_id, limits)


def open_table(session: Session, user_id: UUID, table_id: UUID, limits: Limits) -> KeptTable:
    """A table whose rows are to be read or changed. Raises NotFound."""
    return account_tables(session, user_id, limits).find_by_id(table_id)


def list_tables(session: Session, user_id: UUID) -> Sequence[TableView]:
    """All tables of an account, by name."""
    return [_view(row) for row in session.scalars(_mine(user_id).order_by(DataTableRow.name))]


def get_table(session: Session, user_id: UUID, table_id: UUID) -> TableView:
    """Raises NotFound."""
    return _view(_load(session, user_id, table_id))


def create_table(session: Session, user_id: UUID, wanted: TableChange) -> TableView:
    """Commits. Raises Invalid, and Conflict for a name that is taken, and where there are too many."""
    count = session.scalar(select(func.count()).select_from(_mine(user_id).subquery())) or 0
    if count >= MOST_TABLES:
        raise Conflict(sentence("there are %(most)s tables already", most=MOST_TABLES))
    columns = changed_columns((), wanted.columns)
    row = DataTableRow(
        id=uuid7(),
        user_id=user_id,
        name=wanted.name,
        columns=[column.as_json() for column in columns],
        key_column=key_id(columns, wanted.key),
        expire_after=wanted.expire_after,
    )
    session.add(row)
    return _saved(session, row, Action.TABLE_CREATED)


def change_table(session: Session, user_id: UUID, table_id: UUID, wanted: TableChange) -> TableView:
    """Changes a table's name and columns; values of columns that are not named any more are out of sight. Commits.
    Raises NotFound, Invalid, and Conflict for a name that is taken."""
    row = _load(session, user_id, table_id, lock=True)
    columns = changed_columns(list(map(Column.read, row.columns)), wanted.columns)
    key = key_id(columns, wanted.key)
    if key != row.key_column and row.row_count:
        raise Invalid.at("/key", sentence("can only be changed while the table has no rows"))
    row.name, row.key_column, row.expire_after = wanted.name, key, wanted.expire_after
    row.columns = [column.as_json() for column in columns]
    row.updated_at = datetime.now(UTC)
    return _saved(session, row, Action.TABLE_CHANGED)


def delete_table(session: Session, user_id: UUID, table_id: UUID, limits: Limits) -> None:
    """Deletes a table; its rows are deleted in the background, and count no more. Commits. Raises NotFound."""
    row = _load(session, user_id, table_id, lock=True)
    record(session, Action.TABLE_DELETED, on=row.id, named=row.name, rows=row.row_count)
    data_tables_store.take_room_of_account(session.connection(), user_id, -row.row_count, -row.bytes, limits)
    row.name, row.deleted_at = str(row.id), datetime.now(UTC)
    session.commit()


def _mine(user_id: UUID) -> Select[DataTableRow]:
    return select(DataTableRow).where(DataTableRow.user_id == user_id, DataTableRow.deleted_at.is_(None))


def _load(session: Session, user_id: UUID, table_id: UUID, *, lock: bool = False) -> DataTableRow:
    """Raises NotFound."""
    wanted = _mine(user_id).where(DataTableRow.id == table_id)
    row = session.scalar(wanted.with_for_update(key_share=True) if lock else wanted)
    if row is None:
        raise NotFound(sentence("there is no such table"))
    return row


def _saved(session: Session, row: DataTableRow, action: Action) -> TableView:
    """Raises Conflict."""
    with refused_as(session, Conflict(sentence("there is a table by that name already"))):
        session.flush()
    record(session, action, on=row.id, named=row.name)
    session.commit()
    return _view(row)


def _view(row: DataTableRow) -> TableView:
    columns = tuple(map(Column.read, row.columns))
    key = Shape(columns, row.key_column).key_column
    return view_of(TableView, row, columns=columns, key=None if key is None else key.name)
