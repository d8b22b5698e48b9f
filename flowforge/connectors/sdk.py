"""All that a connector's file imports. One file declares everything: config, help, secrets, and what it does.

class Config(ConnectorConfig):
    webhook_url: str = secret(title="Webhook URL")

@connector("SLACK_MESSAGE", Config, title="Slack message", help="…", icon="message")
def run(config: Config, context: StepContext) -> dict[str, Any]: ...
"""

from __future__ import annotations

from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.connector import CONNECTION, ConnectionType, Connector, connector
from flowforge.connectors.context import StepContext, Tools
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.summaries import first_of, joined
from flowforge.fields import field, secret

__all__ = [
    "CONNECTION",
    "ConnectionType",
    "Connector",
    "ConnectorConfig",
    "ConnectorError",
    "StepContext",
    "Tools",
    "connector",
    "field",
    "first_of",
    "joined",
    "secret",
]
