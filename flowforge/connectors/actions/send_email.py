"""SEND_EMAIL: mail by SMTP."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import getaddresses, make_msgid
from typing import Annotated, Any

from pydantic import BeforeValidator

from flowforge.connectors.connection_kinds.smtp import SMTP, MailAccount
from flowforge.connectors.sdk import ConnectorError, StepContext, connector, field, first_of
from flowforge.jsonio import JsonObject


def _as_list(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Addresses = Annotated[list[str], BeforeValidator(_as_list)]


class Config(MailAccount):
    to: Addresses = field(title="To", description="Addresses, as a list or separated by commas.", min_length=1)
    cc: Addresses = field(default_factory=list, title="Cc")
    bcc: Addresses = field(default_factory=list, title="Bcc")
    subject: str = field("", title="Subject", max_length=998)
    text: str = field("", multiline=True, title="Text")
    html: str | None = field(
        None, multiline=True, title="HTML", description="Shown instead of the text where it can be."
    )


@connector(
    "SEND_EMAIL",
    Config,
    title="Send e-mail",
    help="Sends a mail over SMTP.",
    icon="mail",
    keywords=("email", "message"),
    summary=first_of("subject", "to"),
    connections=(SMTP,),
)
def send_email(config: Config, context: StepContext) -> JsonObject:
    connection = context.connection or SMTP.credentials(config, context)
    session = connection.open()
    sender = config.sender or context.tools.mail.sender
    if not sender:
        raise ConnectorError("no sender: set from here, or SMTP_FROM for the instance", permanent=True)
    message = _message(config, sender, context)
    with session as conversation:
        refused = conversation.deliver(message)
    return {"messageId": message["Message-ID"], "accepted": True, "refused": refused}


def _message(config: Config, sender: str, context: StepContext) -> EmailMessage:
    """Line breaks in a header are refused by the library, and so by us."""
    message = EmailMessage()
    try:
        message["From"] = sender
        for header, addresses in (("To", config.to), ("Cc", config.cc), ("Bcc", config.bcc)):
            if addresses:
                message[header] = ", ".join(_check_address(address) for address in addresses)
        message["Subject"] = config.subject
    except ValueError as error:
        raise ConnectorError("an address or the subject holds a line break or is not valid", permanent=True) from error
    message["Message-ID"] = make_msgid(idstring=context.idempotency_key, domain="flowforge")
    message["Idempotency-Key"] = context.idempotency_key
    message.set_content(config.text)
    if config.html:
        message.add_alternative(config.html, subtype="html")
    return message


def _check_address(address: str) -> str:
    parsed = getaddresses([address])
    if len(parsed) != 1 or "@" not in parsed[0][1]:
        raise ConnectorError(f"{address!r} is not a mail address", permanent=True)
    return address
