"""The shape of a data table: its columns by name, the one by which rows are known, and rows put in and out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.data_tables.columns import KEY_TYPES, RESERVED, Column, ColumnType
from flowforge.data_tables.values import key_text, to_shown, to_stored
from flowforge.errors import Invalid, Problem, raise_any
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.names import hint, quoted
from flowforge.language.pointers import pointer
from flowforge.sentences import message_of, sentence


@dataclass(frozen=True, slots=True)
class StoredValues:
    """The values of a row as they are stored, by the ids of their columns; `key`: the text by which it is known."""

    data: JsonObject
    key: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """`key`: the id of the column by whose value rows are known, each of which is there once; None: there is none."""

    columns: Sequence[Column]
    key: str | None = None

    @property
    def key_column(self) -> Column | None:
        return next((column for column in self.columns if column.id == self.key), None)

    def find(self, name: str, at: str) -> Column:
        """A column by its name. Raises Invalid."""
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            names = [column.name for column in self.columns]
            raise Invalid.at(
                at, sentence("there is no column %(name)s%(hint)s", name=quoted(name), hint=hint(name, names))
            )
        return found

    def require_key(self, at: str = "/key") -> Column:
        """The column by which rows are known. Raises Invalid where there is none."""
        column = self.key_column
        if column is None:
            raise Invalid.at(at, sentence("the table has no key column: its rows are known by their ids only"))
        return column

    def require_number(self, name: str, at: str = "/column") -> Column:
        """A column whose values can be counted up. Raises Invalid."""
        column = self.find(name, at)
        if column.type is not ColumnType.NUMBER:
            raise Invalid.at(at, sentence("must be a column of numbers, and is one of %(type)s", type=column.type))
        return column

    def key_of(self, value: Any, at: str = "/key") -> str:
        """The text by which the row with this value in the key column is known. Raises Invalid."""
        column = self.require_key(at)
        try:
            stored = to_stored(column, value)
            if stored is None:
                raise ValueError(sentence("is required"))
            return key_text(stored)
        except ValueError as error:
            raise Invalid.at(at, message_of(error)) from None

    def new_row(self, values: Mapping[str, Any], at: str) -> StoredValues:
        """A whole row. Raises Invalid, which names each field below `at`."""
        stored = self.changes(values, at)
        needed = [column for column in self.columns if column.required or column.id == self.key]
        raise_any(
            [
                _problem(at, column.name, sentence("is required"))
                for column in needed
                if stored.data.get(column.id) is None
            ]
        )
        return StoredValues({id_: value for id_, value in stored.data.items() if value is not None}, stored.key)

    def changes(self, values: Mapping[str, Any], at: str) -> StoredValues:
        """Values for some columns of a row; None empties one. Raises Invalid, which names each field below `at`."""
        problems: list[Problem] = []
        by_name = {column.name: column for column in self.columns}
        data: JsonObject = {}
        key: str | None = None
        for name, value in values.items():
            column = by_name.get(name)
            if column is None:
                problems += self._unknown(name, at)
                continue
            try:
                data[column.id] = stored = to_stored(column, value)
                self._refuse_empty(column, stored)
                key = key_text(stored) if column.id == self.key else key
            except (ValueError, TypeError) as error:
                problems.append(_problem(at, name, message_of(error)))
        raise_any(problems)
        return StoredValues(data, key)

    def shown(self, data: Mapping[str, Any]) -> JsonObject:
        """The values of a stored row by the names of the columns, in their order; null where there is none."""
        return {column.name: to_shown(column, data.get(column.id)) for column in self.columns}

    def _unknown(self, name: str, at: str) -> list[Problem]:
        """What every row has may stand in one that is written back."""
        if name in RESERVED:
            return []
        return [
            _problem(
                at,
                name,
                sentence("there is no such column%(hint)s", hint=hint(name, [one.name for one in self.columns])),
            )
        ]

    def _refuse_empty(self, column: Column, stored: Any) -> None:
        if stored is None and (column.required or column.id == self.key):
            raise ValueError(sentence("is required"))


def key_id(columns: Sequence[Column], name: str | None) -> str | None:
    """The id of the column that is to be the key. Raises Invalid."""
    if not name:
        return None
    column = Shape(columns).find(name, "/key")
    if column.type not in KEY_TYPES:
        raise Invalid.at("/key", sentence("must be a column of %(choices)s", choices=", ".join(KEY_TYPES)))
    return column.id


def _problem(at: str, name: str, message: str) -> Problem:
    return Problem(at + pointer((name,)), message)
