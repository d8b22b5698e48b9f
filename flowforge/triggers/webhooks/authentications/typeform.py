"""Typeform: the HMAC of the body in Base64 (typeform.com/developers, "Secure your webhooks").

Each answer to a form has an `event_id` in its body, which is signed with it and stays the same in each try.
"""

from __future__ import annotations

from dataclasses import replace

from flowforge.triggers.webhooks.authentication import Proof
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import HmacScheme, SignedBody


class Typeform(SignedBody):
    type, title = "typeform", "Typeform"
    scheme = HmacScheme(("Typeform-Signature",), prefix="sha256=", encoding="base64")

    def verify(self, call: Call) -> Proof:
        return replace(super().verify(call), delivery=call.body_id("event_id"))
