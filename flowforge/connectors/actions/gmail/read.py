"""GMAIL_READ: a mail's headers, texts and attachments.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/get
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

from flowforge.charsets import declared_in, decode
from flowforge.connectors.actions.gmail import GMAIL, ME
from flowforge.connectors.sdk import Calls, ConnectorError, ServiceConfig, field
from flowforge.jsonio import JsonObject


class Config(ServiceConfig):
    message_id: str = field(title="Message id", min_length=1)


@GMAIL.action(
    "GMAIL_READ", Config, title="read a mail", help="Gives a mail's headers, texts and attachments.", repeatable=True
)
async def read(config: Config, gmail: Calls) -> JsonObject:
    """The attachments are files of the execution."""
    message = await gmail.get(f"{ME}/messages/{{}}", config.message_id, query={"format": "full"})
    told, attached = await gmail.compute(partial(_told, message), of=message)
    files = [await _attachment(part, config.message_id, gmail) for part in attached]
    return {**told, "attachments": files}


def _told(message: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """The headers and texts of a mail, and the parts that are attachments. Raises ConnectorError."""
    parts = list(_parts(message.get("payload") or {}))
    headers = {str(one.get("name", "")).lower(): one.get("value") for one in parts[0].get("headers") or ()}
    told = {
        "id": message.get("id"),
        "threadId": message.get("threadId"),
        "labels": message.get("labelIds") or [],
        "snippet": message.get("snippet"),
        "headers": headers,
        "subject": headers.get("subject"),
        "from": headers.get("from"),
        "to": headers.get("to"),
        "date": headers.get("date"),
        "text": _text(parts, "text/plain"),
        "html": _text(parts, "text/html"),
    }
    return told, [part for part in parts if part.get("filename")]


def _parts(payload: JsonObject) -> Iterator[JsonObject]:
    """The payload and all parts within it, in their order in the mail."""
    waiting = [payload]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(part.get("parts") or []))


def _text(parts: list[JsonObject], type_: str) -> str:
    part = next((part for part in parts if part.get("mimeType") == type_ and not part.get("filename")), {})
    content_type = next((h["value"] for h in part.get("headers") or () if h["name"].lower() == "content-type"), "")
    return decode(_bytes(part.get("body") or {}), declared_in(content_type))


async def _attachment(part: JsonObject, message_id: str, gmail: Calls) -> JsonObject:
    body = part.get("body") or {}
    if body.get("attachmentId"):
        body = await gmail.get(f"{ME}/messages/{{}}/attachments/{{}}", message_id, body["attachmentId"])
    content = io.BytesIO(await gmail.compute(partial(_bytes, body), of=body))
    return await gmail.keep(content, part["filename"], part.get("mimeType", ""))


def _bytes(body: Any) -> bytes:
    try:
        return base64.urlsafe_b64decode(body.get("data") or "")
    except ValueError as error:
        raise ConnectorError("Gmail gave a part that is no Base64", permanent=True) from error
