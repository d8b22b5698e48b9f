"""SHEETS_FIND: the first row whose column has a value.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/get
"""

from __future__ import annotations

from flowforge.connectors.actions.google_sheets import SHEETS, Sheet, SheetConfig
from flowforge.connectors.sdk import Calls, field
from flowforge.jsonio import JsonObject


class Config(SheetConfig):
    column: str = field(title="Column", min_length=1)
    value: str = field(title="Value", min_length=1)


@SHEETS.action(
    "SHEETS_FIND", Config, title="find a row", help="Gives the first row whose column has a value.", repeatable=True
)
async def find(config: Config, sheets: Calls) -> JsonObject:
    found = await Sheet(config, sheets).matching(config.column, config.value)
    return {"found": bool(found), "row": {"rowNumber": found[0][0], **found[0][1]} if found else None}
