"""Slack with a bot token: messages with blocks and in threads, files, users."""

from __future__ import annotations

from flowforge.connectors.connection_kinds.bearer import BEARER
from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.connection_kinds.slack import PASSING_ERRORS, SLACK
from flowforge.connectors.sdk import ConnectorError, Response, Service


def _judge(response: Response, name: str) -> None:
    """Slack answers 200 to failures, too: only `ok` is reliable."""
    response.raise_for_status(name)
    answer = response.body()
    if isinstance(answer, dict) and answer.get("ok") is False:
        error = str(answer.get("error"))
        raise ConnectorError(f"{name} refused: {error}", permanent=error not in PASSING_ERRORS, answered=True)


WORKSPACE = Service("Slack", "https://slack.com/api", "message", (SLACK, OAUTH2, BEARER), ("chat",), judge=_judge)
