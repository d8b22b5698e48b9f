"""Views of a value beside its JSON: as a tree, as a table, and as its schema. Each is bounded, however large it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flowforge import jsonio
from flowforge.file_values import read_file
from webapp.ui.base import blueprint
from webapp.ui.data_tree import Datum, tree_of

MOST_ROWS, MOST_COLUMNS, LONGEST_CELL = 50, 12, 120
"""Limits of a table."""
SAMPLED = 100
"""Entries of a list, and fields of an object, that its schema is read from."""
DEEPEST = 6
_DEEPEST_TABLE = 2
"""Levels that are searched for a list of records."""


@dataclass(frozen=True, slots=True)
class Table:
    """The records in a value. `of` says where in the value they stand: empty for the value itself."""

    of: str
    columns: Sequence[str]
    """Empty where the rows are the fields of one object, or single values."""
    rows: Sequence[Sequence[str]]
    more_rows: int = 0
    more_columns: int = 0


@dataclass(frozen=True, slots=True)
class Schema:
    """The type of a value, and of what is inside it, as far as its data tell."""

    name: str
    type: str
    optional: bool = False
    """Whether some of the records lack it."""
    inside: Sequence[Schema] = ()


@blueprint.app_template_test("structured")
def is_structured(value: Any) -> bool:
    """Whether there is more to see than a single value."""
    return isinstance(value, Mapping | list)


@blueprint.app_template_filter("tree")
def entries_of(value: Any, path: str) -> Sequence[Datum]:
    """Draw the entries of an object or a list, each with its reference in expressions. `path`: the one of the value,
    empty where it has none."""
    return tree_of("", value, path).inside


@blueprint.app_template_filter("table")
def table_of(value: Any) -> Table:
    """The first list of records in the value as rows; where there is none, its fields."""
    found = next(_lists_of_records(value), None)
    if found is not None:
        return _table_of_records(*found)
    if isinstance(value, Mapping):
        rows = [(str(key), _cell(inner)) for key, inner in islice(value.items(), MOST_ROWS)]
        return Table("", (), rows, max(len(value) - MOST_ROWS, 0))
    values = value if isinstance(value, list) else [value]
    return Table("", (), [(_cell(one),) for one in values[:MOST_ROWS]], max(len(values) - MOST_ROWS, 0))


@blueprint.app_template_filter("count_items")
def count_items(value: Any) -> int | None:
    """Count the entries of the first list of records in an output, else of the first list among its fields; None where
    there is no list."""
    records = next(_lists_of_records(value), None)
    if records is not None:
        return len(records[1])
    fields = value.values() if isinstance(value, Mapping) else ()
    return next((len(inner) for inner in fields if isinstance(inner, list)), None)


@blueprint.app_template_filter("schema")
def schema_of(value: Any) -> Schema:
    return _schema("", [value])


def _lists_of_records(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Outer ones first among those of one object."""
    if isinstance(value, list):
        if value and all(isinstance(row, Mapping) for row in value):
            yield name, value
    elif isinstance(value, Mapping) and depth < _DEEPEST_TABLE:
        for key, inner in islice(value.items(), SAMPLED):
            yield from _lists_of_records(inner, f"{name}.{key}" if name else str(key), depth + 1)


def _table_of_records(name: str, records: list[Mapping[str, Any]]) -> Table:
    shown = records[:MOST_ROWS]
    names = list(dict.fromkeys(str(key) for record in shown for key in record))
    columns = names[:MOST_COLUMNS]
    rows = [[_cell(record[column]) if column in record else "" for column in columns] for record in shown]
    return Table(name, columns, rows, len(records) - len(shown), len(names) - len(columns))


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else jsonio.dumps(value).decode()
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]}…"


def _schema(name: str, values: Sequence[Any], *, optional: bool = False, depth: int = 0) -> Schema:
    """The schema of something that has these values in different records."""
    entries = [entry for value in values if isinstance(value, list) for entry in value[:SAMPLED]][:SAMPLED]
    type_ = " or ".join(dict.fromkeys(_type(value, entries) for value in values))
    records = [value for value in [*values, *entries] if isinstance(value, Mapping)]
    inside = _fields(records, depth + 1) if depth < DEEPEST else ()
    return Schema(name, type_, optional, inside)


def _fields(records: Sequence[Mapping[str, Any]], depth: int) -> Sequence[Schema]:
    names = dict.fromkeys(key for record in records for key in islice(record, SAMPLED))
    return [
        _schema(str(name), found, optional=len(found) < len(records), depth=depth)
        for name in islice(names, SAMPLED)
        if (found := [record[name] for record in records if name in record])
    ]


def _type(value: Any, entries: Iterable[Any]) -> str:
    """The name that JSON Schema has for it; of a list also those of its entries."""
    if isinstance(value, list):
        inner = " or ".join(
            dict.fromkeys("array" if isinstance(entry, list) else _type(entry, ()) for entry in entries)
        )
        return f"array of {inner}" if inner else "array"
    if isinstance(value, Mapping):
        return "file" if read_file(value) else "object"
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "number"
    return "string"
