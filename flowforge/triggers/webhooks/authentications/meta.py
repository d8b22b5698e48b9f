"""Meta (Facebook, Instagram, WhatsApp): the HMAC of the body under the app secret, and an address that is checked by a
GET (developers.facebook.com, "Webhooks: Getting Started").
"""

from __future__ import annotations

from flowforge.triggers.webhooks.authentication import Handshake, NotProven, Secret, is_same, secret_field
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import HmacScheme, SignedBody


class Meta(SignedBody):
    type, title = "meta", "Meta, WhatsApp"
    scheme = HmacScheme(("X-Hub-Signature-256",), prefix="sha256=")
    secret: Secret = secret_field(title="App secret", description="From the app's basic settings.")
    verify_token: str = secret_field(
        title="Verify token", description="A word of your own, which you also enter where the callback URL is entered."
    )

    def handshake(self, call: Call) -> Handshake | None:
        """Gives back `hub.challenge` where the verify token is right."""
        if call.method != "GET" or call.query.get("hub.mode") != "subscribe":
            return None
        if not is_same(self.verify_token, call.query.get("hub.verify_token", "")):
            raise NotProven("the verify token is another one")
        return Handshake(call.query.get("hub.challenge", "").encode())
