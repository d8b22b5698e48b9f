"""A name and a password (HTTP Basic, RFC 7617)."""

from __future__ import annotations

import base64
import binascii
import shlex
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from flowforge.sentences import sentence
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


def _without_colon(username: str) -> str:
    if ":" in username:
        raise ValueError(sentence("must have no colon in it: callers send it before one"))
    return username


class Basic(Authentication):
    type, title, rank = "basic", "Basic: name and password", 2
    challenge = 'Basic realm="webhook", charset="UTF-8"'

    username: Annotated[str, AfterValidator(_without_colon)] = Field(
        title="Username", min_length=1, max_length=200, json_schema_extra={"group": GROUP}
    )
    password: Secret = secret_field(title="Password", description="Sent by the caller.")

    def verify(self, call: Call) -> Proof:
        username, _, password = _credentials(call.header("authorization")).partition(":")
        if not (is_same(self.username, username) & is_same(self.password, password)):
            raise NotProven("this webhook takes calls with its name and password (Basic)")
        return Proof()

    def sign(self, call: Call) -> Mapping[str, str]:
        del call
        credentials = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {credentials}"}

    @classmethod
    def curl_options(cls, config: Mapping[str, Any]) -> str:
        """Asks for the password."""
        return f"-u {shlex.quote(str(config.get('username') or 'name'))}"


def _credentials(header: str) -> str:
    """`name:password`; empty where the header has none."""
    scheme, _, sent = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(sent.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
