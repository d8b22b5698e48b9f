"""slack: an incoming webhook, or a bot token.

https://api.slack.com/messaging/webhooks, https://api.slack.com/authentication/token-types
"""

from __future__ import annotations

from pydantic import AliasChoices

from flowforge.connectors.sdk import ConnectionKind, ConnectorConfig, ConnectorError, Credentials, Request, secret

AUTH_TEST = "https://slack.com/api/auth.test"
PASSING_ERRORS = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""The errors after which the same call may succeed (https://docs.slack.dev/reference/methods/chat.postMessage)."""


class SlackSignIn(ConnectorConfig):
    webhook_url: str | None = secret(
        None,
        validation_alias=AliasChoices("webhookUrl", "webhook_url"),
        serialization_alias="webhookUrl",
        title="Webhook URL",
        description="Of an incoming webhook. Leave empty to use a bot token.",
    )
    bot_token: str | None = secret(None, title="Bot token", description="xoxb-…; needs a channel.")


def _sign(request: Request, credentials: Credentials[SlackSignIn]) -> Request:
    if not credentials.config.bot_token:
        raise ConnectorError("the connection has no bot token: an incoming webhook takes nothing but messages", True)
    return request.with_headers({"Authorization": f"Bearer {credentials.config.bot_token}"})


def _test(credentials: Credentials[SlackSignIn]) -> bool:
    """https://api.slack.com/methods/auth.test; a webhook's address cannot be tried without posting."""
    if not credentials.config.bot_token:
        return False
    context = credentials.context
    response = context.tools.http.send(context, "POST", AUTH_TEST, signed_by=credentials)
    response.raise_for_status("Slack")
    answer = response.body()
    if not isinstance(answer, dict) or not answer.get("ok"):
        reason = answer.get("error", "no reason") if isinstance(answer, dict) else "no JSON"
        raise ConnectorError(f"Slack refused the bot token: {reason}", permanent=True)
    return True


SLACK = ConnectionKind(
    "slack",
    SlackSignIn,
    title="Slack",
    help="An incoming webhook, or the token of a bot.",
    icon="message",
    keywords=("chat",),
    sign=_sign,
    signs_at_once=True,
    test=_test,
)
