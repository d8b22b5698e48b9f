"""oauth1: requests that are signed with the secrets of a client and of a user (OAuth 1.0a, RFC 5849)."""

from __future__ import annotations

from typing import Any, Literal

from jwt import PyJWTError

from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Credentials,
    Request,
    field,
    readable_key,
    secret,
)

_FORM = "application/x-www-form-urlencoded"


class OAuth1Keys(ConnectorConfig):
    client_key: str = field(title="Consumer key", description="Or: API key, client key.")
    client_secret: str = secret("", title="Consumer secret")
    token: str = field("", title="Access token", description="Empty: the client signs for itself.")
    token_secret: str = secret("", title="Access token secret")
    signature_method: Literal["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "PLAINTEXT"] = field(
        "HMAC-SHA1", title="Signature method"
    )
    rsa_key: str = secret("", multiline=True, title="Private key", description="As PEM, for RSA-…")
    realm: str = field("", title="Realm")


def _sign(request: Request, credentials: Credentials[OAuth1Keys]) -> Request:
    try:
        authorization = _authorization(request, credentials.config)
    except (ValueError, PyJWTError) as error:
        raise ConnectorError("the request cannot be signed with these keys (OAuth 1.0a)", permanent=True) from error
    return request.with_headers({"Authorization": authorization})


def _authorization(request: Request, config: OAuth1Keys) -> str:
    """The value of the header. The parameters of a form are signed (RFC 5849, 3.4.1.3.1); of another body nothing is,
    as most services have it. Raises ValueError, and what PyJWT raises for a private key that is none."""
    from oauthlib.oauth1 import Client  # here, since few need it, and it takes its time to load

    client = Client(
        config.client_key,
        config.client_secret,
        config.token or None,
        config.token_secret or None,
        signature_method=config.signature_method,
        rsa_key=readable_key(config.rsa_key) or None,
    )
    is_form = request.header("content-type").startswith(_FORM) and bool(request.body)
    body, headers = (request.body.decode(), {"Content-Type": _FORM}) if is_form else (None, {})
    method: Any = request.method
    _, signed, _ = client.sign(request.url, method, body, headers, config.realm or None)
    return str(signed["Authorization"])


OAUTH1 = ConnectionKind(
    "oauth1",
    OAuth1Keys,
    title="OAuth 1.0a",
    help="Keys of a client and of a user, by which each request is signed.",
    icon="key",
    keywords=("oauth1", "consumer key", "netsuite", "woocommerce", "magento"),
    sign=_sign,
)
