"""imap: a mailbox that is read by IMAP, and who signs in to it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Annotated

from pydantic import AfterValidator

from flowforge.connectors.sdk import (
    Account,
    ConnectionKind,
    ConnectorConfig,
    Credentials,
    ImapConversation,
    MailTarget,
    Security,
    field,
    secret,
    without_control_characters,
)

Line = Annotated[str, AfterValidator(without_control_characters)]


class ImapMailbox(ConnectorConfig):
    host: Line = field(title="IMAP server")
    port: int | None = field(
        None, title="IMAP port", ge=1, le=65535, description="Empty: 993 with TLS from the start, 143 otherwise."
    )
    username: Line = field(title="User name")
    password: Line = secret(title="Password")
    security: Security = field("tls", title="Security")


def _account(target: MailTarget, credentials: Credentials[ImapMailbox]) -> Account:
    """What the target says goes first."""
    saved = credentials.config
    return MailTarget(
        "imap",
        target.host or saved.host,
        target.port or saved.port,
        target.security or saved.security,
        target.username or saved.username,
        target.password or saved.password,
    ).account()


def _open(credentials: Credentials[ImapMailbox]) -> AbstractContextManager[ImapConversation]:
    account = credentials.mail_account(MailTarget("imap"))
    return credentials.context.tools.mail.imap_session(account, credentials.context.deadline)


IMAP = ConnectionKind(
    "imap",
    ImapMailbox,
    title="Mailbox (IMAP)",
    help="A mailbox whose mails start workflows, and who signs in to it.",
    icon="mail",
    keywords=("email", "inbox"),
    open=_open,
    mail_account=_account,
    test=Credentials.try_session,
)
