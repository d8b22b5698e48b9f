"""Asana: the HMAC of the body under a secret that Asana itself hands out when it first calls, and wants to have back
(developers.asana.com, "Webhooks", "The webhook handshake").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flowforge.triggers.webhooks.authentication import Authentication, Handshake, NotProven, Proof, Secret, secret_field
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import HmacScheme, refuse_get, same_body_again_field

_HANDSHAKE = "X-Hook-Secret"
_SCHEME = HmacScheme(("X-Hook-Signature",))


class Asana(Authentication):
    type, title, hands_out_secret = "asana", "Asana", True
    secret: Secret | None = secret_field(
        None, description="Leave it empty: Asana hands it out when it first calls, and it is kept here from then on."
    )
    same_body_again: bool = same_body_again_field()

    def verify(self, call: Call) -> Proof:
        refuse_get(call)
        if self.secret is None:
            raise NotProven("Asana has not handed out its secret yet (X-Hook-Secret)")
        return replace(_SCHEME.check(self.secret.encode(), call), counts_again=self.same_body_again)

    def sign(self, call: Call) -> Mapping[str, str] | None:
        return None if self.secret is None else _SCHEME.sign(self.secret.encode(), call)

    def handshake(self, call: Call) -> Handshake | None:
        """Gives the secret back, and has it kept. Once there is one, only that one is given back: another sender would
        lock Asana out."""
        sent = call.header(_HANDSHAKE)
        if not sent:
            return None
        if not 8 <= len(sent) <= 200 or self.secret not in (None, sent):
            raise NotProven("this webhook has the secret of an earlier handshake; renew its address for another one")
        return Handshake(headers={_HANDSHAKE: sent}, secret=None if self.secret else sent)
