"""smtp: a mail server, and who signs in to it."""

from __future__ import annotations

from contextlib import AbstractContextManager

from flowforge.connectors.sdk import (
    Account,
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Credentials,
    MailAddress,
    Security,
    SmtpConversation,
    field,
    secret,
)


class MailAccount(ConnectorConfig):
    host: str | None = field(None, title="SMTP server", description="Empty: the instance's own.")
    port: int = field(587, title="SMTP port", ge=1, le=65535)
    username: str = field("", title="User name")
    password: str = secret("", title="Password")
    security: Security = field("starttls", title="Security")
    sender: MailAddress = field(
        None,
        alias="from",
        title="From",
        description="The instance's server sends under its own address only.",
    )

    def account(self) -> Account | None:
        """None where no server is named."""
        if not self.host:
            return None
        return Account(self.host, self.port, self.username, self.password, self.security)


def _open(credentials: Credentials[MailAccount]) -> AbstractContextManager[SmtpConversation]:
    """A conversation with the server; with the instance's own where none is named."""
    server = credentials.context.tools.mail
    account = credentials.config.account()
    if account is None:
        return server.shared_session(credentials.context.user_id, credentials.context.deadline)
    return server.session(account, credentials.context.deadline)


def _test(credentials: Credentials[MailAccount]) -> bool:
    """Signs in, and sends nothing."""
    if credentials.config.account() is None:
        raise ConnectorError("the name of the SMTP server is missing", permanent=True)
    return credentials.try_session()


SMTP = ConnectionKind(
    "smtp",
    MailAccount,
    title="Mail server (SMTP)",
    help="A server that mail is sent by, and who signs in to it.",
    icon="mail",
    keywords=("email",),
    open=_open,
    test=_test,
)
