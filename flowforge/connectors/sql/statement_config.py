"""The fields of every step that holds SQL, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from flowforge import jsonio
from flowforge.connectors.bounded_results import as_file, listing
from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.database_values import from_json, keeping, to_json
from flowforge.connectors.files import FileAccess
from flowforge.connectors.sql.parameters import PYFORMAT, Adapt, Bound, ParameterStyle, Quoting, bind
from flowforge.connectors.sql.session import Rows
from flowforge.fields import field
from flowforge.jsonio import JsonObject

LONGEST_SQL = 100_000
MOST_ROWS = 100_000
NO_EXPRESSIONS = (
    "holds no expressions, since SQL must never be made of data: write :name where a value belongs, and give it under"
    ' parameters: {"name": "{{ … }}"}'
)


class StatementConfig(ConnectorConfig):
    sql: str = field(
        multiline=True,
        title="SQL",
        description="Values stand in it as :name, and under the parameters.",
        max_length=LONGEST_SQL,
        no_expressions=NO_EXPRESSIONS,
    )
    parameters: dict[str, Any] = field(
        default_factory=dict,
        title="Parameters",
        description="A value for each :name. A list stands for its members, as in IN (:ids).",
    )
    result: Literal["rows", "file"] = field(
        "rows",
        title="Result",
        description="file: any number of rows, as one file with a line of JSON for each.",
        group="Result",
    )
    most_rows: int = field(
        1_000, title="Maximum rows", description="More rows are an error.", ge=1, le=MOST_ROWS, group="Result"
    )

    def bound(
        self,
        files: FileAccess,
        *,
        adapt: Adapt = lambda value: value,
        style: ParameterStyle = PYFORMAT,
        quoting: Quoting = "standard",
    ) -> Bound:
        """The statement with its parameters as the driver takes them. Raises ConnectorError."""
        return bind(
            self.sql,
            self.parameters,
            lambda value: adapt(parameter(value, files)),
            style=style,
            quoting=quoting,
        )

    def read(self, rows: Rows, files: FileAccess, *, only_first: bool = False) -> JsonObject:
        """The rows as the step gives them. Raises ConnectorError for too many."""
        if only_first:
            return {"row": next(_readable(rows, files), None)}
        return as_file(_readable(rows, files), files) if self.result == "file" else self.listed(rows, files)

    def listed(self, rows: Rows, files: FileAccess) -> JsonObject:
        return listing(_readable(rows, files), self.most_rows)


def parameter(value: Any, files: FileAccess) -> Any:
    """A value of JSON as a parameter: objects and lists as JSON text, files as their bytes. Raises ConnectorError."""
    return from_json(value, files, lambda structure: jsonio.dumps(structure).decode())


def _readable(rows: Rows, files: FileAccess) -> Iterator[JsonObject]:
    keep = keeping(files)
    for row in rows.rows:
        named = zip(rows.columns, row, strict=True)
        yield {name: to_json(value, name, keep) for name, value in named}
