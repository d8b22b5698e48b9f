"""bearer: a token that is sent as it is (RFC 6750, 2.1)."""

from __future__ import annotations

from flowforge.connectors.sdk import ConnectionKind, ConnectorConfig, Credentials, Request, secret


class BearerToken(ConnectorConfig):
    token: str = secret(title="Token", description="Sent as: Authorization: Bearer …")


def _sign(request: Request, credentials: Credentials[BearerToken]) -> Request:
    return request.with_headers({"Authorization": f"Bearer {credentials.config.token}"})


BEARER = ConnectionKind(
    "bearer",
    BearerToken,
    title="Bearer token",
    help="A token that does not end by itself, such as a personal access token.",
    icon="key",
    keywords=("token", "personal access token", "pat"),
    sign=_sign,
    signs_at_once=True,
)
