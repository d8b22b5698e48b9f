"""Tables for tests, and an account that may have them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from flowforge.connectors.tables import IfThere, NewRows, WantedPage, Which
from flowforge.data_tables.conditions import Operator, WantedCondition
from flowforge.db.data_tables_store import Limits
from flowforge.db.engine import Connection, transaction
from flowforge.kept_tables import AccountTables, Call, KeptTable
from flowforge.table_registry.changes import TableChange
from flowforge.table_registry.tables import create_table
from flowforge.table_registry.views import TableView
from flowforge.wiring import Backends

NO_LIMITS = Limits(0, 0)
PEOPLE = [
    {"name": "email", "type": "text"},
    {"name": "age", "type": "number"},
    {"name": "paid", "type": "boolean"},
    {"name": "since", "type": "datetime"},
    {"name": "more", "type": "json"},
]


def account(backends: Backends) -> UUID:
    """An account, as far as its room counts."""
    id_ = uuid4()
    with backends.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO auth.users (id, username, email, password) VALUES (:id, :name, :name, '')"),
            {"id": id_, "name": str(id_)},
        )
    return id_


def make_table(backends: Backends, owner: UUID, name: str = "people", **change: Any) -> TableView:
    wanted = TableChange.read({"name": name, "columns": PEOPLE, "key": "email", **change})
    with Session(backends.engine) as session:
        return create_table(session, owner, wanted)


def tables_of(backends: Backends, owner: UUID, limits: Limits = NO_LIMITS, call: Call | None = None) -> AccountTables:
    transact: Callable[[], AbstractContextManager[Connection]] = partial(transaction, backends.engine)
    return AccountTables(transact, owner, limits, call)


def add(table: KeptTable, *rows: dict[str, Any], if_there: IfThere = IfThere.REFUSE, **more: Any) -> list[bool]:
    """Adds rows; tells of each whether it was new."""
    return [added.is_new for added in table.add(NewRows(list(rows), "/rows", False, if_there, **more))]


def by(column: str, operator: str, value: Any = None) -> Which:
    return Which(conditions=[WantedCondition(column, Operator(operator), value)])


def emails(table: KeptTable, which: Which | None = None, **page: Any) -> list[str]:
    return [row["email"] for row in table.find(WantedPage(which or Which(), **page))["rows"]]


def room_of(backends: Backends, owner: UUID) -> tuple[int, int]:
    """Rows and bytes that count for an account."""
    with backends.engine.connect() as connection:
        wanted = text("SELECT coalesce(table_rows, 0), coalesce(table_bytes, 0) FROM auth.users WHERE id = :id")
        return tuple(connection.execute(wanted, {"id": owner}).one())  # type: ignore[return-value]


def stored_room(backends: Backends) -> tuple[int, int]:
    """Rows and bytes there are."""
    with backends.engine.connect() as connection:
        return tuple(connection.execute(text("SELECT count(*), coalesce(sum(size), 0) FROM data_tables.rows")).one())  # type: ignore[return-value]
