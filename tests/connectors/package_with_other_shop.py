"""A package of somebody else's that gives the name of a connection kind a second meaning."""

from __future__ import annotations

from typing import Any

from flowforge.connectors.sdk import ConnectionKind, ConnectorConfig, StepContext, connector

OTHER = ConnectionKind("shop", ConnectorConfig, title="Another shop", help="", icon="key")


@connector("OTHER_ORDER", ConnectorConfig, title="Order", help="", icon="table", connections=(OTHER,))
def order(config: ConnectorConfig, context: StepContext) -> dict[str, Any]:
    return {}
