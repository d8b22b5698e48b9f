"""api_key: a key that stands in a header, in the query, in a cookie, or for the user name of basic authentication.

The first three are what OpenAPI calls `apiKey` (https://spec.openapis.org/oas/v3.1.1#security-scheme-object).
"""

from __future__ import annotations

from typing import Literal

from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    Credentials,
    Request,
    basic_credentials,
    field,
    secret,
)

Location = Literal["header", "query", "cookie", "username", "path"]


class ApiKey(ConnectorConfig):
    key: str = secret(title="Key")
    location: Location = field(
        "header",
        title="Sent in",
        description="username: as the user name of basic authentication, without a password; path: as the first part of"
        " the address's path.",
    )
    name: str = field("X-API-Key", title="Sent as", description="The name of the header, the parameter or the cookie.")
    prefix: str = field("", title="Key prefix", description="Such as Token, with a blank after it.")


def _sign(request: Request, credentials: Credentials[ApiKey]) -> Request:
    config = credentials.config
    sent = config.prefix + config.key
    match config.location:
        case "header":
            return request.with_headers({config.name: sent})
        case "query":
            return request.with_query(**{config.name: sent})
        case "cookie":
            return request.with_cookie(config.name, sent)
        case "path":
            return request.with_first_segment(sent)
        case "username":
            encoded = basic_credentials(sent, "")
            credentials.hide(encoded)
            return request.with_headers({"Authorization": f"Basic {encoded}"})


API_KEY = ConnectionKind(
    "api_key",
    ApiKey,
    title="API key",
    help="A key in a header, in the query or in a cookie.",
    icon="key",
    keywords=("token", "header", "query", "cookie", "apikey"),
    sign=_sign,
    signs_at_once=True,
)
