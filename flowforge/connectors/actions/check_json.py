"""CHECK_JSON: whether a value has the shape that a JSON Schema describes."""

from __future__ import annotations

from typing import Any, Literal

from flowforge.connectors.sdk import (
    ConnectorConfig,
    ConnectorError,
    StepContext,
    child,
    connector,
    field,
    first_of,
    foreign_files,
)
from flowforge.jsonio import JsonObject

_JSON_SCHEMA = child.Program("json_schema_program", memory=512 * 1024 * 1024, work="the check")
_SHOWN = 3


class Config(ConnectorConfig):
    value: Any = field(title="Value", description="The value to check, such as {{ trigger.body }}.")
    schema_: JsonObject = field(
        alias="schema",
        title="Schema",
        description='A JSON Schema: {"type": "object", "required": ["id"]}. It may refer to its own parts only.',
    )
    otherwise: Literal["fail", "continue"] = field(
        "fail", title="Otherwise", labels={"fail": "The step fails", "continue": "The workflow continues"}
    )


@connector(
    "CHECK_JSON",
    Config,
    title="Check data",
    help="Checks a value against a JSON Schema.",
    icon="check",
    keywords=("json schema", "validate", "shape", "contract"),
    summary=first_of("value"),
    repeatable=True,
)
def check_json(config: Config, context: StepContext) -> JsonObject:
    with foreign_files.asking(_JSON_SCHEMA, context, {"value": config.value, "schema": config.schema_}) as found:
        errors = [*found]
    if errors and config.otherwise == "fail":
        raise ConnectorError(f"the value does not fit the schema: {_told(errors)}", permanent=True)
    return {"valid": not errors, "errors": errors}


def _told(errors: list[JsonObject]) -> str:
    """The first errors; the places alone, since messages quote the value."""
    shown = ", ".join(error["path"] for error in errors[:_SHOWN])
    return f"at {shown}" + (f", and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else "")
