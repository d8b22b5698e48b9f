"""A call of a webhook that its owner tries out: signed as the sender would sign it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from flowforge.errors import Invalid
from flowforge.triggers.kinds.webhook import usual_method
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hook import Hook

_MEDIA_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class SignedCall:
    method: str
    headers: Mapping[str, str]
    body: bytes


def sign_call(hook: Hook, url: str, body: bytes) -> SignedCall:
    """The call with this JSON as its body. Raises Invalid where only the sender can prove who they are."""
    method = usual_method(hook.config.methods)
    call = Call(
        method=method,
        url=url,
        query={},
        headers={},
        read_body=lambda: body,
        read_pieces=lambda: (body,),
        media_type=_MEDIA_TYPE,
        at=time.time(),
    )
    proof = hook.authentication.sign(call)
    if proof is None:
        raise Invalid.at("", f"only the sender can sign calls here: {hook.authentication.title}")
    return SignedCall(method, {"Content-Type": _MEDIA_TYPE, **proof}, body)
