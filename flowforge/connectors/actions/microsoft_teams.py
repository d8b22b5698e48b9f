"""Microsoft Teams by Microsoft Graph: messages in channels and chats.

https://learn.microsoft.com/graph/api/channel-post-messages, https://learn.microsoft.com/graph/api/chat-post-messages
"""

from __future__ import annotations

from typing import Literal

from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.sdk import Calls, Service, ServiceConfig, field, first_of
from flowforge.jsonio import JsonObject

TEAMS = Service("Microsoft Teams", "https://graph.microsoft.com/v1.0", "message", (OAUTH2,), ("chat", "microsoft"))
Format = Literal["text", "html"]


class MessageConfig(ServiceConfig):
    text: str = field(multiline=True, title="Text", min_length=1)
    format: Format = field("text", title="Format", description="Data from outside must be escaped for html.")


class ToChannel(MessageConfig):
    team_id: str = field(title="Team id", min_length=1)
    channel_id: str = field(title="Channel id", min_length=1)
    reply_to: str | None = field(None, title="Reply to", description="The id of the message that it answers.")


@TEAMS.action(
    "TEAMS_CHANNEL_MESSAGE",
    ToChannel,
    title="post to a channel",
    help="Posts a message, or an answer.",
    summary=first_of("text"),
)
async def post_to_channel(config: ToChannel, teams: Calls) -> JsonObject:
    path, parts = "/teams/{}/channels/{}/messages", [config.team_id, config.channel_id]
    if config.reply_to:
        path, parts = f"{path}/{{}}/replies", [*parts, config.reply_to]
    return await teams.post(path, *parts, json=_message(config))


class ToChat(MessageConfig):
    chat_id: str = field(title="Chat id", min_length=1)


@TEAMS.action(
    "TEAMS_CHAT_MESSAGE", ToChat, title="send to a chat", help="Sends a message to a chat.", summary=first_of("text")
)
async def send_to_chat(config: ToChat, teams: Calls) -> JsonObject:
    return await teams.post("/chats/{}/messages", config.chat_id, json=_message(config))


def _message(config: MessageConfig) -> JsonObject:
    return {"body": {"contentType": config.format, "content": config.text}}
