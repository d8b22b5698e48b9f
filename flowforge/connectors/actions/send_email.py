"""SEND_EMAIL: mail by SMTP."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated, Any

from pydantic import AfterValidator, model_validator

from flowforge.connectors.connection_kinds.oauth2 import OAUTH2
from flowforge.connectors.connection_kinds.smtp import SMTP, MailAccount
from flowforge.connectors.sdk import (
    ConnectorError,
    Files,
    Mail,
    MailAddresses,
    MailTarget,
    SmtpConversation,
    StepContext,
    connector,
    field,
    first_of,
    one_line,
)
from flowforge.jsonio import JsonObject
from flowforge.mail.addresses import Address, read_or_none, split
from flowforge.mail.attachments import Attachment
from flowforge.sentences import sentence

_RECIPIENTS = ("to", "cc", "bcc")


def _some(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    if not addresses:
        raise ValueError(sentence("is empty"))
    return addresses


Recipients = Annotated[MailAddresses, AfterValidator(_some)]
Line = Annotated[str, AfterValidator(one_line)]


class Config(MailAccount):
    to: Recipients = field(
        title="To",
        description="Addresses, as a list or separated by commas. An expression gives one, or a list of them.",
    )
    cc: MailAddresses = field((), title="Cc", group="More recipients")
    bcc: MailAddresses = field(
        (), title="Bcc", description="Their addresses stand nowhere in the mail.", group="More recipients"
    )
    reply_to: MailAddresses = field(
        (), title="Reply to", description="Where answers go, if not to the sender.", group="More recipients"
    )
    several_addresses: bool = field(
        False,
        title="Several addresses in one text",
        description="Whether a text that an expression gives may hold several, separated by commas.",
        group="More recipients",
    )
    subject: Line = field("", title="Subject", max_length=998)
    text: str = field("", multiline=True, title="Text", description="Empty: the HTML, as text.")
    html: str | None = field(
        None,
        multiline=True,
        title="HTML",
        description="Shown instead of the text where it can be.",
        group="HTML and attachments",
    )
    attachments: Files = field(
        default_factory=list,
        title="Attachments",
        description="A file, or a list of files.",
        max_length=100,
        group="HTML and attachments",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_texts_apart(cls, raw: Any) -> Any:
        """Where that is wanted, each text in a list of recipients may be a list itself."""
        if not isinstance(raw, dict) or not raw.get("severalAddresses"):
            return raw
        lists = {name: value for name in _RECIPIENTS if isinstance(value := raw.get(name), list)}
        apart = {name: [list(split(one)) if isinstance(one, str) else one for one in lists[name]] for name in lists}
        return raw | apart


@connector(
    "SEND_EMAIL",
    Config,
    title="Send e-mail",
    help="Sends a mail over SMTP.",
    icon="mail",
    keywords=("email", "message"),
    summary=first_of("subject", "to"),
    connections=(SMTP, OAUTH2),
    mail="smtp",
)
def send_email(config: Config, context: StepContext) -> JsonObject:
    session, own_sender = _session(config, context)
    sender = config.sender or own_sender
    if sender is None:
        raise ConnectorError("no sender: set from here, or SMTP_FROM for the instance", permanent=True)
    with session as conversation:
        delivered = conversation.deliver(_mail(config, sender, context))
    return {"messageId": delivered.message_id, "accepted": True, "refused": delivered.refused}


def _session(config: Config, context: StepContext) -> tuple[AbstractContextManager[SmtpConversation], Address | None]:
    """A session, and the address that it sends under where the step names none: who has signed in with the connection,
    else the instance's own."""
    if context.connection is None:
        return SMTP.credentials(config, context).open(), context.tools.mail.sender
    target = MailTarget("smtp", config.host or "", config.port, config.security, config.username)
    account = context.connection.mail_account(target)
    return context.tools.mail.session(account, context.deadline), read_or_none(account.username)


def _mail(config: Config, sender: Address, context: StepContext) -> Mail:
    files, key = map(context.files.content, config.attachments), context.idempotency_key
    return Mail(
        sender,
        config.to,
        config.subject,
        unique=key,
        text=config.text,
        html=config.html or "",
        cc=config.cc,
        bcc=config.bcc,
        reply_to=config.reply_to,
        headers={"Idempotency-Key": key},
        attachments=[Attachment(file.name, file.type, file.size, file.pieces) for file in files],
    )
