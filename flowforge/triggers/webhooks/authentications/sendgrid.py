"""SendGrid: an ECDSA signature of time and body under the key that it shows for its signed event webhook
(twilio.com/docs/sendgrid, "Getting started with the Event Webhook Security Features").
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import AfterValidator, Field

from flowforge.sentences import sentence
from flowforge.triggers.webhooks.authentication import GROUP, Authentication, Proof, WrongSignature
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import refuse_get, require_recent, window_field
from flowforge.triggers.webhooks.signed_content import SignedContent

_SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
_ALGORITHM = ECDSA(Prehashed(SHA256()))
_TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


def _read_key(text: str) -> EllipticCurvePublicKey:
    """Raises ValueError."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise ValueError(sentence("must be the verification key that SendGrid shows")) from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError(sentence("must be a key of an elliptic curve"))
    return key


def _is_key(text: str) -> str:
    _read_key(text)
    return text


class SendGrid(Authentication):
    type, title = "sendgrid", "SendGrid"
    public_key: Annotated[str, AfterValidator(_is_key)] = Field(
        title="Verification key",
        description="From the mail settings, Signed Event Webhook.",
        json_schema_extra={"group": GROUP},
    )
    window: float = window_field()

    def verify(self, call: Call) -> Proof:
        refuse_get(call)
        timestamp = call.header(_TIMESTAMP)
        content = SignedContent((timestamp.encode(), call.read_pieces))
        try:
            signature = base64.b64decode(call.header(_SIGNATURE), validate=True)
            _read_key(self.public_key).verify(signature, content.sha256(), _ALGORITHM)
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise WrongSignature(_SIGNATURE) from error
        require_recent(timestamp, call.at, self.window)
        return Proof(content, is_timed=True)
