"""The wire models of data tables (see schemas.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from flowforge.connectors.tables import IfThere
from flowforge.data_tables.columns import MOST_COLUMNS, ColumnType
from flowforge.data_tables.conditions import MOST_CONDITIONS, MOST_ROWS, Operator
from flowforge.jsonio import JsonObject
from flowforge.table_registry.changes import MOST_DAYS
from webapp.wire import FreeObject, Wire


class Column(Wire):
    id: str
    name: str
    type: ColumnType
    required: bool


class Table(Wire):
    id: UUID
    name: str
    columns: list[Column]
    key: str | None = Field(description="The column by whose value rows are known.")
    expire_after: int | None = Field(description="Days after which new rows expire.")
    row_count: int = Field(description="Also of rows that expired a moment ago.")
    bytes: int
    created_at: datetime
    updated_at: datetime = Field(description="When its columns were changed last.")


class WantedColumn(Wire):
    id: str | None = Field(None, description="That of a column that exists; null for a new one.")
    name: str = Field(min_length=1, max_length=63)
    type: ColumnType = ColumnType.TEXT
    required: bool = False


class WantedTable(Wire):
    name: str = Field(min_length=1, max_length=63)
    columns: list[WantedColumn] = Field(min_length=1, max_length=MOST_COLUMNS)
    key: str | None = Field(None, description="The name of the column by whose value rows are known.")
    expire_after: int | None = Field(None, ge=1, le=MOST_DAYS)


class Rows(Wire):
    rows: list[FreeObject] = Field(description="By the names of the columns, with id, createdAt, updatedAt, expiresAt.")
    count: int
    next: str | None = Field(description="Given as `after`, it finds the following page; null: this is the last.")


class Condition(Wire):
    column: str
    operator: Operator = Operator.EQUALS
    value: Any = None


class WantedRows(Wire):
    conditions: list[Condition] = Field([], max_length=MOST_CONDITIONS)
    match: Literal["all", "any"] = "all"
    sort: str | None = Field(None, description="A column; without one, rows come as they were added.")
    descending: bool = False
    limit: int = Field(100, ge=1, le=MOST_ROWS)
    after: str | None = Field(None, description="The `next` of the page before.")


class NewRows(Wire):
    rows: list[JsonObject] = Field(max_length=MOST_ROWS)
    if_there: IfThere = Field(IfThere.REFUSE, description="What is done with a row whose key another one has.")


class AddedRow(Wire):
    is_new: bool
    row: FreeObject


class Row(Wire):
    row: FreeObject = Field(description="By the names of the columns, with id, createdAt, updatedAt, expiresAt.")


class RowChange(Wire):
    values: JsonObject = Field(description="By the names of columns; null empties one, others stay as they are.")


class LineProblem(Wire):
    line: int
    message: str


class Imported(Wire):
    added: int
    changed: int
    known: int = Field(description="Rows that were there, and stayed as they were.")
    left_out: int = Field(description="Lines that cannot be rows.")
    problems: list[LineProblem] = Field(description="Of these, at most 100.")
    stopped: str | None = Field(description="The reason why the rest was not read.")
