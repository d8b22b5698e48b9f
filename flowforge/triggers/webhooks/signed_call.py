"""A call of a webhook that its owner tries out: signed as the sender would sign it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flowforge.errors import Invalid
from flowforge.sentences import sentence
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.hook import Hook
from flowforge.triggers.webhooks.sample_request import SampleRequest


@dataclass(frozen=True, slots=True)
class SignedCall:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def sign_call(hook: Hook, url: str, request: SampleRequest) -> SignedCall:
    """The request as a call of the webhook. Raises Invalid where only the sender can prove who they are."""
    body = request.body.encode(errors="replace") if request.sends_body else b""
    called = f"{url}?{request.query}" if request.query else url
    headers = request.all_headers
    call = Call(
        method=request.method,
        url=called,
        query=dict(parse_qsl(request.query, keep_blank_values=True)),
        headers={name.lower(): value for name, value in headers.items()},
        read_body=lambda: body,
        read_pieces=lambda: (body,),
        media_type=request.media_type,
        at=time.time(),
    )
    proof = hook.authentication.sign(call)
    if proof is None:
        raise Invalid.at(
            "", sentence("only the sender can sign calls here: %(title)s", title=hook.authentication.title)
        )
    return SignedCall(request.method, called, {**headers, **proof}, body)
