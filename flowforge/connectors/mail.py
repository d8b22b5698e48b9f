"""Sending mail: the SMTP server of a step, or the instance's own."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from flowforge.connectors.addresses import AddressGuard
from flowforge.connectors.sdk import ConnectorError

Security = Literal["starttls", "tls", "none"]
_LONGEST_WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Account:
    host: str
    port: int
    username: str
    password: str
    security: Security


@dataclass(frozen=True, slots=True)
class MailServer:
    """`default` is the instance's own account (its host may be empty), `sender` its From address."""

    guard: AddressGuard
    default: Account
    sender: str

    def send(self, account: Account, message: EmailMessage, deadline: float) -> list[str]:
        """Delivers to the server; returns the addresses it refused. Raises ConnectorError."""
        try:
            with _connect(self.guard, account, deadline) as smtp:
                if account.username:
                    smtp.login(account.username, account.password)
                return sorted(smtp.send_message(message))
        except smtplib.SMTPAuthenticationError as error:
            raise ConnectorError("the mail server refused the user name or password", permanent=True) from error
        except smtplib.SMTPRecipientsRefused as error:
            permanent = all(code >= 500 for code, _ in error.recipients.values())
            raise ConnectorError("the mail server refused every recipient", permanent) from error
        except smtplib.SMTPResponseException as error:
            raise ConnectorError(f"the mail server answered {error.smtp_code}", error.smtp_code >= 500) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ConnectorError(f"the connection to the mail server {account.host} failed", False) from error


def _connect(guard: AddressGuard, account: Account, deadline: float) -> smtplib.SMTP:
    timeout = max(0.1, min(_LONGEST_WAIT_SECONDS, deadline - time.monotonic()))
    context = ssl.create_default_context()

    class Guarded(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            plain = guard.connect(host, port, timeout)
            return context.wrap_socket(plain, server_hostname=host) if account.security == "tls" else plain

    smtp = Guarded(account.host, account.port, timeout=timeout)
    if account.security == "starttls":
        smtp.starttls(context=context)
    return smtp
