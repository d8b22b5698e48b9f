"""Slack: an HMAC of time and body (docs.slack.dev, "Verifying requests from Slack"), and an address that is checked by
a challenge ("url_verification").

Tries of one event have the same `event_id` in their bodies; commands and buttons are not tried again.
"""

from __future__ import annotations

from dataclasses import replace

from flowforge.triggers.webhooks.authentication import Handshake, Proof, Secret, secret_field
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import HmacScheme, TimedBody


class Slack(TimedBody):
    type, title = "slack", "Slack"
    scheme = HmacScheme(
        ("X-Slack-Signature",),
        prefix="v0=",
        content="v0:{timestamp}:{body}",
        timestamp_header="X-Slack-Request-Timestamp",
    )
    secret: Secret = secret_field(title="Signing secret", description="From the app's basic information.")

    def verify(self, call: Call) -> Proof:
        return replace(super().verify(call), delivery=call.body_id("event_id"))

    def handshake(self, call: Call) -> Handshake | None:
        """Gives back the challenge, which is the caller's own."""
        sent = call.short_body_object
        if sent.get("type") != "url_verification" or not isinstance(sent.get("challenge"), str):
            return None
        self.refuse_wrong_signature(call)
        return Handshake(sent["challenge"].encode())
