"""Discord: messages of a bot in channels and threads.

https://docs.discord.com/developers/resources/message#create-message
"""

from __future__ import annotations

from functools import partial

from flowforge import jsonio
from flowforge.connectors.connection_kinds.api_key import API_KEY
from flowforge.connectors.connection_kinds.headers import HEADERS
from flowforge.connectors.sdk import Calls, Files, Service, ServiceConfig, field, first_of, given, multipart
from flowforge.jsonio import JsonObject

SERVER = Service("Discord", "https://discord.com/api/v10", "message", (API_KEY, HEADERS), ("chat", "bot"))
_LONGEST_MESSAGE = 2000
_NO_MENTIONS: JsonObject = {"parse": []}


class Message(ServiceConfig):
    channel_id: str = field(title="Channel id", description="Of a channel, or a thread.", pattern=r"^\d+$")
    content: str = field("", multiline=True, title="Text", max_length=_LONGEST_MESSAGE)
    embeds: list[JsonObject] | None = field(None, title="Embeds", max_length=10)
    files: Files = field(default_factory=list, title="Files", max_length=10)
    reply_to: str | None = field(None, title="Reply to", description="The id of a message.")
    mentions: bool = field(False, title="Mentions notify", description="Whether @names in the text reach people.")


@SERVER.action(
    "DISCORD_MESSAGE",
    Message,
    title="send a message",
    help="Posts to a channel, as a bot.",
    summary=first_of("content"),
)
async def send_message(config: Message, discord: Calls) -> JsonObject:
    message = given(
        {
            "content": config.content or None,
            "embeds": config.embeds,
            "message_reference": {"message_id": config.reply_to} if config.reply_to else None,
            "allowed_mentions": None if config.mentions else _NO_MENTIONS,
        }
    )
    path = "/channels/{}/messages"
    if not config.files:
        return await discord.post(path, config.channel_id, json=message)
    files = {f"files[{n}]": [await discord.content(file)] for n, file in enumerate(config.files)}
    written = await discord.compute(partial(jsonio.dumps, message), of=message)
    body = multipart([("payload_json", written.decode())], files)
    return await discord.send("POST", path, config.channel_id, data=body)
