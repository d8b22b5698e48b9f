"""The form of a step that works with a table, with its columns; and what is wrong with a config before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flowforge.connectors.account import Account
from flowforge.connectors.config import has_expression
from flowforge.connectors.table_steps.config import ADDING, DEFAULT, OPERATIONS
from flowforge.data_tables.columns import ColumnType
from flowforge.data_tables.conditions import Operator, Query, WantedCondition, read_selection, sorted_by
from flowforge.data_tables.shape import Shape
from flowforge.errors import Invalid, NotFound, Problem
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence

_SCHEMAS: Mapping[ColumnType, JsonObject] = {
    ColumnType.TEXT: {"type": "string"},
    ColumnType.NUMBER: {"type": "number"},
    ColumnType.BOOLEAN: {"type": "boolean"},
    ColumnType.DATETIME: {"type": "string", "examples": ["2026-03-04T05:06:07Z"]},
    ColumnType.JSON: {},
}
_SAMPLES: Mapping[ColumnType, Any] = {
    ColumnType.TEXT: "text",
    ColumnType.NUMBER: 12,
    ColumnType.BOOLEAN: True,
    ColumnType.DATETIME: "2026-03-04T05:06:07.000Z",
    ColumnType.JSON: {},
}
_TIME = "2026-03-04T05:06:07.089Z"


def form_of(schema: JsonObject, config: Mapping[str, Any], account: Account) -> JsonObject:
    """The schema of the config: the fields of its operation, with the tables there are and the columns of its own."""
    operation, shape = _operation(config), _shape(config, account)
    declared = schema["properties"]
    fields = {key: field for key, field in declared.items() if operation in field.get("onlyFor", (operation,))}
    fields["table"] = {**fields["table"], "enum": _tables(config, account)}
    if shape is not None:
        fields |= {key: _narrowed(fields[key], own) for key, own in _of_table(declared, shape, config) if key in fields}
        fields = {key: field for key, field in fields.items() if key != "key" or shape.key_column}
    return {**schema, "properties": fields, "required": _needed(operation, config, fields)}


def problems_of(config: Mapping[str, Any], account: Account, at: str) -> list[Problem]:
    """What is wrong with a config at the pointer `at`; what an expression gives is judged when it runs."""
    name = config.get("table")
    if not isinstance(name, str) or not name or has_expression(name):
        return []
    try:
        shape = account.tables.find(name).shape
    except NotFound as error:
        return [Problem(f"{at}/table", message_of(error))]
    checks = _problems_of_values, _problems_of_conditions, _problems_of_columns
    return [problem.under(at) for check in checks for problem in check(config, shape)]


def sample_of(config: Mapping[str, Any], account: Account) -> JsonObject | None:
    """An output with the columns of the table."""
    shape = _shape(config, account)
    if shape is None:
        return None
    row = {
        "id": "01900000-0000-7000-8000-000000000001",
        **{column.name: _SAMPLES[column.type] for column in shape.columns},
        "createdAt": _TIME,
        "updatedAt": _TIME,
        "expiresAt": None,
    }
    of_several: JsonObject = {"rows": [row], "added": 1, "known": 0}
    one: JsonObject = {"isNew": True, "row": row}
    outputs: Mapping[str, JsonObject] = {
        **dict.fromkeys(ADDING, of_several if config.get("rows") else one),
        "get": {"found": True, "row": row},
        "find": {"rows": [row], "count": 1, "next": None},
        "count": {"count": 1},
        "change": {"changed": 1},
        "increment": {"value": 1},
        "delete": {"deleted": 1},
    }
    return outputs[_operation(config)]


def _needed(operation: str, config: Mapping[str, Any], fields: JsonObject) -> list[str]:
    """The fields that come first. The only table there is stays a choice."""
    needed = ["table"] if len(fields["table"]["enum"]) > 1 else []
    if config.get("operation"):
        needed.append("operation")
    if operation == "change" or (operation in ADDING and not config.get("rows")):
        needed.append("values")
    return [*needed, "column"] if operation == "increment" else needed


def _tables(config: Mapping[str, Any], account: Account) -> list[str]:
    """The names to choose among; also the one that is named, where there is no such table any more."""
    names, named = list(account.tables.names()), config.get("table")
    gone = isinstance(named, str) and named and named not in names and not has_expression(named)
    return [*names, str(named)] if gone else names


def _operation(config: Mapping[str, Any]) -> str:
    chosen = config.get("operation")
    return chosen if chosen in OPERATIONS else DEFAULT


def _shape(config: Mapping[str, Any], account: Account) -> Shape | None:
    """The columns of the table that is named; None where there is none."""
    try:
        return account.tables.find(str(config.get("table") or "")).shape
    except NotFound:
        return None


def _narrowed(declared: JsonObject, own: JsonObject) -> JsonObject:
    """A field as its connector declares it, with the type that it has for this table."""
    return {key: value for key, value in declared.items() if key != "anyOf"} | own


def _of_table(declared: JsonObject, shape: Shape, config: Mapping[str, Any]) -> Iterator[tuple[str, JsonObject]]:
    """What the columns say of each field."""
    names = [column.name for column in shape.columns]
    sortable = [column.name for column in shape.columns if column.type is not ColumnType.JSON]
    yield "values", _values(shape, config)
    yield "sort", {"type": "string", "enum": sortable}
    numbers = [column.name for column in shape.columns if column.type is ColumnType.NUMBER]
    yield "column", {"type": "string", "enum": numbers}
    condition = declared["conditions"]["items"]
    column = {**condition["properties"]["column"], "enum": names}
    yield "conditions", {"items": {**condition, "properties": {**condition["properties"], "column": column}}}
    if shape.key_column is not None:
        yield "key", {**_SCHEMAS[shape.key_column.type], "title": f"Key: {shape.key_column.name}"}


def _values(shape: Shape, config: Mapping[str, Any]) -> JsonObject:
    """The form of a row: open, unless several are given."""
    adds = _operation(config) in ADDING
    needed = [column.name for column in shape.columns if column.required or column.id == shape.key]
    properties = {column.name: {**_SCHEMAS[column.type], "title": column.name} for column in shape.columns}
    return {
        "type": "object",
        "properties": properties,
        "required": needed if adds else [],
        "isOpen": not config.get("rows"),
    }


def _problems_of_values(config: Mapping[str, Any], shape: Shape) -> list[Problem]:
    values, operation = config.get("values"), _operation(config)
    if not isinstance(values, Mapping) or not (operation in ADDING or operation == "change"):
        return []
    known = {name: value for name, value in values.items() if not has_expression(value)}
    return [*_problems(lambda: shape.changes(known, "/values")), *_missing(values, shape, operation)]


def _missing(values: Mapping[str, Any], shape: Shape, operation: str) -> Iterator[Problem]:
    """What a new row has to have."""
    for column in shape.columns if operation in ADDING and values else ():
        if (column.required or column.id == shape.key) and column.name not in values:
            yield Problem(f"/values/{column.name}", sentence("is required"))


def _problems_of_conditions(config: Mapping[str, Any], shape: Shape) -> Iterator[Problem]:
    conditions = config.get("conditions")
    for number, written in enumerate(conditions if isinstance(conditions, list) else ()):
        if isinstance(written, Mapping) and not has_expression(written.get("column")) and written.get("column"):
            for problem in _problems_of_condition(written, shape):
                yield Problem(problem.pointer.replace("/conditions/0", f"/conditions/{number}", 1), problem.message)


def _problems_of_condition(written: Mapping[str, Any], shape: Shape) -> list[Problem]:
    operator, value = written.get("operator") or Operator.EQUALS, written.get("value")
    if operator not in set(Operator):
        return []
    if has_expression(value):
        return _problems(lambda: shape.find(str(written["column"]), "/conditions/0/column"))
    wanted = WantedCondition(str(written["column"]), Operator(operator), value)
    return _problems(lambda: read_selection(shape, [wanted]))


def _problems_of_columns(config: Mapping[str, Any], shape: Shape) -> Iterator[Problem]:
    operation = _operation(config)
    if operation == "find" and isinstance(config.get("sort"), str) and not has_expression(config["sort"]):
        yield from _problems(lambda: sorted_by(Query(), shape, config["sort"]))
    if operation == "increment" and isinstance(config.get("column"), str) and not has_expression(config["column"]):
        yield from _problems(lambda: shape.require_number(config["column"]))
    if config.get("key") not in (None, "") and operation in ("get", "change", "increment", "delete"):
        yield from _problems(shape.require_key)


def _problems(check: Callable[[], object]) -> list[Problem]:
    try:
        check()
    except Invalid as error:
        return list(error.problems)
    return []
