"""Addresses of mail servers: `imaps://imap.example.com`, `smtp://mail.example.com:587` (after RFC 5092)."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.mail_transport.account import MailProtocol, MailTarget, Security
from flowforge.loopback import is_loopback

_SCHEMES: dict[str, tuple[MailProtocol, Security]] = {
    "imap": ("imap", "starttls"),
    "imaps": ("imap", "tls"),
    "smtp": ("smtp", "starttls"),
    "smtps": ("smtp", "tls"),
}


def is_mail_url(url: str) -> bool:
    return url.partition("://")[0].lower() in _SCHEMES


def mail_target(url: str) -> MailTarget:
    """The account that an address means: with TLS, but on this machine. Raises ConnectorError."""
    try:
        parts = urlsplit(url)
        protocol, security = _SCHEMES[parts.scheme]
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConnectorError(f"the address of the mail server cannot be used: {error}", permanent=True) from None
    if security == "starttls" and is_loopback(host):
        security = "none"
    return MailTarget(protocol, host, port, security, unquote(parts.username or ""))
