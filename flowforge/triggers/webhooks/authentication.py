"""How callers of a webhook prove who they are: one file of `flowforge.triggers.webhooks.authentications` for each way.

class Shop(Authentication):
    type, title = "shop", "Shop"
    secret: Secret = secret_field(description="From the settings of the shop.")

    def verify(self, call: Call) -> Proof: ...

Its fields are keys of the trigger's config. An instance is a config that was read, secrets in clear.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator

from flowforge.errors import Unauthorized
from flowforge.fields import secret
from flowforge.secrets import MASK, is_sealed
from flowforge.sentences import sentence
from flowforge.triggers.kind import TriggerConfig
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.signed_content import SignedContent

GROUP = "Access"
"""The heading of these fields."""
_SHORTEST_SECRET = 8


class NotProven(Unauthorized):
    """The caller has not shown that the call is theirs; the text says what is wanted of one, and is fit to be sent."""


class WrongSignature(NotProven):
    def __init__(self, *headers: str) -> None:
        """`headers`: one of them should have it."""
        super().__init__(f"this webhook takes calls whose signature is right ({', or '.join(headers)})")


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of a call whose caller has proved who they are."""

    signed: SignedContent | None = None
    """What was signed; None where nothing of the call is."""
    is_timed: bool = False
    """Whether a time stamp is signed, so that an honest sender signs each try anew."""
    delivery: str | None = None
    """The provider's id for what happened, the same in each try to deliver it."""
    counts_again: bool = False
    """Whether the same content, signed without a time, may have been sent for something else."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """The answer to a call by which a provider checks an address; such a call starts nothing."""

    body: bytes = b""
    media_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = None
    """The secret with which the provider will sign from now on, where it hands out one here."""


class Authentication(TriggerConfig):
    type: ClassVar[str]
    """The value of `auth` that chooses it."""
    title: ClassVar[str]
    rank: ClassVar[int] = 100
    """Its rank among those that are offered; of equal ones, the title decides."""
    id_header: ClassVar[str | None] = None
    """The header in which the provider sends the id of a delivery, the same in each try."""
    hands_out_secret: ClassVar[bool] = False
    """Whether the provider chooses the secret, and tells it in a handshake."""
    echoed_header: ClassVar[str | None] = None
    """A header that the answer to any call gives back, where it was sent."""
    challenge: ClassVar[str] = Unauthorized.challenge
    """What callers who prove nothing are told to use (RFC 9110, section 11.6.1)."""

    def verify(self, call: Call) -> Proof:
        """Raises NotProven, and Unavailable where a key has to be fetched and cannot."""
        raise NotImplementedError

    def sign(self, call: Call) -> Mapping[str, str] | None:
        """The headers by which a sender proves that a call like this, which has none yet, is theirs; None where only
        the provider can."""
        del call
        return None

    def handshake(self, call: Call) -> Handshake | None:
        """The answer to a call that only checks the address; None for any other. Raises NotProven."""
        del call
        return None

    @classmethod
    def curl_options(cls, config: Mapping[str, Any]) -> str | None:
        """What a call from a terminal needs to prove who makes it; None where it has to be signed. The config is one in
        any state."""
        del config
        return None

    @property
    def secret_headers(self) -> frozenset[str]:
        """The names, in lower case, of headers that no event may keep, whatever they look like."""
        return frozenset()


def _long_enough(text: str) -> str:
    if len(text) < _SHORTEST_SECRET:
        raise ValueError(sentence("must be text of at least %(least)s characters", least=_SHORTEST_SECRET))
    return text


Secret = Annotated[str, AfterValidator(_long_enough)]


def secret_field(default: Any = ..., *, title: str = "Secret", **declared: Any) -> Any:
    return secret(default, title=title, group=GROUP, **declared)


def is_hidden(secret_: str) -> bool:
    """Whether it is masked or sealed, so that its form cannot be seen."""
    return secret_ == MASK or is_sealed(secret_)


def is_same(secret_: str, sent: str) -> bool:
    """Compare in a time that tells nothing of where they differ."""
    return hmac.compare_digest(secret_.encode(), sent.encode())
