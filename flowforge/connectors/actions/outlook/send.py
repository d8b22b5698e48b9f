"""OUTLOOK_SEND: send a mail from the account.

https://learn.microsoft.com/graph/api/user-sendmail
"""

from __future__ import annotations

import base64
from typing import Literal

from flowforge.connectors.actions.outlook import OUTLOOK, recipients
from flowforge.connectors.sdk import (
    Calls,
    ConnectorError,
    Content,
    Files,
    MailAddresses,
    ServiceConfig,
    field,
    first_of,
)
from flowforge.jsonio import JsonObject

_MOST_ATTACHED_BYTES = 3_000_000
"""More than that needs upload sessions (https://learn.microsoft.com/graph/outlook-large-attachments)."""


class Config(ServiceConfig):
    to: MailAddresses = field(title="To", min_length=1)
    cc: MailAddresses = field((), title="Cc", group="More recipients")
    bcc: MailAddresses = field((), title="Bcc", group="More recipients")
    subject: str = field("", title="Subject", max_length=998)
    content: str = field("", multiline=True, title="Text")
    format: Literal["Text", "HTML"] = field("Text", title="Format")
    attachments: Files = field(default_factory=list, title="Attachments", description="At most 3 MB together.")
    keep: bool = field(True, title="Keep among sent items", group="Options")


@OUTLOOK.action(
    "OUTLOOK_SEND", Config, title="send a mail", help="Sends a mail from the account.", summary=first_of("subject")
)
async def send(config: Config, outlook: Calls) -> JsonObject:
    files = [await outlook.content(file) for file in config.attachments]
    if sum(file.size for file in files) > _MOST_ATTACHED_BYTES:
        raise ConnectorError("the attachments have more than 3 MB together", permanent=True)
    message = {
        "subject": config.subject,
        "body": {"contentType": config.format, "content": config.content},
        "toRecipients": recipients(config.to),
        "ccRecipients": recipients(config.cc),
        "bccRecipients": recipients(config.bcc),
        "attachments": await outlook.context.in_thread(lambda: [_attachment(file) for file in files]),
    }
    await outlook.post("/me/sendMail", json={"message": message, "saveToSentItems": config.keep})
    return {"sent": True}


def _attachment(file: Content) -> JsonObject:
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": file.name,
        "contentType": file.type,
        "contentBytes": base64.b64encode(b"".join(file.pieces())).decode(),
    }
