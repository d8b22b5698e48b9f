"""Data tables as connectors see them: those of the account, each with its rows.

What changes rows is done once for each call of a step: where it is asked for again, the answer is the first one. All
raise Invalid for what does not fit the table, Conflict where it is full or a key is taken, OverQuota, and Unavailable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from flowforge.data_tables.conditions import WantedCondition
from flowforge.data_tables.shape import Shape
from flowforge.errors import NotFound
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_NO_TABLES = sentence("there are no tables here")


class IfThere(StrEnum):
    """What is done with a new row whose key another one has."""

    REFUSE = "refuse"
    KEEP = "keep"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class NewRows:
    """Rows to be added. `at`: the pointer of the list, or with `is_single` of the row; problems are named below it."""

    rows: Sequence[Mapping[str, Any]]
    at: str
    is_single: bool = False
    if_there: IfThere = IfThere.REFUSE
    expire_after: timedelta | None = None
    """None: as the table says."""

    def pointer(self, number: int) -> str:
        return self.at if self.is_single else f"{self.at}/{number}"


@dataclass(frozen=True, slots=True)
class Which:
    """Rows that exist: by key, by id, or by conditions. With none of them, all."""

    key: Any = None
    id: str | None = None
    conditions: Sequence[WantedCondition] = ()
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class WantedPage:
    """See flowforge.data_tables.conditions.Query."""

    which: Which = field(default_factory=Which)
    sort: str | None = None
    descending: bool = False
    limit: int = 100
    after: str | None = None
    most_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a row. `is_new`: whether it was added."""

    is_new: bool
    row: JsonObject


class Table(Protocol):
    """One table. A row is given by the names of its columns, with `id`, `createdAt`, `updatedAt` and `expiresAt`."""

    @property
    def shape(self) -> Shape: ...

    def add(self, new: NewRows) -> Sequence[Added]:
        """What became of each row, in their order."""

    def get(self, which: Which) -> JsonObject | None:
        """A row by its key or id."""

    def find(self, wanted: WantedPage) -> JsonObject:
        """A page: `rows`, their `count`, and `next`, by which the following one is found; null where there is none."""

    def count(self, which: Which) -> int: ...

    def update(self, which: Which, values: Mapping[str, Any], expire_after: timedelta | None = None) -> int:
        """Changes rows, at most MOST_ROWS; returns how many."""

    def delete(self, which: Which) -> int:
        """Deletes rows, at most MOST_ROWS; returns how many."""

    def increment(self, which: Which, column: str, amount: float) -> Any:
        """Adds to a number, and returns what it is then. A row that is named by its key is added where it is not
        there."""


class TableAccess(Protocol):
    """The tables of one account."""

    def names(self) -> Sequence[str]: ...

    def find(self, name: str) -> Table:
        """Raises NotFound."""

    def see(self, key: str, *, across_workflows: bool, days: float) -> tuple[bool, datetime]:
        """Whether this step is the first to see the key, and since when it is known. Raises OverQuota."""


class NoTables:
    """For contexts that belong to no account."""

    def names(self) -> Sequence[str]:
        return ()

    def find(self, name: str) -> Table:
        raise NotFound(_NO_TABLES)

    def see(self, key: str, *, across_workflows: bool, days: float) -> tuple[bool, datetime]:
        raise NotFound(_NO_TABLES)
