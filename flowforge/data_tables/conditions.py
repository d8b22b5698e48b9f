"""Conditions on the rows of a data table, and what is asked of it: which rows, in which order, from where on."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from flowforge import jsonio
from flowforge.data_tables.columns import Column, ColumnType
from flowforge.data_tables.shape import Shape
from flowforge.data_tables.values import to_stored
from flowforge.errors import Invalid, Problem, raise_any
from flowforge.sentences import message_of, sentence

MOST_CONDITIONS = 20
MOST_ROWS = 1_000
"""Rows that are read, or changed, at once."""
MOST_CHOICES = 1_000


class Operator(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "notEquals"
    LESS = "less"
    AT_MOST = "atMost"
    MORE = "more"
    AT_LEAST = "atLeast"
    ONE_OF = "oneOf"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    IS_EMPTY = "isEmpty"
    IS_NOT_EMPTY = "isNotEmpty"


LABELS: Mapping[str, str] = {
    Operator.EQUALS: "is",
    Operator.NOT_EQUALS: "is not",
    Operator.LESS: "is less than",
    Operator.AT_MOST: "is at most",
    Operator.MORE: "is greater than",
    Operator.AT_LEAST: "is at least",
    Operator.ONE_OF: "is one of",
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts with",
    Operator.IS_EMPTY: "is empty",
    Operator.IS_NOT_EMPTY: "is not empty",
}
OF_TEXT = (Operator.CONTAINS, Operator.STARTS_WITH)
WITHOUT_VALUE = (Operator.IS_EMPTY, Operator.IS_NOT_EMPTY)


@dataclass(frozen=True, slots=True)
class WantedCondition:
    """A condition as somebody writes it."""

    column: str
    operator: Operator
    value: Any = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the stored value of a column; a list of them for ONE_OF."""

    column: Column
    operator: Operator
    value: Any = None


@dataclass(frozen=True, slots=True)
class Position:
    """The row behind which a page begins: its stored value in the column that sorts, and its id."""

    value: Any
    id: UUID

    @classmethod
    def read(cls, cursor: str) -> Position:
        """Raises Invalid."""
        try:
            value, id_ = jsonio.loads(base64.urlsafe_b64decode(cursor))
            return cls(value, UUID(id_))
        except (ValueError, TypeError, AttributeError) as error:
            raise Invalid.at("/after", sentence("must be what 'next' of the page before said")) from error

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(jsonio.dumps([self.value, str(self.id)])).decode()


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows for which all the conditions hold, or `any_of` them."""

    conditions: Sequence[Condition] = ()
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A page of rows. Without a `sort` they come in the order in which they were added."""

    selection: Selection = Selection()
    sort: Column | None = None
    descending: bool = False
    limit: int = 100
    after: Position | None = None
    most_bytes: int = 1024 * 1024
    """Of the stored values together; at least one row is given."""


def read_selection(shape: Shape, wanted: Sequence[WantedCondition], *, any_of: bool = False) -> Selection:
    """Raises Invalid, which names the condition by its number."""
    problems: list[Problem] = []
    if len(wanted) > MOST_CONDITIONS:
        problems.append(Problem("/conditions", sentence("must be at most %(most)s", most=MOST_CONDITIONS)))
    read = [_read(shape, one, f"/conditions/{number}", problems) for number, one in enumerate(wanted)]
    raise_any(problems)
    return Selection([condition for condition in read if condition is not None], any_of)


def sorted_by(query: Query, shape: Shape, name: str | None) -> Query:
    """The query, sorted by the column of that name. Raises Invalid."""
    if not name:
        return query
    column = shape.find(name, "/sort")
    if column.type is ColumnType.JSON:
        raise Invalid.at("/sort", sentence("cannot be a column of JSON"))
    return replace(query, sort=column)


def _read(shape: Shape, wanted: WantedCondition, at: str, problems: list[Problem]) -> Condition | None:
    try:
        column = shape.find(wanted.column, f"{at}/column")
        _require_operator(column, wanted.operator, f"{at}/operator")
        return Condition(column, wanted.operator, _value_of(column, wanted, f"{at}/value"))
    except Invalid as error:
        problems += error.problems
        return None


def _require_operator(column: Column, operator: Operator, at: str) -> None:
    if column.type is ColumnType.JSON and operator not in WITHOUT_VALUE:
        raise Invalid.at(at, sentence("must be isEmpty or isNotEmpty for a column of JSON"))
    if operator in OF_TEXT and column.type is not ColumnType.TEXT:
        raise Invalid.at(at, sentence("is for columns of text, and this is one of %(type)s", type=column.type))


def _value_of(column: Column, wanted: WantedCondition, at: str) -> Any:
    if wanted.operator in WITHOUT_VALUE:
        return None
    if wanted.operator is Operator.ONE_OF:
        return [_stored(column, value, at) for value in _choices(wanted.value, at)]
    return _stored(column, wanted.value, at)


def _choices(value: Any, at: str) -> Sequence[Any]:
    """A list of values; of a text, one a line."""
    choices = value.splitlines() if isinstance(value, str) else value
    if not isinstance(choices, list) or len(choices) > MOST_CHOICES:
        raise Invalid.at(at, sentence("must be a list of at most %(most)s values", most=format(MOST_CHOICES, ",")))
    return choices


def _stored(column: Column, value: Any, at: str) -> Any:
    try:
        stored = to_stored(column, value)
    except ValueError as error:
        raise Invalid.at(at, message_of(error)) from None
    if stored is None:
        raise Invalid.at(at, sentence("is required; for empty ones, the operator is isEmpty"))
    return stored
