"""SEND_EMAIL: mail by SMTP."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import getaddresses, make_msgid
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from flowforge.connectors.mail_transport.conversation import Account, Security
from flowforge.connectors.sdk import (
    ConnectionType,
    ConnectorConfig,
    ConnectorError,
    StepContext,
    connector,
    field,
    first_of,
    secret,
)


def _as_list(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Addresses = Annotated[list[str], BeforeValidator(_as_list)]


class Config(ConnectorConfig):
    to: Addresses = Field(title="To", description="Addresses, as a list or separated by commas.", min_length=1)
    cc: Addresses = Field(default_factory=list, title="Cc")
    bcc: Addresses = Field(default_factory=list, title="Bcc")
    sender: str | None = Field(None, alias="from", title="From", description="Empty: the instance's own address.")
    subject: str = Field("", title="Subject", max_length=998)
    text: str = field("", multiline=True, title="Text")
    html: str | None = field(
        None, multiline=True, title="HTML", description="Shown instead of the text where it can be."
    )
    host: str | None = Field(None, title="SMTP server", description="Empty: the instance's own.")
    port: int = Field(587, title="SMTP port", ge=1, le=65535)
    username: str = Field("", title="User name")
    password: str = secret("", title="Password")
    security: Security = Field("starttls", title="Security")


def _check(config: Mapping[str, Any], context: StepContext) -> bool:
    """Signs in, and sends nothing."""
    account = _account(Config.model_validate({"to": ["nobody@example.com"], **config}))
    if account is None:
        raise ConnectorError("the name of the SMTP server is missing", permanent=True)
    context.tools.mail.sign_in(account, context.deadline)
    return True


@connector(
    "SEND_EMAIL",
    Config,
    title="Send e-mail",
    help="Sends a mail over SMTP.",
    icon="mail",
    keywords=("email", "message"),
    summary=first_of("subject", "to"),
    connection=ConnectionType(
        "smtp", "Mail server (SMTP)", ("host", "port", "username", "password", "security", "from"), _check
    ),
)
def send_email(config: Config, context: StepContext) -> dict[str, Any]:
    server = context.tools.mail
    account = _account(config) or server.default
    sender = config.sender or server.sender
    if not account.host:
        raise ConnectorError("no SMTP server: set host here, or SMTP_HOST for the instance", permanent=True)
    if not sender:
        raise ConnectorError("no sender: set from here, or SMTP_FROM for the instance", permanent=True)
    message = _message(config, sender, context)
    refused = server.send(account, message, context.deadline)
    return {"messageId": message["Message-ID"], "accepted": True, "refused": refused}


def _account(config: Config) -> Account | None:
    if not config.host:
        return None
    return Account(config.host, config.port, config.username, config.password, config.security)


def _message(config: Config, sender: str, context: StepContext) -> EmailMessage:
    """Line breaks in a header are refused by the library, and so by us."""
    message = EmailMessage()
    try:
        message["From"] = sender
        for header, addresses in (("To", config.to), ("Cc", config.cc), ("Bcc", config.bcc)):
            if addresses:
                message[header] = ", ".join(_checked(address) for address in addresses)
        message["Subject"] = config.subject
    except ValueError as error:
        raise ConnectorError("an address or the subject holds a line break or is not valid", permanent=True) from error
    message["Message-ID"] = make_msgid(idstring=context.idempotency_key, domain="flowforge")
    message["Idempotency-Key"] = context.idempotency_key
    message.set_content(config.text)
    if config.html:
        message.add_alternative(config.html, subtype="html")
    return message


def _checked(address: str) -> str:
    parsed = getaddresses([address])
    if len(parsed) != 1 or "@" not in parsed[0][1]:
        raise ConnectorError(f"{address!r} is not a mail address", permanent=True)
    return address
