"""Tables in files: CSV, Excel (XLSX), lines of JSON; read and written in a process of its own."""

from __future__ import annotations

from typing import Literal

from flowforge.connectors.sdk import child

SPREADSHEETS = child.Program("spreadsheet_program", memory=768 * 1024 * 1024, work="the work on the spreadsheet")
Format = Literal["csv", "xlsx", "jsonl"]
FORMAT_LABELS = {"csv": "CSV", "xlsx": "Excel (XLSX)", "jsonl": "Lines of JSON"}
