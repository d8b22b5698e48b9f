"""SHEETS_APPEND: add rows.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/append
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator

from flowforge.connectors.actions.google_sheets import SHEETS, Row, Sheet, WritingConfig, cell_of, require_known
from flowforge.connectors.sdk import Calls, field, first_of
from flowforge.jsonio import JsonObject


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class Config(WritingConfig):
    rows: Annotated[list[Row], BeforeValidator(_one_or_more)] = field(
        title="Rows", description='An object by the names of columns, or a list of them: {"Name": "Ann"}.', min_length=1
    )


@SHEETS.action(
    "SHEETS_APPEND", Config, title="append rows", help="Adds rows by the names of columns.", summary=first_of("sheet")
)
async def append(config: Config, sheets: Calls) -> JsonObject:
    sheet = Sheet(config, sheets)
    names = await sheet.names()
    values = await sheet.filled(partial(_cells, config.rows, names))
    query = {"valueInputOption": config.value_input_option, "insertDataOption": "INSERT_ROWS"}
    answer = await sheets.post(
        "/{}/values/{}:append", config.spreadsheet_id, sheet.range, query=query, json={"values": values}
    )
    return {"updatedRange": (answer.get("updates") or {}).get("updatedRange"), "appended": len(values)}


def _cells(rows: Sequence[Row], names: Sequence[str]) -> list[list[Any]]:
    """The values in the order of the columns. Raises ConnectorError for one that has no column."""
    require_known(rows, names)
    return [[cell_of(row.get(name)) for name in names] for row in rows]
