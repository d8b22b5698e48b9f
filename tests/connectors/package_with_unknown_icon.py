"""A package of somebody else's whose connector wants an icon that the product does not have."""

from __future__ import annotations

from typing import Any

from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector


@connector("CART", ConnectorConfig, title="Cart", help="Fills a cart.", icon="cart")
def fill(config: ConnectorConfig, context: StepContext) -> dict[str, Any]:
    return {}
