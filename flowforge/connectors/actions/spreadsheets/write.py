"""WRITE_SPREADSHEET: a file with the table that records make."""

from __future__ import annotations

from typing import Any, Self

from pydantic import model_validator

from flowforge.connectors.actions.spreadsheets import FORMAT_LABELS, SPREADSHEETS, Format
from flowforge.connectors.sdk import (
    ConnectorConfig,
    File,
    StepContext,
    connector,
    field,
    first_of,
    foreign_files,
)
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}


class Config(ConnectorConfig):
    rows: list[Any] | None = field(None, title="Rows", description="A list of objects.")
    source: File | None = field(
        None, title="Rows in a file", description="Instead of rows: lines of JSON, such as the file of a query."
    )
    format: Format = field("csv", title="Format", labels=FORMAT_LABELS)
    name: str = field("", title="File name", description="Empty: table.csv, table.xlsx.", max_length=200)
    columns: list[str] = field(
        [], title="Columns", description="The fields, in their order. Empty: all there are.", max_length=1_000
    )
    header: bool = field(True, title="Names in the first row")
    delimiter: str = field(
        "", title="Delimiter", description="Of a CSV. Empty: a comma.", max_length=1, group="Options"
    )
    quote: str = field('"', title="Quotes", min_length=1, max_length=1, group="Options")
    for_excel: bool = field(
        False,
        title="CSV for Excel",
        description="With a byte order mark; what would be taken for a formula gets an apostrophe before it.",
        group="Options",
    )
    sheet: str = field("", title="Sheet", description="Of a workbook. Empty: Sheet1.", max_length=31, group="Options")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.rows is None) == (self.source is None):
            raise ValueError(sentence("either rows or source is needed"))
        return self


@connector(
    "WRITE_SPREADSHEET",
    Config,
    title="Write a spreadsheet",
    help="Makes a CSV, Excel or JSON Lines file of a list of objects.",
    icon="table",
    keywords=("csv", "excel", "xlsx", "table", "jsonl", "export", "report"),
    summary=first_of("name", "rows"),
    repeatable=True,
)
def write_spreadsheet(config: Config, context: StepContext) -> JsonObject:
    options = config.model_dump(by_alias=True, exclude={"source", "name"})
    with (
        foreign_files.making(SPREADSHEETS, context, options, config.source) as ([columns], path),
        path.open("rb") as made,
    ):
        kept = context.files.keep(made, config.name or f"table.{config.format}", _TYPES[config.format])
    return {"file": kept.as_json(), "columns": columns}
