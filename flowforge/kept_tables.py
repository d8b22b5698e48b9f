"""The data tables of an account, as they are kept in PostgreSQL: for steps, pages and the API alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from flowforge import jsonio
from flowforge.connectors.tables import Added, IfThere, NewRows, WantedPage, Which
from flowforge.data_tables.columns import Column
from flowforge.data_tables.conditions import MOST_ROWS, Position, Query, read_selection, sorted_by
from flowforge.data_tables.shape import Shape, StoredValues
from flowforge.data_tables.values import to_stored
from flowforge.db import data_rows_store, data_tables_store, remembered_store
from flowforge.db.data_rows_store import Change, NewRow, StoredRow
from flowforge.db.data_tables_store import REMEMBERED_BYTES, FoundTable, Limits
from flowforge.db.engine import Connection, unavailable_when_down
from flowforge.errors import Conflict, Invalid, NotFound, Problem, TooMuchAtOnce, Unavailable, at_most, raise_any
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.names import hint, quoted
from flowforge.sentences import Count, message_of, sentence
from flowforge.settings import Settings

MOST_ROW_BYTES = 256 * 1024
LONGEST_REMEMBERED_KEY = 10_000
Done = TypeVar("Done")
Transact = Callable[[], AbstractContextManager[Connection]]
"""Opens a transaction, which is committed at its end. Raises Unavailable."""


def table_limits(settings: Settings) -> Limits:
    return Limits(settings.quota_table_rows, settings.quota_table_bytes)


@dataclass(frozen=True, slots=True)
class Call:
    """A step that works with tables. `name`: its Idempotency-Key; `step`: its name in the execution, whichever its
    attempt."""

    execution_id: UUID
    workflow_id: UUID
    name: str
    step: str


@dataclass(frozen=True, slots=True)
class AccountTables:
    """`call`: the step that works with them; None where people do, each of whose requests counts."""

    transact: Transact
    user_id: UUID
    limits: Limits
    call: Call | None = None

    def names(self) -> Sequence[str]:
        with self.transact() as connection:
            return data_tables_store.names(connection, self.user_id)

    def find(self, name: str) -> KeptTable:
        """Raises NotFound."""
        with self.transact() as connection:
            found = data_tables_store.find(connection, self.user_id, name)
            if found is None:
                names = data_tables_store.names(connection, self.user_id)
                raise NotFound(
                    sentence("there is no table %(name)s%(hint)s", name=quoted(name), hint=hint(name, names))
                )
        return KeptTable(self, found)

    def find_by_id(self, id_: UUID) -> KeptTable:
        """Raises NotFound."""
        with self.transact() as connection:
            found = data_tables_store.find_by_id(connection, self.user_id, id_)
        if found is None:
            raise NotFound(sentence("there is no such table"))
        return KeptTable(self, found)

    def see(self, key: str, *, across_workflows: bool, days: float) -> tuple[bool, datetime]:
        """See TableAccess. A step that asks again is answered as it was the first time."""
        assert self.call is not None, "only a step remembers"
        scope = self.user_id if across_workflows else self.call.workflow_id
        seen_key = remembered_store.Key(self.user_id, scope, hashlib.sha256(key.encode()).digest())
        expires_at = datetime.now(UTC) + timedelta(days=days)
        with self.transact() as connection:
            note = partial(remembered_store.see, connection, seen_key, self.call.step, expires_at)
            seen = note() or note()
            if seen is None:
                raise Unavailable(sentence("%(key)s is being noted by others", key=quoted(key)))
            if seen.added:
                data_tables_store.take_room_of_account(connection, self.user_id, 1, REMEMBERED_BYTES, self.limits)
        return seen.call == self.call.step, seen.since


@dataclass(frozen=True, slots=True)
class KeptTable:
    """See flowforge.connectors.tables.Table."""

    account: AccountTables
    found: FoundTable

    @property
    def shape(self) -> Shape:
        return self.found.shape

    @property
    def id(self) -> UUID:
        return self.found.id

    def get(self, which: Which) -> JsonObject | None:
        with self.account.transact() as connection:
            rows = _named(connection, self.found, which)
        return self._shown(rows[0]) if rows else None

    def find(self, wanted: WantedPage) -> JsonObject:
        """Raises TooMuchAtOnce where it takes too long to find them."""
        page = self.page(self._query(wanted))
        return {
            "rows": [self._shown(row) for row in page.rows],
            "count": len(page.rows),
            "next": None if page.next is None else str(page.next),
        }

    def page(self, query: Query) -> data_rows_store.Page:
        """Raises TooMuchAtOnce."""
        with self.account.transact() as connection:
            return _in_time(connection, lambda: data_rows_store.find(connection, self.id, query))

    def count(self, which: Which) -> int:
        """Raises TooMuchAtOnce."""
        selection = read_selection(self.shape, which.conditions, any_of=which.any_of)
        with self.account.transact() as connection:
            return _in_time(connection, lambda: data_rows_store.count(connection, self.id, selection))

    def add(self, new: NewRows) -> Sequence[Added]:
        answer = self._once(lambda connection, table: _add(connection, table, new, self.account.limits))
        return [Added(**added) for added in answer]

    def update(self, which: Which, values: Mapping[str, Any], expire_after: timedelta | None = None) -> int:
        def update(connection: Connection, table: FoundTable) -> int:
            changes = table.shape.changes(values, "/values")
            rows = _selected(connection, table, which)
            if changes.key is not None:
                _require_free(connection, table, changes.key, rows, self.account.limits)
            expires_at = None if expire_after is None else datetime.now(UTC) + expire_after
            _change(connection, table, [Change(id_, changes, expires_at) for id_ in rows], self.account.limits)
            return len(rows)

        return int(self._once(update))

    def delete(self, which: Which) -> int:
        def delete(connection: Connection, table: FoundTable) -> int:
            count, size = data_rows_store.delete(connection, table.id, _selected(connection, table, which))
            data_tables_store.take_room(connection, table, -count, -size, self.account.limits)
            return count

        return int(self._once(delete))

    def increment(self, which: Which, column: str, amount: float) -> Any:
        return self._once(
            lambda connection, table: _increment(connection, table, which, column, amount, self.account.limits)
        )

    def _query(self, wanted: WantedPage) -> Query:
        which = wanted.which
        selection = read_selection(self.shape, which.conditions, any_of=which.any_of)
        after = Position.read(wanted.after) if wanted.after else None
        query = Query(selection, None, wanted.descending, min(wanted.limit, MOST_ROWS), after, wanted.most_bytes)
        return sorted_by(query, self.shape, wanted.sort)

    def _shown(self, row: StoredRow) -> JsonObject:
        return shown_row(self.shape, row)

    def _once(self, work: Callable[[Connection, FoundTable], Any]) -> Any:
        """The answer of a change, done under the table's lock; the first one, where the step has done it already.
        Raises NotFound where the table is gone."""
        call = self.account.call
        with self.account.transact() as connection:
            table = data_tables_store.find_by_id(connection, self.account.user_id, self.id, lock=True)
            if table is None:
                raise NotFound(sentence("there is no table %(name)s any more", name=quoted(self.found.name)))
            if call is None:
                return _in_time(connection, lambda: work(connection, table))
            done = data_rows_store.answer_to(connection, call.execution_id, call.name)
            if done is not None:
                return jsonio.loads(done)
            answer = _in_time(connection, lambda: work(connection, table))
            noted = jsonio.dumps_for_database(answer)
            data_rows_store.note_answer(connection, call.execution_id, call.name, noted)
        return answer


def shown_row(shape: Shape, row: StoredRow) -> JsonObject:
    """A row as steps and clients see it."""
    expires_at = None if row.expires_at is None else jsonio.format_time(row.expires_at)
    return {
        "id": str(row.id),
        **shape.shown(row.data),
        "createdAt": jsonio.format_time(row.created_at),
        "updatedAt": jsonio.format_time(row.updated_at),
        "expiresAt": expires_at,
    }


def _in_time(connection: Connection, work: Callable[[], Done]) -> Done:
    """Raises TooMuchAtOnce, with advice."""
    data_rows_store.limit_time(connection)
    try:
        with unavailable_when_down():
            return work()
    except TooMuchAtOnce:
        raise TooMuchAtOnce(
            sentence(
                "looking through the rows took longer than %(seconds)s seconds;"
                " rows are found at once by key, by id, and by the condition 'equals'",
                seconds=data_rows_store.SECONDS,
            )
        ) from None


def _add(connection: Connection, table: FoundTable, new: NewRows, limits: Limits) -> list[JsonObject]:
    rows = _read_rows(table.shape, new)
    keys = {row.key for row in rows if row.key is not None}
    plan = _Plan(table, new, _there(connection, table, keys, limits))
    for number, values in enumerate(rows):
        plan.take(number, values)
    sizes = data_rows_store.add(connection, table.id, plan.new_rows) if plan.new_rows else []
    data_tables_store.take_room(connection, table, len(sizes), _within(sizes, new.at), limits)
    _change(connection, table, plan.changes, limits)
    stored = data_rows_store.by_ids(connection, table.id, plan.ids)
    return [
        {"is_new": is_new, "row": shown_row(table.shape, stored[id_])}
        for id_, is_new in zip(plan.ids, plan.are_new, strict=True)
    ]


class _Plan:
    """What is done with each of the rows that are to be added."""

    def __init__(self, table: FoundTable, new: NewRows, there: Mapping[str, UUID]) -> None:
        self._shape = table.shape
        self._new = new
        self._expires_at = _expiry(table, new.expire_after)
        self._known = dict(there)
        """The ids of rows by key, also of those to be added."""
        self._added: dict[UUID, NewRow] = {}
        self._changed: dict[UUID, Change] = {}
        self.ids: list[UUID] = []
        self.are_new: list[bool] = []

    @property
    def new_rows(self) -> Sequence[NewRow]:
        return list(self._added.values())

    @property
    def changes(self) -> Sequence[Change]:
        return list(self._changed.values())

    def take(self, number: int, values: StoredValues) -> None:
        """Raises Conflict for a key that is taken."""
        known = None if values.key is None else self._known.get(values.key)
        if known is None:
            known = self._add(values)
            self.are_new.append(True)
        else:
            self._meet(number, known, values)
            self.are_new.append(False)
        self.ids.append(known)

    def _add(self, values: StoredValues) -> UUID:
        row = NewRow(uuid7(), values, self._expires_at)
        self._added[row.id] = row
        if values.key is not None:
            self._known[values.key] = row.id
        return row.id

    def _meet(self, number: int, known: UUID, values: StoredValues) -> None:
        """A row whose key another one has."""
        if self._new.if_there is IfThere.REFUSE:
            column = self._shape.require_key()
            at = f"{self._new.pointer(number)}/{column.name}"
            raise Conflict.at(at, sentence("there is a row %(key)s already", key=quoted(values.key)))
        if self._new.if_there is IfThere.CHANGE:
            self._merge(known, values)

    def _merge(self, known: UUID, values: StoredValues) -> None:
        if known in self._added:
            row = self._added[known]
            self._added[known] = replace(row, values=_merged(row.values, values))
            return
        before = self._changed.get(known)
        merged = values if before is None else _merged(before.values, values)
        self._changed[known] = Change(known, merged, self._expires_at)


def _merged(before: StoredValues, after: StoredValues) -> StoredValues:
    return StoredValues({**before.data, **after.data}, after.key)


def _read_rows(shape: Shape, new: NewRows) -> list[StoredValues]:
    """The rows as they are stored. Raises Invalid, which names each problem."""
    if len(new.rows) > MOST_ROWS:
        raise Invalid.at(new.at, sentence("must be at most %(most)s rows", most=Count(MOST_ROWS)))
    problems: list[Problem] = []
    read = [_read_row(shape, values, new.pointer(number), problems) for number, values in enumerate(new.rows)]
    raise_any(at_most(problems))
    return [row for row in read if row is not None]


def _read_row(shape: Shape, values: Any, at: str, problems: list[Problem]) -> StoredValues | None:
    try:
        if not isinstance(values, Mapping):
            raise Invalid.at(at, sentence("must be an object, with a value for each column"))
        return shape.new_row(values, at)
    except Invalid as error:
        problems += error.problems
        return None


def _there(connection: Connection, table: FoundTable, keys: Collection[str], limits: Limits) -> Mapping[str, UUID]:
    """The ids of the rows that have these keys; those that have expired make room."""
    if not keys:
        return {}
    count, size = data_rows_store.delete_expired(connection, table.id, keys)
    data_tables_store.take_room(connection, table, -count, -size, limits)
    return {key: row.id for key, row in data_rows_store.by_keys(connection, table.id, keys).items()}


def _change(connection: Connection, table: FoundTable, changes: Sequence[Change], limits: Limits) -> None:
    if not changes:
        return
    before = data_rows_store.total_size(connection, table.id, [change.id for change in changes])
    after = _within(data_rows_store.change(connection, table.id, changes), "/values")
    data_tables_store.take_room(connection, table, 0, after - before, limits)


def _within(sizes: Sequence[int], at: str) -> int:
    """The sum of the sizes of rows. Raises Invalid where one is too large."""
    if max(sizes, default=0) > MOST_ROW_BYTES:
        raise Invalid.at(at, sentence("a row has at most %(most)s bytes", most=Count(MOST_ROW_BYTES)))
    return sum(sizes)


def _increment(
    connection: Connection, table: FoundTable, which: Which, name: str, amount: float, limits: Limits
) -> Any:
    column = table.shape.require_number(name)
    if which.id is None:
        _add_where_missing(connection, table, which.key, limits)
    rows = _named(connection, table, which)
    if not rows:
        raise Invalid.at("/id", sentence("there is no such row"))
    value, size = data_rows_store.increment(connection, table.id, rows[0], column.id, amount)
    data_tables_store.take_room(connection, table, 0, size, limits)
    return _counted(column, value)


def _add_where_missing(connection: Connection, table: FoundTable, key: Any, limits: Limits) -> None:
    column = table.shape.require_key()
    table.shape.key_of(key)
    _add(connection, table, NewRows([{column.name: key}], "/key", is_single=True, if_there=IfThere.KEEP), limits)


def _counted(column: Column, value: Any) -> Any:
    try:
        return to_stored(column, value)
    except ValueError as error:
        raise Invalid.at("/amount", sentence("the sum %(error)s", error=message_of(error))) from None


def _named(connection: Connection, table: FoundTable, which: Which) -> Sequence[StoredRow]:
    """The row that is named by its id or key, if it is there."""
    if which.id is not None:
        return list(data_rows_store.by_ids(connection, table.id, [_row_id(which.id)]).values())
    key = table.shape.key_of(which.key)
    return list(data_rows_store.by_keys(connection, table.id, [key]).values())


def _selected(connection: Connection, table: FoundTable, which: Which) -> Sequence[UUID]:
    """The ids of the rows that are to be changed. Raises Invalid where there are too many for once."""
    if which.id is not None or which.key is not None:
        return [row.id for row in _named(connection, table, which)]
    selection = read_selection(table.shape, which.conditions, any_of=which.any_of)
    found = data_rows_store.ids(connection, table.id, selection, MOST_ROWS + 1)
    if len(found) > MOST_ROWS:
        raise Invalid.at(
            "/conditions",
            sentence(
                "hold for more than %(most)s rows, which is the most that is changed at once", most=Count(MOST_ROWS)
            ),
        )
    return found


def _require_free(connection: Connection, table: FoundTable, key: str, rows: Sequence[UUID], limits: Limits) -> None:
    """Raises Invalid and Conflict where these rows cannot all have the key."""
    column = table.shape.require_key()
    if len(rows) > 1:
        raise Invalid.at(f"/values/{column.name}", sentence("is the key, which only one row can have"))
    holder = _there(connection, table, [key], limits).get(key)
    if rows and holder not in (None, rows[0]):
        raise Conflict.at(f"/values/{column.name}", sentence("there is a row %(key)s already", key=quoted(key)))


def _row_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid.at("/id", sentence("must be the id of a row")) from None


def _expiry(table: FoundTable, expire_after: timedelta | None) -> datetime | None:
    if expire_after is not None:
        return datetime.now(UTC) + expire_after
    return None if table.expire_after is None else datetime.now(UTC) + timedelta(days=table.expire_after)
