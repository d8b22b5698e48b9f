"""A fixed token in a header."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from flowforge.triggers.webhooks.authentication import (
    GROUP,
    Authentication,
    NotProven,
    Proof,
    Secret,
    is_same,
    secret_field,
)
from flowforge.triggers.webhooks.call import Call
from flowforge.triggers.webhooks.headers import HeaderName


class HeaderToken(Authentication):
    type, title, rank = "header", "Token in a header", 1

    header: HeaderName = Field(
        "Authorization",
        title="Header",
        description="The header that has the token, all of it or after “Bearer”.",
        json_schema_extra={"group": GROUP},
    )
    secret: Secret = secret_field(title="Token", description="What the header has to say.")

    def verify(self, call: Call) -> Proof:
        sent = call.header(self.header).strip()
        without_scheme = sent[7:].lstrip() if sent[:7].lower() == "bearer " else sent
        if not (is_same(self.secret, sent) | is_same(self.secret, without_scheme)):
            raise NotProven(f"this webhook takes calls with its token in the header {self.header}")
        return Proof()

    def sign(self, call: Call) -> Mapping[str, str]:
        del call
        return {self.header: self.secret}

    @classmethod
    def curl_options(cls, config: Mapping[str, Any]) -> str:
        name = shlex.quote(f"{config.get('header') or 'Authorization'}: ")
        return f'-H {name}"$TOKEN"'

    @property
    def secret_headers(self) -> frozenset[str]:
        return frozenset({self.header.lower()})
