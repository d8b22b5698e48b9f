"""Nobody has to prove anything: whoever knows the address may call.

A sender that wants its X-Hook-Secret back before it sends anything else (resthooks.org, "Security") gets it: that shows
the sender that it is wanted, and no one else anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.triggers.webhooks.authentication import Authentication, Proof
from flowforge.triggers.webhooks.call import Call

NONE = "none"


class Nothing(Authentication):
    type, title, rank = NONE, "None: anyone who knows the URL", 0
    echoed_header = "X-Hook-Secret"

    def verify(self, call: Call) -> Proof:
        del call
        return Proof()

    def sign(self, call: Call) -> Mapping[str, str]:
        del call
        return {}

    @classmethod
    def curl_options(cls, config: Mapping[str, Any]) -> str:
        del config
        return ""
