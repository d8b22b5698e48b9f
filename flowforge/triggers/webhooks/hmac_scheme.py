"""Signatures by a keyed digest (HMAC, RFC 2104), in the forms in which senders write them."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from flowforge.triggers.webhooks.authentication import (
    GROUP,
    Authentication,
    NotProven,
    Proof,
    Secret,
    WrongSignature,
    secret_field,
)
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.signed_content import ReadPieces, SignedContent

Algorithm = Literal["sha256", "sha1", "sha512"]
Encoding = Literal["hex", "base64"]

BODY = "{body}"
WINDOW_SECONDS = 300
"""How old a signed call may be, as Stripe, Slack and the Standard Webhooks recommend."""
_LONGEST_WINDOW = 24 * 60 * 60
_PLACES = re.compile(r"(\{(?:id|timestamp|body)\})")
_MILLISECONDS = 1e11
"""No time in seconds is as large before the year 5138."""


@dataclass(frozen=True, slots=True)
class HmacScheme:
    """What is signed, and where the signature stands."""

    headers: tuple[str, ...]
    """One of them has the signature."""
    prefix: str = ""
    """Stands before the signature; may be left out by the sender."""
    encoding: Encoding = "hex"
    algorithm: Algorithm = "sha256"
    content: str = BODY
    """What is signed, with `{body}`, `{timestamp}` and `{id}` in it."""
    timestamp_header: str | None = None
    id_header: str | None = None

    @property
    def is_timed(self) -> bool:
        return "{timestamp}" in self.content

    def signed_content(self, call: Call) -> SignedContent:
        """Raises NotProven where a part of it was not sent."""
        parts: dict[str, bytes | ReadPieces] = {BODY: call.read_pieces, **self._parts(call)}
        return SignedContent(tuple(parts.get(piece, piece.encode()) for piece in _PLACES.split(self.content)))

    def check(self, key: bytes, call: Call, window: float = WINDOW_SECONDS) -> Proof:
        """Raises NotProven for a signature that is wrong, or of a time that is further away than `window` seconds."""
        content = self.signed_content(call)
        sent = [call.header(name) for name in self.headers]
        wanted = encode(content.hmac(key, self.algorithm), self.encoding)
        if not is_signature(wanted, [one.strip().removeprefix(self.prefix) for one in sent]):
            raise WrongSignature(*self.headers)
        if self.is_timed:
            require_recent(call.header(self.timestamp_header or ""), call.at, window)
        delivery = call.header(self.id_header) if self.id_header and "{id}" in self.content else None
        return Proof(content, self.is_timed, delivery)

    def sign(self, key: bytes, call: Call) -> dict[str, str]:
        """The headers of a call that is signed now."""
        values = {"{timestamp}": str(int(call.at)), "{id}": new_id(call)}
        sent = {name: values[place] for place, name in self._signed_headers.items()}
        headed = replace(call, headers={**call.headers, **{name.lower(): value for name, value in sent.items()}})
        signature = encode(self.signed_content(headed).hmac(key, self.algorithm), self.encoding)
        return {**sent, self.headers[0]: f"{self.prefix}{signature}"}

    def digest(self, key: bytes, content: bytes) -> str:
        return encode(hmac.digest(key, content, self.algorithm), self.encoding)

    @property
    def _signed_headers(self) -> Mapping[str, str]:
        """Their names by the places in the content."""
        wanted = {"{timestamp}": self.timestamp_header, "{id}": self.id_header}
        return {place: name or "" for place, name in wanted.items() if place in self.content}

    def _parts(self, call: Call) -> Mapping[str, bytes]:
        """The headers that are signed along."""
        needed = self._signed_headers
        missing = [name for name in needed.values() if not call.header(name)]
        if missing:
            raise NotProven(
                f"this webhook takes calls with the headers that are signed: {', '.join(missing)} is missing"
            )
        return {place: call.header(name).encode() for place, name in needed.items()}


def window_field() -> Any:
    return Field(
        WINDOW_SECONDS,
        title="Window",
        description="Seconds by which the signed timestamp may differ.",
        ge=1,
        le=_LONGEST_WINDOW,
        json_schema_extra={"group": GROUP},
    )


def same_body_again_field() -> Any:
    return Field(
        False,
        title="Accept repeated bodies",
        description="Whether a signed body that was taken starts the workflow once more. Otherwise a call that somebody"
        " has recorded and sends again, with whatever query and headers, starts nothing.",
        json_schema_extra={"group": GROUP},
    )


class SignedBody(Authentication):
    """Base of those that sign the body alone, as `scheme` says: what was recorded looks like what is sent again."""

    scheme: ClassVar[HmacScheme]
    secret: Secret = secret_field(description="Shared with the sender, who signs with it.")
    same_body_again: bool = same_body_again_field()

    def sign(self, call: Call) -> Mapping[str, str]:
        return self.scheme.sign(self.secret.encode(), call)

    def verify(self, call: Call) -> Proof:
        refuse_get(call)
        return replace(self.scheme.check(self.secret.encode(), call), counts_again=self.same_body_again)


class TimedBody(Authentication):
    """Base of those that sign a time along with the body, as `scheme` says."""

    scheme: ClassVar[HmacScheme]
    secret: Secret = secret_field(description="Shared with the sender, who signs with it.")
    window: float = window_field()

    def sign(self, call: Call) -> Mapping[str, str]:
        return self.scheme.sign(self.secret.encode(), call)

    def verify(self, call: Call) -> Proof:
        refuse_get(call)
        return self.scheme.check(self.secret.encode(), call, self.window)

    def refuse_wrong_signature(self, call: Call) -> None:
        """Raises NotProven for a handshake that is signed, and wrongly: so a wrong secret shows."""
        if any(call.header(name) for name in self.scheme.headers):
            self.verify(call)


def new_id(call: Call) -> str:
    """The name of a delivery that is made for a test."""
    return f"test-{call.at:.6f}"


def refuse_get(call: Call) -> None:
    """A GET has no body, so a signature of that would prove nothing of what it says. Raises NotProven."""
    if call.method == "GET":
        raise NotProven("this webhook takes calls with a body, which is signed")


def is_signature(wanted: str, sent: list[str]) -> bool:
    """Whether one of those sent is the one wanted; hexadecimal digits may be capital."""
    is_hex = re.fullmatch("[0-9a-f]+", wanted) is not None
    candidates = [(one.strip().lower() if is_hex else one.strip()).encode() for one in sent]
    return any(hmac.compare_digest(wanted.encode(), candidate) for candidate in candidates)


def require_recent(timestamp: str, now: float, window: float) -> None:
    """Raises NotProven for a time, in seconds or milliseconds since 1970, that is off by more than `window` seconds."""
    if not re.fullmatch("[0-9]{1,15}", timestamp.strip()):
        raise NotProven("the time stamp of the signature is no number of seconds")
    sent = float(timestamp)
    if abs(now - (sent / 1000 if sent > _MILLISECONDS else sent)) > window:
        raise NotProven(f"the signature is of a time that is more than {window:g} seconds away")


def encode(digest: bytes, encoding: Encoding) -> str:
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
