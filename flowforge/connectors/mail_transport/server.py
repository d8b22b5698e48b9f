"""Sending mail: the SMTP server of a step, or the instance's own."""

from __future__ import annotations

import smtplib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import TypeVar

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.mail_transport.conversation import Account, SmtpConversation
from flowforge.connectors.network.addresses import EVERYWHERE, AddressGuard
from flowforge.connectors.network.deadlines import Deadlines

R = TypeVar("R")
_GOODBYE_SECONDS = 2.0
_LOWEST_CODE = 100


@dataclass(frozen=True, slots=True)
class MailServer:
    """`default` is the instance's own account (its host may be empty), `sender` its From address."""

    guard: AddressGuard
    deadlines: Deadlines
    default: Account
    sender: str

    def send(self, account: Account, message: EmailMessage, deadline: float) -> list[str]:
        """Delivers to the server before the deadline; returns the addresses it refused. Raises ConnectorError.

        The instance's own server may be anywhere, those that a step names only where the guard allows.
        """
        return self._talk(account, deadline, lambda smtp: smtp.deliver(message))

    def sign_in(self, account: Account, deadline: float) -> None:
        """Whether the server would take a mail from that account. Raises ConnectorError."""
        self._talk(account, deadline, lambda smtp: smtp.sign_in())

    def _talk(self, account: Account, deadline: float, talk: Callable[[SmtpConversation], R]) -> R:
        guard = EVERYWHERE if account is self.default else self.guard
        try:
            with self.deadlines.watch(deadline) as watch:
                smtp = SmtpConversation(account, guard, watch)
                try:
                    said = talk(smtp)
                    self._say_goodbye(smtp)
                    return said
                finally:
                    smtp.close()
        except smtplib.SMTPAuthenticationError as error:
            raise ConnectorError("the mail server refused the user name or password", permanent=True) from error
        except smtplib.SMTPRecipientsRefused as error:
            permanent = all(code >= 500 for code, _ in error.recipients.values())
            raise ConnectorError("the mail server refused every recipient", permanent) from error
        except smtplib.SMTPResponseException as error:
            if error.smtp_code < _LOWEST_CODE:
                raise ConnectorError(f"{account.host} does not answer as a mail server does", False) from error
            raise ConnectorError(f"the mail server answered {error.smtp_code}", error.smtp_code >= 500) from error
        except smtplib.SMTPNotSupportedError as error:
            raise ConnectorError(f"the mail server {account.host} cannot do it: {error}", permanent=True) from error
        except ssl.SSLCertVerificationError as error:
            told = f"the mail server {account.host} shows no certificate that can be trusted"
            raise ConnectorError(told, permanent=True) from error
        except UnicodeError as error:
            raise ConnectorError("mail servers take user names and passwords in ASCII only", permanent=True) from error
        except (smtplib.SMTPException, OSError) as error:
            if time.monotonic() >= deadline or TimeoutError in {type(error), type(error.__context__)}:
                raise ConnectorError(f"the mail server {account.host} did not take the mail in time", False) from error
            raise ConnectorError(f"the connection to the mail server {account.host} failed", False) from error

    def _say_goodbye(self, smtp: SmtpConversation) -> None:
        """The server has the mail: whatever becomes of QUIT, sending again would be the only mistake left to make."""
        try:
            with self.deadlines.watch(time.monotonic() + _GOODBYE_SECONDS) as watch:
                watch.add(smtp.connected)
                smtp.quit()
        except (smtplib.SMTPException, OSError):
            return
