"""READ_SPREADSHEET: the records of a table in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from flowforge import charsets
from flowforge.connectors.actions.spreadsheets import FORMAT_LABELS, SPREADSHEETS, Format
from flowforge.connectors.sdk import (
    MOST_ROWS,
    ConnectorConfig,
    Content,
    Source,
    StepContext,
    as_file,
    connector,
    field,
    first_of,
    foreign_files,
    listing,
)
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.lenient_values import number_of
from flowforge.sentences import sentence

_FORMAT_OF_SUFFIX: dict[str, Format] = {".xlsx": "xlsx", ".xlsm": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_WITH_COMMA = re.compile(r"-?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]+)?", re.ASCII)
"""1,5 or 1.234,50; the points only where they part thousands."""


def _known_charset(name: str) -> str:
    if name and charsets.codec_of(name) is None:
        raise ValueError(sentence("there is no such charset"))
    return name


class Config(ConnectorConfig):
    file: Source = field(title="File", description="A file, or the text of a CSV.")
    format: Literal["", Format] = field(
        "", title="Format", description="Empty: as the file's name says, else CSV.", labels=FORMAT_LABELS
    )
    header: bool = field(True, title="Names in the first row", description="No: each row is a list.")
    skip: int = field(0, title="Skip first rows", ge=0, le=1_000)
    sheet: str = field("", title="Sheet", description="Of a workbook. Empty: the first one.", group="Options")
    delimiter: str = field("", title="Delimiter", description="Empty: found by itself.", max_length=1, group="Options")
    quote: str = field('"', title="Quotes", min_length=1, max_length=1, group="Options")
    charset: Annotated[str, AfterValidator(_known_charset)] = field(
        "", title="Charset", description="Empty: UTF-8, or windows-1252 where it is not.", group="Options"
    )
    numbers: bool = field(
        False, title="Numbers", description="Texts of a CSV that are numbers become numbers.", group="Options"
    )
    decimal_comma: bool = field(
        False,
        title="Numbers with a comma",
        description="Texts of a CSV such as 1,5 and 1.234,50 become numbers: 1.5 and 1234.5.",
        group="Options",
    )
    result: Literal["rows", "file"] = field(
        "rows", title="Result", description="file: any number of rows, as one file with a line of JSON for each."
    )
    most_rows: int = field(10_000, title="Maximum rows", description="More rows are an error.", ge=1, le=MOST_ROWS)


@connector(
    "READ_SPREADSHEET",
    Config,
    title="Read a spreadsheet",
    help="Reads the rows of a CSV, Excel or JSON Lines file.",
    icon="table",
    keywords=("csv", "excel", "xlsx", "table", "tsv", "jsonl", "import"),
    summary=first_of("file"),
    repeatable=True,
)
def read_spreadsheet(config: Config, context: StepContext) -> JsonObject:
    content = context.files.content(config.file)
    request = {
        "format": config.format or _format_of(content),
        "charset": charsets.codec_of(config.charset),
        **config.model_dump(include={"header", "skip", "sheet", "delimiter", "quote"}),
    }
    with foreign_files.reading(SPREADSHEETS, content, context, request) as found:
        rows = (_with_numbers(row, config) for row in found) if config.numbers or config.decimal_comma else found
        return as_file(rows, context.files) if config.result == "file" else listing(rows, config.most_rows)


def _format_of(content: Content) -> Format:
    by_name = _FORMAT_OF_SUFFIX.get(PurePath(content.name).suffix.lower())
    return by_name or ("xlsx" if "spreadsheetml" in content.type else "csv")


def _with_numbers(row: Any, config: Config) -> Any:
    read = _number_with_comma if config.decimal_comma else number_of
    if isinstance(row, dict):
        return {name: _number_or(cell, read) for name, cell in row.items()}
    return [_number_or(cell, read) for cell in row] if isinstance(row, list) else row


def _number_or(cell: Any, read: Callable[[Any], int | float | None]) -> Any:
    number = read(cell)
    return cell if number is None else number


def _number_with_comma(cell: Any) -> int | float | None:
    if isinstance(cell, str) and _WITH_COMMA.fullmatch(cell):
        return number_of(cell.replace(".", "").replace(",", "."))
    return None
