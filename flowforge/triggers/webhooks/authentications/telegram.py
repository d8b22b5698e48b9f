"""Telegram: the secret token that was given to `setWebhook` (core.telegram.org/bots/api#setwebhook). Each update has an
`update_id`.
"""

from __future__ import annotations

from collections.abc import Mapping

from flowforge.triggers.webhooks.authentication import Authentication, NotProven, Proof, Secret, is_same, secret_field
from flowforge.triggers.webhooks.call import Call

_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Telegram(Authentication):
    type, title = "telegram", "Telegram"
    secret: Secret = secret_field(title="Secret token", description="What you give to setWebhook as secret_token.")

    def sign(self, call: Call) -> Mapping[str, str]:
        del call
        return {_HEADER: self.secret}

    def verify(self, call: Call) -> Proof:
        if not is_same(self.secret, call.header(_HEADER)):
            raise NotProven(f"this webhook takes calls with its secret token ({_HEADER})")
        return Proof(delivery=call.body_id("update_id"))
