"""Signing in to mail servers with an access token of OAuth 2.0: SASL XOAUTH2
(https://developers.google.com/workspace/gmail/imap/xoauth2-protocol) and OAUTHBEARER (RFC 7628)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.mail_transport.account import Account
from flowforge.loopback import is_loopback
from flowforge.oauth.texts import printable
from flowforge.secrets import mask_text

_LONGEST_REASON = 300
_TEMPORARY = "[UNAVAILABLE]"
"""RFC 5530, 3."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """`message`: what holds the token; `answer_to_reason`: what a server wants to hear once it has said why it refuses
    the token, before it ends the exchange."""

    name: str
    message: Callable[[Account, str], str]
    answer_to_reason: bytes


def _xoauth2(account: Account, token: str) -> str:
    return f"user={account.username}\x01auth=Bearer {token}\x01\x01"


def _oauthbearer(account: Account, token: str) -> str:
    """RFC 7628, 3.1; the name as RFC 5801, 4, has it."""
    name = account.username.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={name},\x01host={account.host}\x01port={account.port}\x01auth=Bearer {token}\x01\x01"


MECHANISMS = (Mechanism("XOAUTH2", _xoauth2, b""), Mechanism("OAUTHBEARER", _oauthbearer, b"\x01"))


@dataclass(slots=True)
class BearerExchange:
    """One try to sign in."""

    mechanism: Mechanism
    message: bytes
    _responses: list[bytes | None] = field(init=False)
    _refusal: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._responses = [self.message, self.mechanism.answer_to_reason, None]

    def respond(self, challenge: bytes) -> bytes | None:
        """What is sent next: the message, then the answer to the reason of a refusal; None, which cancels, for more
        than that. Raises ConnectorError where even that does not end it."""
        if not self._responses:
            raise ConnectorError("the mail server does not come to an end with the sign-in", permanent=False)
        self.note_refusal(_in_words(challenge))
        return self._responses.pop(0)

    def note_refusal(self, text: str) -> None:
        if shown := printable(text, _LONGEST_REASON):
            self._refusal.append(shown)

    @property
    def refusal(self) -> str:
        """What the server has said about it."""
        return "; ".join(self._refusal)


Authenticate = Callable[[BearerExchange], bool]
"""Has the exchange with the server; false where it is refused."""


def sign_in(account: Account, offered: Collection[str], authenticate: Authenticate) -> None:
    """Signs in by the account's tokens: by another one where the first is refused, which may have been revoked. Raises
    ConnectorError. `offered`: the mechanisms of the server."""
    tokens, mechanism = account.tokens, _choose(account, offered)
    assert tokens is not None
    refusal = _try(account, mechanism, tokens.current(), authenticate)
    if refusal is not None and tokens.renew():
        refusal = _try(account, mechanism, tokens.current(), authenticate)
    if refusal is not None:
        message = f"{account.server} refuses the sign-in of {account.username!r}: {refusal}"
        raise ConnectorError(message, permanent=_TEMPORARY not in refusal, answered=True)


def _require_tls(account: Account) -> None:
    """Raises ConnectorError where tokens would be sent in clear; to this machine they may be, as it is with HTTP (RFC
    8252, 8.3)."""
    if account.security == "none" and not is_loopback(account.host):
        raise ConnectorError(f"{account.server}: an access token is sent by TLS only", permanent=True)


def _choose(account: Account, offered: Collection[str]) -> Mechanism:
    _require_tls(account)
    if not account.username.isprintable():  # what separates the parts of the message is none
        raise ConnectorError("the user name must not contain control characters", permanent=True)
    known = (mechanism for mechanism in MECHANISMS if mechanism.name in offered)
    found = next(known, None)
    if found is None:
        raise ConnectorError(f"{account.server} has no sign-in by OAuth 2.0 (XOAUTH2, OAUTHBEARER)", permanent=True)
    return found


def _try(account: Account, mechanism: Mechanism, token: str, authenticate: Authenticate) -> str | None:
    """What the server says, without the token, where it refuses; None where it does not."""
    message = mechanism.message(account, token).encode()
    exchange = BearerExchange(mechanism, message)
    if authenticate(exchange):
        return None
    return mask_text(exchange.refusal, [token, b64encode(message).decode()])


def _in_words(reason: bytes) -> str:
    """`status 401, scope https://mail.google.com/` of JSON; anything else as it is."""
    try:
        said = jsonio.loads(reason)
        return ", ".join(f"{name} {said[name]}" for name in ("status", "scope") if name in said)
    except (ValueError, TypeError):
        return reason.decode("utf-8", "replace")
