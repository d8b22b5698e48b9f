"""Certificates of one's own: the authorities that are trusted, and what the client shows of itself."""

from __future__ import annotations

import re
import secrets
import ssl
import threading
from collections import OrderedDict
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from textwrap import wrap

import certifi
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from urllib3.util.ssl_ import create_urllib3_context

from flowforge.connectors.errors import ConnectorError

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----")
_LINE = 64
MOST_IDENTITIES = 50
"""Those that were used last are kept, each with connections of its own."""


@dataclass(frozen=True, slots=True, repr=False)
class TlsIdentity:
    """All of it as PEM; empty: not given."""

    authorities: str = ""
    """Servers have to show a certificate of these, and no public ones count."""
    certificate: str = ""
    """The client's own, with its chain."""
    key: str = ""

    def context(self) -> ssl.SSLContext:
        """Raises ConnectorError where something of it cannot be used; the text quotes nothing of it."""
        context = create_urllib3_context()
        if self.authorities:
            _load_authorities(context, self.authorities)
        if self.certificate or self.key:
            _load_certificate(context, self.certificate, self.key)
        return context


PUBLIC = TlsIdentity()
"""Trusts the public authorities, and shows nothing."""


class TlsContexts:
    """A context for each identity. Safe between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[TlsIdentity, ssl.SSLContext] = OrderedDict()
        self._lock = threading.Lock()

    def kept(self, identity: TlsIdentity) -> ssl.SSLContext | None:
        """None where it has yet to be made, which reads files."""
        with self._lock:
            if identity in self._kept:
                self._kept.move_to_end(identity)
            return self._kept.get(identity)

    def make(self, identity: TlsIdentity) -> ssl.SSLContext:
        """Raises ConnectorError for an identity that cannot be used."""
        context = identity.context()
        if not identity.authorities:
            context.load_verify_locations(certifi.where())
        with self._lock:
            self._kept[identity] = context
            if len(self._kept) > MOST_IDENTITIES:
                self._kept.popitem(last=False)
        return context


def readable_pem(text: str) -> str:
    """The blocks of a PEM text, with the line breaks that they need (RFC 7468, 2): fields of one line, environments and
    JSON within JSON lose them, or turn them into `\\n`."""
    return "".join(
        f"-----BEGIN {label}-----\n{wrapped}\n-----END {label}-----\n"
        for label, body in _BLOCK.findall(text)
        if (wrapped := "\n".join(wrap("".join(body.replace("\\n", "").split()), _LINE)))
    )


def readable_key(text: str) -> str:
    """A key as PEM with its line breaks, where it is one, and as it is written elsewhere: an HMAC's secret, say, or a
    key with headers (RFC 1421), which are lines themselves."""
    return readable_pem(text) or text


def _load_authorities(context: ssl.SSLContext, authorities: str) -> None:
    try:
        context.load_verify_locations(cadata=readable_pem(authorities))
    except (ssl.SSLError, ValueError) as error:
        raise ConnectorError("the certificates of the authorities cannot be read: they have to be PEM", True) from error


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """OpenSSL reads a certificate from a file only: there the key is encrypted, with a password that nobody keeps."""
    password = secrets.token_bytes(32)
    try:
        encryption = BestAvailableEncryption(password)
        private = load_pem_private_key(readable_pem(key).encode(), None)
        sealed = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        with NamedTemporaryFile() as file:
            file.write(readable_pem(certificate).encode() + sealed)
            file.flush()
            context.load_cert_chain(file.name, password=password)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise ConnectorError(
            "the client certificate and its key cannot be used: both have to be PEM, of one pair, the key without a"
            " password",
            True,
        ) from error
