"""headers: several headers, each with a secret value."""

from __future__ import annotations

from flowforge.connectors.sdk import ConnectionKind, ConnectorConfig, Credentials, HeaderName, Request, secret


class SecretHeaders(ConnectorConfig):
    headers: dict[HeaderName, str] = secret(
        title="Headers", description="Sent with each request; their values are kept secret.", min_length=1
    )


def _sign(request: Request, credentials: Credentials[SecretHeaders]) -> Request:
    return request.with_headers(credentials.config.headers)


HEADERS = ConnectionKind(
    "headers",
    SecretHeaders,
    title="Several headers",
    help="Headers with secret values, for services that ask for more than one.",
    icon="key",
    keywords=("header", "custom", "token"),
    sign=_sign,
    signs_at_once=True,
)
