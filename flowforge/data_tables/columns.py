"""Columns of data tables, and what people want to change of them."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flowforge.errors import Problem, raise_any
from flowforge.field_reader import FieldReader
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

MOST_COLUMNS = 50
RESERVED = ("id", "createdAt", "updatedAt", "expiresAt")
"""What every row has besides its columns."""
_RESERVED_FOLDED = {name.casefold() for name in RESERVED}
_NAME = re.compile(r"[^\W\d]\w{0,62}")
_NAME_RULE = sentence("must be letters, digits and _, not begin with a digit, and have at most 63 characters")
_ID_LETTERS = string.ascii_lowercase + string.digits
_ID_LENGTH = 8


class ColumnType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    JSON = "json"


KEY_TYPES = (ColumnType.TEXT, ColumnType.NUMBER, ColumnType.DATETIME)
"""The types of columns by whose value a row can be known."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. Values are stored under its `id`, so that another name changes no row; no other column, of whatever
    table, has the same id but by chance."""

    id: str
    name: str
    type: ColumnType
    required: bool = False

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Column:
        return cls(stored["id"], stored["name"], ColumnType(stored["type"]), stored["required"])

    def as_json(self) -> JsonObject:
        return {"id": self.id, "name": self.name, "type": self.type, "required": self.required}


@dataclass(frozen=True, slots=True)
class WantedColumn:
    """A column as somebody wants it: one that exists, where it has an `id`, or a new one."""

    id: str | None
    name: str
    type: ColumnType
    required: bool = False

    @classmethod
    def read_all(cls, raw: Any) -> Sequence[WantedColumn]:
        """Reads a list of columns. Raises Invalid."""
        if not isinstance(raw, list) or not raw:
            raise_any([Problem("/columns", sentence("must be a list of at least one column"))])
        problems: list[Problem] = []
        read = [_read(entry, f"/columns/{number}", problems) for number, entry in enumerate(raw[: MOST_COLUMNS + 1])]
        raise_any(problems)
        return [column for column in read if column is not None]


def changed_columns(present: Sequence[Column], wanted: Sequence[WantedColumn]) -> list[Column]:
    """The columns as they are wanted, in that order; those that are not named any more are gone. Raises Invalid."""
    known = {column.id: column for column in present}
    problems = [*_problems_of_names(wanted), *_problems_of_ids(known, wanted)]
    if len(wanted) > MOST_COLUMNS:
        problems.append(Problem("/columns", sentence("a table has at most %(most)s columns", most=MOST_COLUMNS)))
    raise_any(problems)
    return [Column(one.id or _new_id(), one.name, one.type, one.required) for one in wanted]


def is_name(text: str) -> bool:
    """Whether columns and tables can be called so."""
    return _NAME.fullmatch(text) is not None


def name_problem(pointer: str) -> Problem:
    return Problem(pointer, _NAME_RULE)


def name_from(text: str, taken: Sequence[str] = ()) -> str:
    """A name made of what a file or a heading is called, unlike those that are taken."""
    bare = re.sub(r"\W+", "_", text.strip()).strip("_")[:50] or "column"
    name = f"_{bare}" if bare[0].isdigit() else bare
    others = {*(one.casefold() for one in taken), *_RESERVED_FOLDED}
    names = [name, *(f"{name}_{number}" for number in range(2, len(others) + 3))]
    return next(one for one in names if one.casefold() not in others)


def _read(entry: Any, at: str, problems: list[Problem]) -> WantedColumn | None:
    if not isinstance(entry, Mapping):
        problems.append(Problem(at, sentence("must be an object")))
        return None
    fields = FieldReader(entry)
    name = fields.require("name", str, _NAME_RULE)
    type_ = fields.take("type", str, _TYPE_RULE, lambda text: text in _TYPES) or ColumnType.TEXT
    id_, required = fields.take("id", str, sentence("must be the id of a column")), fields.flag("required")
    problems += [problem.under(at) for problem in fields.problems]
    return WantedColumn(id_ or None, name or "", ColumnType(type_), bool(required))


_TYPES = [type_.value for type_ in ColumnType]
_TYPE_RULE = sentence("must be one of %(choices)s", choices=", ".join(_TYPES))


def _problems_of_names(wanted: Sequence[WantedColumn]) -> list[Problem]:
    folded = [column.name.casefold() for column in wanted]
    found: list[Problem] = []
    for number, column in enumerate(wanted):
        at = f"/columns/{number}/name"
        if not is_name(column.name):
            found.append(name_problem(at))
        elif folded[number] in _RESERVED_FOLDED:
            found.append(Problem(at, sentence("is what every row has anyway")))
        elif folded[number] in folded[:number]:
            found.append(Problem(at, sentence("is the name of another column, too")))
    return found


def _problems_of_ids(known: Mapping[str, Column], wanted: Sequence[WantedColumn]) -> list[Problem]:
    found: list[Problem] = []
    seen: set[str] = set()
    for number, column in enumerate(wanted):
        if column.id is None:
            continue
        if column.id not in known or column.id in seen:
            found.append(Problem(f"/columns/{number}/id", sentence("must be the id of a column, once")))
        elif known[column.id].type != column.type:
            found.append(Problem(f"/columns/{number}/type", sentence("cannot be changed; add another column")))
        seen.add(column.id)
    return found


def _new_id() -> str:
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH))
