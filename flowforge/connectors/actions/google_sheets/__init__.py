"""Google Sheets by the names of columns, which the first row of a sheet has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

from flowforge.connectors.connection_kinds.google import GOOGLE
from flowforge.connectors.connection_kinds.jwt import JWT
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, ConnectorError, Service, ServiceConfig, field

SHEETS = Service(
    "Google Sheets",
    "https://sheets.googleapis.com/v4/spreadsheets",
    "table",
    (OAUTH2, GOOGLE, JWT),
    ("google", "spreadsheet", "excel"),
)
_UNFORMATTED = {"valueRenderOption": "UNFORMATTED_VALUE", "dateTimeRenderOption": "FORMATTED_STRING"}
Row = dict[str, Any]
T = TypeVar("T")


class SheetConfig(ServiceConfig):
    spreadsheet_id: str = field(
        title="Spreadsheet id", description="In its address, between /d/ and /edit.", min_length=1
    )
    sheet: str = field("Sheet1", title="Sheet", description="The name on its tab.", min_length=1)


class WritingConfig(SheetConfig):
    value_input_option: Literal["RAW", "USER_ENTERED"] = field(
        "RAW",
        title="Values are",
        description="RAW: kept as they are; USER_ENTERED: read as if typed, with formulas and dates.",
        group="Options",
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """The sheet that a step's config names."""

    config: SheetConfig
    sheets: Calls

    @property
    def range(self) -> str:
        """The whole sheet, in A1 notation."""
        return "'" + self.config.sheet.replace("'", "''") + "'"

    async def rows(self) -> list[tuple[int, Row]]:
        """The rows below the names of the columns, with their numbers."""
        return await self.filled(partial(_rows, await self._values(self.range)))

    async def names(self) -> list[str]:
        """The names of the columns. Raises ConnectorError where there are none."""
        values = await self._values(f"{self.range}!1:1")
        names = await self.sheets.compute(partial(_names, values), of=values)
        if not names:
            raise ConnectorError(f"the first row of {self.config.sheet} has no names of columns", permanent=True)
        return names

    async def matching(self, column: str, value: str) -> list[tuple[int, Row]]:
        """The rows with that value. Raises ConnectorError where they have no such column."""
        rows = await self.rows()
        return await self.sheets.compute(partial(_matching, rows, column, value), of=rows)

    async def filled(self, fill: Callable[[], T]) -> T:
        """Fills cells, in a thread: of rows that are short, or changes that are few, many cells may become."""
        return await self.sheets.context.in_thread(fill, computes=True)

    async def _values(self, range_: str) -> Any:
        answer = await self.sheets.get("/{}/values/{}", self.config.spreadsheet_id, range_, query=_UNFORMATTED)
        return answer.get("values")


def _names(values: Any) -> list[str]:
    return [str(name) for name in (values or [[]])[0]]


def _rows(values: Any) -> list[tuple[int, Row]]:
    """The rows after the first one, which holds the names of the columns."""
    names, *rows = values or [[]]
    return [(number, _row(names, cells)) for number, cells in enumerate(rows, start=2)]


def _matching(rows: Sequence[tuple[int, Row]], column: str, value: str) -> list[tuple[int, Row]]:
    """Raises ConnectorError where the rows have no such column."""
    if rows:
        require_known([{column: value}], list(rows[0][1]))
    return [(number, row) for number, row in rows if str(row[column]) == value]


def _row(names: Sequence[Any], cells: Sequence[Any]) -> Row:
    padded = [*cells, *[None] * (len(names) - len(cells))]
    return {str(name): cell for name, cell in zip(names, padded, strict=False) if name not in (None, "")}


def require_known(rows: Sequence[Row], names: Sequence[str]) -> None:
    """Raises ConnectorError for a column that the sheet does not have."""
    known = set(names)
    unknown = next((name for row in rows for name in row if name not in known), None)
    if unknown is not None:
        raise ConnectorError(f"there is no column {unknown!r}; there are {', '.join(names)}", permanent=True)


def cell_of(value: Any) -> Any:
    """The value as a cell takes it."""
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
