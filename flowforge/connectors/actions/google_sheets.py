"""Google Sheets by the names of columns: read, append, update, find, create. The first row of a sheet has the names.

https://developers.google.com/workspace/sheets/api/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from flowforge.connectors.connection_kinds.google import GOOGLE
from flowforge.connectors.connection_kinds.jwt import JWT
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, ConnectorError, Service, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject

SHEETS = Service(
    "Google Sheets",
    "https://sheets.googleapis.com/v4/spreadsheets",
    "table",
    (OAUTH2, GOOGLE, JWT),
    ("google", "spreadsheet", "excel"),
)
_UNFORMATTED = {"valueRenderOption": "UNFORMATTED_VALUE", "dateTimeRenderOption": "FORMATTED_STRING"}
Option = Literal["RAW", "USER_ENTERED"]
Row = dict[str, Any]


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class SheetConfig(ServiceConfig):
    spreadsheet_id: str = field(
        title="Spreadsheet id", description="In its address, between /d/ and /edit.", min_length=1
    )
    sheet: str = field("Sheet1", title="Sheet", description="The name on its tab.", min_length=1)


class Writing(SheetConfig):
    value_input_option: Option = field(
        "RAW",
        title="Values are",
        description="RAW: kept as they are; USER_ENTERED: read as if typed, with formulas and dates.",
        group="Options",
    )


class Read(SheetConfig):
    limit: int = field(10_000, title="Rows at most", ge=1, le=100_000)


@SHEETS.action(
    "SHEETS_READ",
    Read,
    title="read rows",
    help="Gives the rows of a sheet as objects.",
    summary=first_of("sheet"),
    repeatable=True,
)
def read(config: Read, sheets: Calls) -> JsonObject:
    rows = [{"rowNumber": number, **row} for number, row in _rows(config, sheets)]
    return {"rows": rows[: config.limit], "complete": len(rows) <= config.limit}


class Find(SheetConfig):
    column: str = field(title="Column", min_length=1)
    value: str = field(title="Value", min_length=1)


@SHEETS.action(
    "SHEETS_FIND", Find, title="find a row", help="Gives the first row whose column has a value.", repeatable=True
)
def find(config: Find, sheets: Calls) -> JsonObject:
    found = _matching(_rows(config, sheets), config.column, config.value)
    return {"found": bool(found), "row": {"rowNumber": found[0][0], **found[0][1]} if found else None}


class Append(Writing):
    rows: Annotated[list[Row], BeforeValidator(_one_or_more)] = field(
        title="Rows", description='An object by the names of columns, or a list of them: {"Name": "Ann"}.', min_length=1
    )


@SHEETS.action(
    "SHEETS_APPEND", Append, title="append rows", help="Adds rows by the names of columns.", summary=first_of("sheet")
)
def append(config: Append, sheets: Calls) -> JsonObject:
    names = _names(config, sheets)
    values = [[_cell(row.get(name)) for name in names] for row in config.rows]
    _require_known(config.rows, names)
    query = {"valueInputOption": config.value_input_option, "insertDataOption": "INSERT_ROWS"}
    answer = sheets.post(
        "/{}/values/{}:append", config.spreadsheet_id, _range(config), query=query, json={"values": values}
    )
    return {"updatedRange": (answer.get("updates") or {}).get("updatedRange"), "appended": len(values)}


class Update(Writing):
    column: str = field(title="Column", description="Rows in which this column ...", min_length=1)
    value: str = field(title="Value", description="... has this value are changed.", min_length=1)
    changes: Row = field(title="Changes", description="By the names of columns; others stay.", min_length=1)


@SHEETS.action(
    "SHEETS_UPDATE", Update, title="update rows", help="Changes the rows whose column has a value.", repeatable=True
)
def update(config: Update, sheets: Calls) -> JsonObject:
    names = _names(config, sheets)
    _require_known([config.changes], names)
    found = _matching(_rows(config, sheets), config.column, config.value)
    data = [
        {"range": f"{_range(config)}!{_letters(names.index(name))}{number}", "values": [[_cell(value)]]}
        for number, _ in found
        for name, value in config.changes.items()
    ]
    if data:
        body = {"valueInputOption": config.value_input_option, "data": data}
        sheets.post("/{}/values:batchUpdate", config.spreadsheet_id, json=body)
    return {"updated": len(found), "rowNumbers": [number for number, _ in found]}


class Create(ServiceConfig):
    title: str = field(title="Title", min_length=1)
    columns: list[str] = field(default_factory=list, title="Columns", description="Names for the first row.")


@SHEETS.action(
    "SHEETS_CREATE",
    Create,
    title="create a spreadsheet",
    help="Makes a spreadsheet with one sheet.",
    summary=first_of("title"),
)
def create(config: Create, sheets: Calls) -> JsonObject:
    cells = [{"userEnteredValue": {"stringValue": name}} for name in config.columns]
    data = [{"startRow": 0, "startColumn": 0, "rowData": [{"values": cells}]}]
    sheet = {"properties": {"title": "Sheet1"}, "data": data}
    made = sheets.post("", json={"properties": {"title": config.title}, "sheets": [sheet]})
    return {"spreadsheetId": made.get("spreadsheetId"), "url": made.get("spreadsheetUrl")}


def _rows(config: SheetConfig, sheets: Calls) -> Iterator[tuple[int, Row]]:
    """The rows below the names, with their numbers."""
    answer = sheets.get("/{}/values/{}", config.spreadsheet_id, _range(config), query=_UNFORMATTED)
    names, *rows = answer.get("values") or [[]]
    for number, cells in enumerate(rows, start=2):
        padded = [*cells, *[None] * (len(names) - len(cells))]
        yield number, {str(name): cell for name, cell in zip(names, padded, strict=False) if name not in (None, "")}


def _names(config: SheetConfig, sheets: Calls) -> list[str]:
    """The names of the columns. Raises ConnectorError where there are none."""
    answer = sheets.get("/{}/values/{}", config.spreadsheet_id, f"{_range(config)}!1:1", query=_UNFORMATTED)
    names = [str(name) for name in (answer.get("values") or [[]])[0]]
    if not names:
        raise ConnectorError(f"the first row of {config.sheet} has no names of columns", permanent=True)
    return names


def _require_known(rows: Sequence[Row], names: Sequence[str]) -> None:
    unknown = next((name for row in rows for name in row if name not in names), None)
    if unknown is not None:
        raise ConnectorError(f"there is no column {unknown!r}; there are {', '.join(names)}", permanent=True)


def _matching(rows: Iterator[tuple[int, Row]], column: str, value: str) -> list[tuple[int, Row]]:
    """Raises ConnectorError where the rows have no such column."""
    all_rows = list(rows)
    if all_rows:
        _require_known([{column: value}], list(all_rows[0][1]))
    return [(number, row) for number, row in all_rows if str(row[column]) == value]


def _range(config: SheetConfig) -> str:
    """The sheet in A1 notation."""
    return "'" + config.sheet.replace("'", "''") + "'"


def _cell(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _letters(index: int) -> str:
    """A for 0, AA for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
