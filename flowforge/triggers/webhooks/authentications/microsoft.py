"""Microsoft Graph: a `clientState` in each notification, and an address that is checked by a token that has to be given
back (learn.microsoft.com/graph, "Receive change notifications through webhooks").
"""

from __future__ import annotations

from typing import Any

from flowforge.triggers.webhooks.authentication import (
    Authentication,
    Handshake,
    NotProven,
    Proof,
    Secret,
    is_same,
    secret_field,
)
from flowforge.triggers.webhooks.call import Call

_TOKEN = "validationToken"  # noqa: S105  (the name of a parameter)
_LONGEST_TOKEN = 4_000


class MicrosoftGraph(Authentication):
    type, title = "microsoft", "Microsoft Graph"
    secret: Secret = secret_field(title="Client state", description="What you give to the subscription as clientState.")

    def verify(self, call: Call) -> Proof:
        """Every notification in the body has to have the client state."""
        notices = call.body_object.get("value")
        if not isinstance(notices, list) or not notices or not all(self._is_ours(notice) for notice in notices):
            raise NotProven("this webhook takes notifications with its clientState")
        return Proof()

    def handshake(self, call: Call) -> Handshake | None:
        token = call.query.get(_TOKEN)
        return None if not token or len(token) > _LONGEST_TOKEN else Handshake(token.encode())

    def _is_ours(self, notice: Any) -> bool:
        state = notice.get("clientState") if isinstance(notice, dict) else None
        return isinstance(state, str) and is_same(self.secret, state)
