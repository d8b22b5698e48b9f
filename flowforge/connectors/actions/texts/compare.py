"""COMPARE_TEXTS: what differs between two texts, or two values, line by line."""

from __future__ import annotations

from typing import Any

from flowforge import jsonio
from flowforge.connectors.sdk import ConnectorConfig, StepContext, child, connector, field, foreign_files
from flowforge.jsonio import JsonObject

_COMPARISON = child.Program("comparison_program", memory=512 * 1024 * 1024, work="the comparison")


class Config(ConnectorConfig):
    before: Any = field(title="Before", description="A text; anything else is compared as JSON.")
    after: Any = field(title="After")
    context: int = field(3, title="Lines around", description="That are the same, around each change.", ge=0, le=100)


@connector(
    "COMPARE_TEXTS",
    Config,
    title="Compare texts",
    help="Says what differs between two texts or values, line by line.",
    icon="shuffle",
    keywords=("diff", "difference", "change", "text", "watch"),
    repeatable=True,
)
def compare_texts(config: Config, context: StepContext) -> JsonObject:
    request = {"before": _lines(config.before), "after": _lines(config.after), "around": config.context}
    if request["before"] == request["after"]:
        return {"same": True, "diff": "", "added": 0, "removed": 0}
    with foreign_files.asking(_COMPARISON, context, request) as found:
        [difference] = found
    return {"same": False, **difference}


def _lines(value: Any) -> list[str]:
    text = value if isinstance(value, str) else jsonio.indented(value)
    return text.splitlines()
