"""Started by a program that calls an address (contract.md, section 1.4)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from flowforge import jsonio
from flowforge.connectors.sdk import secret
from flowforge.jsonio import JsonObject
from flowforge.triggers.answering import AnsweringConfig
from flowforge.triggers.kind import Address, TriggerKind

WEBHOOK = "webhook"
_SHORTEST_SECRET = 8
_LONGEST_BODY = 600
_EXAMPLE_BODY = {"name": "Ada"}


def _long_enough(text: str) -> str:
    if len(text) < _SHORTEST_SECRET:
        raise ValueError(f"must be text of at least {_SHORTEST_SECRET} characters")
    return text


class Config(AnsweringConfig):
    secret: Annotated[str, AfterValidator(_long_enough)] | None = secret(
        None,
        title="Secret",
        description="Callers sign the body with it (HMAC-SHA256, X-Hub-Signature-256). Empty: anybody may call.",
    )
    same_body_again: bool = Field(
        False,
        title="Take the same body again",
        description="Whether a signed body that was taken starts the workflow once more. Otherwise a call that somebody"
        " has recorded and sends again, with whatever query and headers, starts nothing.",
    )


def curl(url: str, sample: Mapping[str, Any] | None) -> str:
    """A command line that sends the body of `sample`; an example where that is missing or too long to be read."""
    body = (sample or {}).get("body")
    text = jsonio.dumps(body).decode() if isinstance(body, dict | list) and body else ""
    if not text or len(text) > _LONGEST_BODY:
        text = jsonio.dumps(_EXAMPLE_BODY).decode()
    return f"curl -X POST -H 'Content-Type: application/json' -d {shlex.quote(text)} {shlex.quote(url)}"


class Webhook(TriggerKind[Config]):
    type = WEBHOOK
    title = "Webhook"
    help = "When another program calls an address"
    icon = "webhook"
    keywords = (
        "http",
        "url",
        "callback",
        "call",
    )
    rank = 10
    config = Config
    address = Address("webhook", "call the address now", command=curl)

    def sample(self, config: Mapping[str, Any]) -> JsonObject:
        return {
            "body": dict(_EXAMPLE_BODY),
            "headers": {"content-type": "application/json"},
            "queryParams": {},
            "method": "POST",
            "remoteAddress": "203.0.113.7",
        }


KIND = Webhook()
