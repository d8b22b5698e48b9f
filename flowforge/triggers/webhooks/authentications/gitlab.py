"""GitLab (docs.gitlab.com, "Webhooks"): a signing token, by which calls are signed as the Standard Webhooks are, or a
secret token, which is sent along as it is. A try has the same Idempotency-Key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from flowforge.triggers.webhooks.authentication import (
    Authentication,
    NotProven,
    Proof,
    Secret,
    is_same,
    secret_field,
)
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hmac_scheme import refuse_get, window_field
from flowforge.triggers.webhooks.standard_signature import (
    KEY_PREFIX,
    check_standard_signature,
    holds_a_key,
    standard_signature_of,
)


def _signing_token(text: str) -> str:
    return holds_a_key(text) if text.startswith(KEY_PREFIX) else text


class GitLab(Authentication):
    type, title, id_header = "gitlab", "GitLab", "Idempotency-Key"
    secret: Annotated[Secret, AfterValidator(_signing_token)] = secret_field(
        title="Signing token or secret token", description="A signing token begins with whsec_; it is the safer one."
    )
    window: float = window_field()

    def sign(self, call: Call) -> Mapping[str, str]:
        if self.secret.startswith(KEY_PREFIX):
            return standard_signature_of(self.secret, call)
        return {"X-Gitlab-Token": self.secret}

    def verify(self, call: Call) -> Proof:
        refuse_get(call)
        if self.secret.startswith(KEY_PREFIX):
            return check_standard_signature(self.secret, call, self.window)
        if not is_same(self.secret, call.header("X-Gitlab-Token")):
            raise NotProven("this webhook takes calls with its secret token (X-Gitlab-Token)")
        return Proof()
