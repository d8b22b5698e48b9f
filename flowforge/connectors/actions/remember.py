"""REMEMBER: whether something is seen for the first time, so that it is acted upon once."""

from __future__ import annotations

from typing import Literal

from flowforge import jsonio
from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject

LONGEST_KEY = 10_000
_LONGEST_DAYS = 3_660


class Config(ConnectorConfig):
    key: str = field(
        title="Key",
        description="Unique value, such as {{ trigger.body.orderId }}. Compared as a whole.",
        max_length=LONGEST_KEY,
    )
    days: float = field(
        30,
        title="Remember for (days)",
        description="Afterwards it counts as new again.",
        gt=0,
        le=_LONGEST_DAYS,
        allow_inf_nan=False,
    )
    scope: Literal["workflow", "account"] = field(
        "workflow", title="Scope", description="This workflow, or all workflows of the account."
    )


@connector(
    "REMEMBER",
    Config,
    title="Remember",
    help="Detects duplicates: tells whether a key is seen for the first time. Use a Branch after it.",
    icon="repeat",
    keywords=("once", "dedupe", "deduplicate", "unique", "first time", "new", "seen", "idempotent", "state"),
    summary=first_of("key"),
    repeatable=True,
    keeps=True,
)
def remember(config: Config, context: StepContext) -> JsonObject:
    """A step that is run again is answered as it was the first time."""
    across = config.scope == "account"
    first, since = context.tables.see(config.key, across_workflows=across, days=config.days)
    return {"first": first, "since": jsonio.format_time(since)}
