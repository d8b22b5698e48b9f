"""Stripe: an HMAC of time and body (docs.stripe.com, "Check the webhook signatures"), both in one header:
`Stripe-Signature: t=1492774577,v1=5257a8…,v0=6ffbb5…`.

While a secret is being renewed, there are several signatures `v1`. A try is signed anew; the event's `id` stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from flowforge.triggers.webhooks.authentication import Authentication, Proof, Secret, WrongSignature, secret_field
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import is_signature, refuse_get, require_recent, window_field
from flowforge.triggers.webhooks.signed_content import SignedContent

_HEADER = "Stripe-Signature"
_MOST_PARTS = 20


class Stripe(Authentication):
    type, title = "stripe", "Stripe"
    secret: Secret = secret_field(title="Signing secret", description="Of the endpoint; begins with whsec_.")
    window: float = window_field()

    def sign(self, call: Call) -> Mapping[str, str]:
        timestamp = str(int(call.at))
        signature = _content(timestamp, call).hmac(self.secret.encode(), "sha256").hex()
        return {_HEADER: f"t={timestamp},v1={signature}"}

    def verify(self, call: Call) -> Proof:
        refuse_get(call)
        parts = [part.strip().partition("=")[::2] for part in call.header(_HEADER).split(",", _MOST_PARTS)]
        timestamp = next((value for name, value in parts if name == "t"), "")
        content = _content(timestamp, call)
        wanted = content.hmac(self.secret.encode(), "sha256").hex()
        if not is_signature(wanted, [value for name, value in parts if name == "v1"]):
            raise WrongSignature(_HEADER)
        require_recent(timestamp, call.at, self.window)
        return Proof(content, is_timed=True, delivery=call.body_id("id"))


def _content(timestamp: str, call: Call) -> SignedContent:
    return SignedContent((timestamp.encode(), b".", call.read_pieces))
