"""Telegram: messages and files of a bot.

https://core.telegram.org/bots/api
"""

from __future__ import annotations

from typing import Literal

from flowforge.connectors.connection_kinds.api_key import API_KEY
from flowforge.connectors.sdk import Calls, File, Service, ServiceConfig, field, first_of, given, multipart
from flowforge.jsonio import JsonObject

BOT = Service("Telegram", "https://api.telegram.org", "message", (API_KEY,), ("chat", "bot"))
_LONGEST_MESSAGE = 4096


class Message(ServiceConfig):
    chat_id: str = field(title="Chat id", description="A number, or @name of a channel.", min_length=1)
    text: str = field(multiline=True, title="Text", min_length=1, max_length=_LONGEST_MESSAGE)
    format: Literal["", "HTML", "MarkdownV2"] = field(
        "", title="Format", description="Empty: as it is. Data from outside must be escaped for the others."
    )
    silent: bool = field(False, title="Silent", description="Without a sound.")
    reply_to: int | None = field(None, title="Reply to", description="The id of a message.")


@BOT.action(
    "TELEGRAM_MESSAGE", Message, title="send a message", help="Sends a text to a chat.", summary=first_of("text")
)
async def send_message(config: Message, bot: Calls) -> JsonObject:
    message = {
        "chat_id": config.chat_id,
        "text": config.text,
        "parse_mode": config.format or None,
        "disable_notification": config.silent or None,
        "reply_parameters": None if config.reply_to is None else {"message_id": config.reply_to},
    }
    return await bot.post("/sendMessage", json=message)


class Document(ServiceConfig):
    chat_id: str = field(title="Chat id", description="A number, or @name of a channel.", min_length=1)
    file: File = field(title="File")
    kind: Literal["document", "photo", "audio", "video"] = field("document", title="Sent as")
    caption: str | None = field(None, title="Caption", max_length=1024)


@BOT.action(
    "TELEGRAM_FILE",
    Document,
    title="send a file",
    help="Sends a file or picture to a chat.",
    summary=first_of("caption"),
)
async def send_file(config: Document, bot: Calls) -> JsonObject:
    fields = given({"chat_id": config.chat_id, "caption": config.caption})
    body = multipart(list(fields.items()), {config.kind: [await bot.content(config.file)]})
    return await bot.send("POST", f"/send{config.kind.capitalize()}", data=body)
