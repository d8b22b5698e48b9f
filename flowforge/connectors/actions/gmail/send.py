"""GMAIL_SEND: send a mail from the account.

https://developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages/send
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from flowforge.connectors.actions.gmail import GMAIL, ME
from flowforge.connectors.sdk import (
    Calls,
    Content,
    Files,
    Mail,
    MailAddress,
    MailAddresses,
    ServiceConfig,
    field,
    first_of,
    given,
    related,
)
from flowforge.jsonio import JsonObject
from flowforge.mail.addresses import read as read_address
from flowforge.mail.attachments import Attachment


class Config(ServiceConfig):
    to: MailAddresses = field(title="To", min_length=1)
    cc: MailAddresses = field((), title="Cc", group="More recipients")
    bcc: MailAddresses = field((), title="Bcc", group="More recipients")
    sender: MailAddress = field(
        None, title="From", description="One of the account's aliases. Empty: the account.", group="More recipients"
    )
    subject: str = field("", title="Subject", max_length=998)
    text: str = field("", multiline=True, title="Text")
    html: str = field("", multiline=True, title="HTML", group="HTML and attachments")
    attachments: Files = field(default_factory=list, title="Attachments", max_length=100, group="HTML and attachments")
    thread_id: str | None = field(None, title="Thread id", description="Of the conversation that it continues.")


@GMAIL.action(
    "GMAIL_SEND", Config, title="send a mail", help="Sends a mail from the account.", summary=first_of("subject")
)
async def send(config: Config, gmail: Calls) -> JsonObject:
    files = [await gmail.content(file) for file in config.attachments]
    mail = Mail(
        config.sender or read_address(gmail.told(await gmail.get(f"{ME}/profile"), "emailAddress")),
        config.to,
        config.subject,
        unique=gmail.context.idempotency_key,
        text=config.text,
        html=config.html,
        cc=config.cc,
        headers={"Bcc": ", ".join(one.mailbox for one in config.bcc)} if config.bcc else {},
        attachments=[Attachment(file.name, file.type, file.size, file.pieces) for file in files],
    )
    composed = await gmail.context.in_thread(partial(mail.compose, datetime.now(UTC)))
    content = Content("", "message/rfc822", len(composed), lambda: iter(composed))
    metadata = given({"threadId": config.thread_id})
    query = {"uploadType": "multipart"}
    return await gmail.send("POST", f"/upload{ME}/messages/send", query=query, data=related(metadata, content))
