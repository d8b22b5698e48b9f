"""GOOGLE_SHEET_ROW: append rows to a sheet.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/append
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BeforeValidator, model_validator

from flowforge.connectors.connection_kinds.google import GOOGLE, GoogleSignIn
from flowforge.connectors.sdk import StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

SHEETS = "https://sheets.googleapis.com"


def _rows(value: Any) -> Any:
    """A flat list is one row, a text one cell (contract.md, section 6)."""
    if isinstance(value, list):
        return value if all(isinstance(row, list) for row in value) else [value]
    return [[value]] if isinstance(value, str | int | float | bool) else value


class Config(GoogleSignIn):
    spreadsheet_id: str = field(title="Spreadsheet id", min_length=1)
    range: str = field(title="Range", description="A1 notation, e.g. Log!A1.", min_length=1)
    values: Annotated[list[list[Any]], BeforeValidator(_rows)] = field(title="Rows", min_length=1)
    value_input_option: Literal["USER_ENTERED", "RAW"] | None = field(
        None,
        title="Value input option",
        description="RAW stores values as they are; USER_ENTERED reads them as if somebody typed them, with formulas."
        " Empty: RAW where the rows hold expressions, since data from outside must not become formulas.",
        group="Options",
    )
    endpoint: str = field(SHEETS, title="Endpoint", description="Of a Sheets-compatible service.", group="Options")

    @model_validator(mode="after")
    def _some_credential(self) -> Config:
        if not self.service_account and not self.api_key:
            raise ValueError(sentence("serviceAccount is required (or the legacy apiKey)"))
        return self


def _usual_option(context: StepContext) -> str:
    """USER_ENTERED is the contract's default, and stays that of rows that the owner has written out."""
    return "RAW" if "values" in context.computed else "USER_ENTERED"


@connector(
    "GOOGLE_SHEET_ROW",
    Config,
    title="Google Sheets row",
    help="Appends rows to a Google sheet.",
    icon="table",
    keywords=("spreadsheet", "table", "excel"),
    summary=first_of("range"),
    connections=(GOOGLE,),
)
async def google_sheet_row(config: Config, context: StepContext) -> JsonObject:
    path = f"/v4/spreadsheets/{quote(config.spreadsheet_id, safe='')}/values/{quote(config.range, safe='')}:append"
    response = await context.tools.async_http.send(
        context,
        "POST",
        config.endpoint + path,
        params={"valueInputOption": config.value_input_option or _usual_option(context)},
        json={"values": config.values},
        signed_by=context.connection or GOOGLE.credentials(config, context),
    )
    response.raise_for_status("Google Sheets")
    answer = await context.compute(response.body, of=response.content)
    updates = answer.get("updates", {}) if isinstance(answer, dict) else {}
    return {"updatedRange": updates.get("updatedRange"), "response": answer}
