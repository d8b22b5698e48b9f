"""SHEETS_CREATE: make a spreadsheet.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/create
"""

from __future__ import annotations

from flowforge.connectors.actions.google_sheets import SHEETS
from flowforge.connectors.sdk import Calls, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject


class Config(ServiceConfig):
    title: str = field(title="Title", min_length=1)
    columns: list[str] = field(default_factory=list, title="Columns", description="Names for the first row.")


@SHEETS.action(
    "SHEETS_CREATE",
    Config,
    title="create a spreadsheet",
    help="Makes a spreadsheet with one sheet.",
    summary=first_of("title"),
)
async def create(config: Config, sheets: Calls) -> JsonObject:
    cells = [{"userEnteredValue": {"stringValue": name}} for name in config.columns]
    data = [{"startRow": 0, "startColumn": 0, "rowData": [{"values": cells}]}]
    sheet = {"properties": {"title": "Sheet1"}, "data": data}
    made = await sheets.post("", json={"properties": {"title": config.title}, "sheets": [sheet]})
    return {"spreadsheetId": made.get("spreadsheetId"), "url": made.get("spreadsheetUrl")}
