"""basic: a user name and a password, sent with each request (RFC 7617)."""

from __future__ import annotations

from pydantic import field_validator

from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    Credentials,
    Request,
    field,
    secret,
)
from flowforge.sentences import sentence


class UserAndPassword(ConnectorConfig):
    username: str = field(title="User name")
    password: str = secret("", title="Password")

    @field_validator("username")
    @classmethod
    def _require_no_colon(cls, username: str) -> str:
        if ":" in username:
            raise ValueError(sentence("cannot hold a colon"))
        return username


def _sign(request: Request, credentials: Credentials[UserAndPassword]) -> Request:
    config = credentials.config
    return request.with_headers({"Authorization": credentials.basic(config.username, config.password)})


BASIC = ConnectionKind(
    "basic",
    UserAndPassword,
    title="User name and password (basic)",
    help="A user name and a password, sent with each request.",
    icon="key",
    keywords=("basic", "login", "password"),
    sign=_sign,
    signs_at_once=True,
)
