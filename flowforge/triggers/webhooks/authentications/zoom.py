"""Zoom: an HMAC of time and body (developers.zoom.us, "Using webhooks", "Verify webhook events"), and an address that
is checked every 72 hours by asking for the HMAC of a token ("Validate your webhook endpoint").
"""

from __future__ import annotations

import re

from flowforge import jsonio
from flowforge.triggers.webhooks.authentication import Handshake, NotProven, Secret, secret_field
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import HmacScheme, TimedBody

_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{1,200}")
"""Nothing that could be signed content, which has colons in it: else whoever asks could have calls signed."""


class Zoom(TimedBody):
    type, title = "zoom", "Zoom"
    scheme = HmacScheme(
        ("X-Zm-Signature",),
        prefix="v0=",
        content="v0:{timestamp}:{body}",
        timestamp_header="X-Zm-Request-Timestamp",
    )
    secret: Secret = secret_field(title="Secret token", description="From the app's features page.")

    def handshake(self, call: Call) -> Handshake | None:
        """Gives the HMAC of the token under the secret."""
        sent = call.short_body_object
        if sent.get("event") != "endpoint.url_validation":
            return None
        self.refuse_wrong_signature(call)
        payload = sent.get("payload")
        plain = payload.get("plainToken") if isinstance(payload, dict) else None
        if not isinstance(plain, str) or not _PLAIN_TOKEN.fullmatch(plain):
            raise NotProven("the plainToken is none")
        answer = {"plainToken": plain, "encryptedToken": self.scheme.digest(self.secret.encode(), plain.encode())}
        return Handshake(jsonio.dumps(answer), "application/json")
