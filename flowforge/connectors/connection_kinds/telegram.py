"""telegram: the token of a bot, which stands in the path (https://core.telegram.org/bots/api#making-requests)."""

from __future__ import annotations

from flowforge.connectors.sdk import ConnectionKind, ConnectorConfig, Credentials, Request, secret


class BotToken(ConnectorConfig):
    token: str = secret(title="Bot token", description="As BotFather gives it: 123456:ABC-…", pattern=r"^\d+:[\w-]+$")


def _sign(request: Request, credentials: Credentials[BotToken]) -> Request:
    return request.with_path_prefix(f"/bot{credentials.config.token}")


def _test(credentials: Credentials[BotToken]) -> bool:
    context = credentials.context
    context.tools.http.send(context, "GET", "https://api.telegram.org/getMe", signed_by=credentials).raise_for_status(
        "Telegram"
    )
    return True


TELEGRAM = ConnectionKind(
    "telegram",
    BotToken,
    title="Telegram bot",
    help="The token of a bot.",
    icon="message",
    keywords=("bot", "chat"),
    sign=_sign,
    test=_test,
)
