"""The signature of the Standard Webhooks (standardwebhooks.com, "Signature scheme")."""

from __future__ import annotations

import base64
import binascii

from flowforge.sentences import sentence
from flowforge.triggers.webhooks.authentication import Proof, WrongSignature, is_hidden
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import encode, is_signature, new_id, require_recent
from flowforge.triggers.webhooks.signed_content import SignedContent

KEY_PREFIX = "whsec_"
_MOST_SIGNATURES = 20


def holds_a_key(text: str) -> str:
    """The text. Raises ValueError where it is seen to hold none."""
    if not is_hidden(text):
        read_key(text)
    return text


def read_key(secret: str) -> bytes:
    """The key in a secret: Base64, after `whsec_`. Raises ValueError."""
    try:
        return base64.b64decode(secret.removeprefix(KEY_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(sentence("must be Base64, as a rule after %(key_prefix)s", key_prefix=KEY_PREFIX)) from error


def check_standard_signature(secret: str, call: Call, window: float) -> Proof:
    """Raises NotProven."""
    id_, timestamp = _header(call, "id"), _header(call, "timestamp")
    content = _content(id_, timestamp, call)
    wanted = _signature(secret, content)
    sent = [one.partition(",")[2] for one in _header(call, "signature").split(" ", _MOST_SIGNATURES) if "v1," in one]
    if not id_ or not is_signature(wanted, sent):
        raise WrongSignature("webhook-signature")
    require_recent(timestamp, call.at, window)
    return Proof(content, is_timed=True, delivery=id_)


def standard_signature_of(secret: str, call: Call) -> dict[str, str]:
    """The headers of a call that is signed now."""
    id_, timestamp = new_id(call), str(int(call.at))
    signature = _signature(secret, _content(id_, timestamp, call))
    return {"webhook-id": id_, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def _content(id_: str, timestamp: str, call: Call) -> SignedContent:
    return SignedContent((f"{id_}.{timestamp}.".encode(), call.read_pieces))


def _signature(secret: str, content: SignedContent) -> str:
    return encode(content.hmac(read_key(secret), "sha256"), "base64")


def _header(call: Call, name: str) -> str:
    """Svix, from which the standard came, has its own prefix."""
    return call.header(f"webhook-{name}") or call.header(f"svix-{name}")
