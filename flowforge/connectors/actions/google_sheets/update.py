"""SHEETS_UPDATE: change the rows whose column has a value.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/batchUpdate
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flowforge.connectors.actions.google_sheets import SHEETS, Row, Sheet, WritingConfig, cell_of, require_known
from flowforge.connectors.sdk import Calls, field
from flowforge.jsonio import JsonObject


class Config(WritingConfig):
    column: str = field(title="Column", description="Rows in which this column ...", min_length=1)
    value: str = field(title="Value", description="... has this value are changed.", min_length=1)
    changes: Row = field(title="Changes", description="By the names of columns; others stay.", min_length=1)


@SHEETS.action(
    "SHEETS_UPDATE", Config, title="update rows", help="Changes the rows whose column has a value.", repeatable=True
)
async def update(config: Config, sheets: Calls) -> JsonObject:
    sheet = Sheet(config, sheets)
    names = await sheet.names()
    await sheets.compute(partial(require_known, [config.changes], names), of=(config.changes, names))
    found = await sheet.matching(config.column, config.value)
    numbers = [number for number, _ in found]
    data = await sheet.filled(partial(_changed, sheet.range, names, numbers, config.changes))
    if data:
        body = {"valueInputOption": config.value_input_option, "data": data}
        await sheets.post("/{}/values:batchUpdate", config.spreadsheet_id, json=body)
    return {"updated": len(found), "rowNumbers": numbers}


def _changed(range_: str, names: Sequence[str], numbers: Sequence[int], changes: Row) -> list[JsonObject]:
    letters = {name: _letters(index) for index, name in reversed(list(enumerate(names)))}
    return [
        {"range": f"{range_}!{letters[name]}{number}", "values": [[cell_of(value)]]}
        for number in numbers
        for name, value in changes.items()
    ]


def _letters(index: int) -> str:
    """A for 0, AA for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
