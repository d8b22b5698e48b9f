"""Sessions with mail servers: that of a step, a trigger or a connection, or the instance's own."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from uuid import UUID

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.mail_transport.account import Account
from flowforge.connectors.mail_transport.conversation import Admit, SmtpConversation
from flowforge.connectors.mail_transport.imap import ImapConversation, imap_session
from flowforge.connectors.mail_transport.mailbox import OpenFolder
from flowforge.connectors.mail_transport.shared_account import SharedAccount, TakeAllowance
from flowforge.connectors.network.addresses import EVERYWHERE, AddressGuard
from flowforge.connectors.network.deadlines import Deadlines
from flowforge.mail.addresses import Address

_GOODBYE_SECONDS = 2.0
_LOWEST_CODE = 100


@dataclass(frozen=True, slots=True)
class MailServer:
    """`default` is the instance's own account (its host may be empty), `sender` its From address, where it has one."""

    guard: AddressGuard
    deadlines: Deadlines
    default: Account
    sender: Address | None
    take_allowance: TakeAllowance

    def session(self, account: Account, deadline: float) -> AbstractContextManager[SmtpConversation]:
        """A conversation with a server that the guard allows, signed in, over by the deadline. Raises ConnectorError,
        also for errors within it."""
        return self._session(account, deadline, self.guard, None)

    def imap_session(self, account: Account, deadline: float) -> AbstractContextManager[ImapConversation]:
        """See `imap_session` of flowforge.connectors.mail_transport.imap."""
        return imap_session(account, self.guard, self.deadlines, deadline)

    @contextmanager
    def open_folder(self, account: Account, folder: str, deadline: float) -> Iterator[OpenFolder]:
        """A folder, opened for reading only. Raises ConnectorError, also for errors within it."""
        with self.imap_session(account, deadline) as conversation:
            yield OpenFolder(conversation, folder)

    def shared_session(self, user_id: UUID, deadline: float) -> AbstractContextManager[SmtpConversation]:
        """Opens a session with the instance's own server, which may be anywhere; it takes mails within the rules for
        what all accounts share. Raises ConnectorError, also where the instance has none."""
        if not self.default.host:
            raise ConnectorError("no SMTP server: set host here, or SMTP_HOST for the instance", permanent=True)
        shared = SharedAccount(user_id, self.sender, self.take_allowance)
        return self._session(self.default, deadline, EVERYWHERE, shared.admit)

    def own_session(self, deadline: float) -> AbstractContextManager[SmtpConversation]:
        """A conversation with the instance's own server about the instance's own mails, which nothing limits. Raises
        ConnectorError."""
        return self._session(self.default, deadline, EVERYWHERE, None)

    @contextmanager
    def _session(
        self, account: Account, deadline: float, guard: AddressGuard, admit: Admit | None
    ) -> Iterator[SmtpConversation]:
        try:
            with self.deadlines.watch(deadline) as watch:
                smtp = SmtpConversation(account, guard, watch, admit)
                try:
                    smtp.sign_in()
                    yield smtp
                    self._say_goodbye(smtp)
                finally:
                    smtp.close()
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            raise _connector_error(error, account.host, deadline) from error

    def _say_goodbye(self, smtp: SmtpConversation) -> None:
        """The server has the mail: whatever becomes of QUIT, sending again would be the only mistake left to make."""
        try:
            with self.deadlines.watch(time.monotonic() + _GOODBYE_SECONDS) as watch:
                watch.add(smtp.connected)
                smtp.quit()
        except (smtplib.SMTPException, OSError):
            return


def _connector_error(error: Exception, host: str, deadline: float) -> ConnectorError:
    match error:
        case smtplib.SMTPAuthenticationError():
            return ConnectorError("the mail server refused the user name or password", permanent=True, answered=True)
        case smtplib.SMTPRecipientsRefused():
            permanent = all(code >= 500 for code, _ in error.recipients.values())
            return ConnectorError("the mail server refused every recipient", permanent, answered=True)
        case smtplib.SMTPResponseException():
            return _error_of_reply(error.smtp_code, host)
        case smtplib.SMTPNotSupportedError():
            return ConnectorError(f"the mail server {host} cannot do it: {error}", permanent=True)
        case ssl.SSLCertVerificationError():
            return ConnectorError(f"the mail server {host} shows no certificate that can be trusted", permanent=True)
        case UnicodeError():
            return ConnectorError("mail servers take user names and passwords in ASCII only", permanent=True)
    if time.monotonic() >= deadline or TimeoutError in {type(error), type(error.__context__)}:
        return ConnectorError(f"the mail server {host} did not take the mail in time", permanent=False)
    return ConnectorError(f"the connection to the mail server {host} failed", permanent=False)


def _error_of_reply(code: int, host: str) -> ConnectorError:
    if code < _LOWEST_CODE:
        return ConnectorError(f"{host} does not answer as a mail server does", permanent=False)
    return ConnectorError(f"the mail server answered {code}", permanent=code >= 500, answered=True)
