"""Standard Webhooks (standardwebhooks.com, "Verifying signatures"), as Svix, Clerk, Resend, Supabase and others send
them: an HMAC of id, time and body, in Base64, of which there may be several: `v1,g0hM9S… v1,bm9ldHUjKz…`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from flowforge.triggers.webhooks.authentication import Authentication, Proof, Secret, secret_field
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import refuse_get, window_field
from flowforge.triggers.webhooks.standard_signature import (
    check_standard_signature,
    holds_a_key,
    standard_signature_of,
)


class StandardWebhooks(Authentication):
    type, title, rank = "standard", "Standard Webhooks", 5
    secret: Annotated[Secret, AfterValidator(holds_a_key)] = secret_field(
        title="Signing secret", description="Begins with whsec_."
    )
    window: float = window_field()

    def sign(self, call: Call) -> Mapping[str, str]:
        return standard_signature_of(self.secret, call)

    def verify(self, call: Call) -> Proof:
        refuse_get(call)
        return check_standard_signature(self.secret, call, self.window)
