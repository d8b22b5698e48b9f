"""SHEETS_READ: the rows of a sheet as objects.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/get
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flowforge.connectors.actions.google_sheets import SHEETS, Row, Sheet, SheetConfig
from flowforge.connectors.sdk import Calls, Polls, field, first_of
from flowforge.jsonio import JsonObject


class Config(SheetConfig):
    limit: int = field(10_000, title="Maximum rows", ge=1, le=100_000)


@SHEETS.action(
    "SHEETS_READ",
    Config,
    title="read rows",
    help="Gives the rows of a sheet as objects.",
    summary=first_of("sheet"),
    repeatable=True,
    polls=Polls(
        "New row in Google Sheets",
        "When a row is added to a sheet",
        items="rows",
        ignored=("rowNumber",),
        sample={"rowNumber": 2, "Name": "Ada", "Amount": 17},
    ),
)
async def read(config: Config, sheets: Calls) -> JsonObject:
    rows = await Sheet(config, sheets).rows()
    wanted = rows[: config.limit]
    numbered = await sheets.compute(partial(_numbered, wanted), of=wanted)
    return {"rows": numbered, "complete": len(rows) <= config.limit}


def _numbered(rows: Sequence[tuple[int, Row]]) -> list[Row]:
    return [{"rowNumber": number, **row} for number, row in rows]
