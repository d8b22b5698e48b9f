"""Accounts at mail servers: where one is, and how its user signs in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from flowforge.sentences import sentence

Security = Literal["starttls", "tls", "none"]
MailProtocol = Literal["imap", "smtp"]
USUAL_PORTS = {
    ("imap", "tls"): 993,
    ("imap", "starttls"): 143,
    ("imap", "none"): 143,
    ("smtp", "tls"): 465,
    ("smtp", "starttls"): 587,
    ("smtp", "none"): 25,
}


def without_control_characters(text: str) -> str:
    """A line break would end the IMAP command that carries the text, and start another one. Raises ValueError."""
    if any(ord(character) < ord(" ") or character == "\x7f" for character in text):
        raise ValueError(sentence("must not contain control characters"))
    return text


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Access tokens of OAuth 2.0 in place of a password. Both raise ConnectorError."""

    current: Callable[[], str]
    """Gives one that is good now."""
    renew: Callable[[], bool]
    """Replaces one that was refused; false where that is not possible."""


@dataclass(frozen=True, slots=True)
class Account:
    """A mail server, and the user that signs in to it; without a user name, none does."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    security: Security
    tokens: AccessTokens | None = None

    @property
    def server(self) -> str:
        """Its name for people."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MailTarget:
    """An account as far as a step or a trigger names it itself: a connection gives the rest."""

    protocol: MailProtocol
    host: str = ""
    port: int | None = None
    security: Security | None = None
    username: str = ""
    password: str = field(default="", repr=False)

    def account(self, tokens: AccessTokens | None = None) -> Account:
        """By TLS from the first byte, or as far as SMTP usually does it, unless it says otherwise."""
        security: Security = self.security or ("tls" if self.protocol == "imap" else "starttls")
        port = self.port or USUAL_PORTS[self.protocol, security]
        return Account(self.host, port, self.username, self.password, security, tokens)
