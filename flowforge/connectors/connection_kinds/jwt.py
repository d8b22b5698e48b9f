"""jwt: a token that is signed anew for each call (RFC 7519), or exchanged for an access token (RFC 7523)."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from flowforge import jsonio
from flowforge.connectors.sdk import (
    Algorithm,
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Credentials,
    Request,
    Response,
    field,
    forget_token,
    secret,
    sign_claims,
    times_of,
    token_for,
)

_LONGEST_LIFE_SECONDS = 24 * 3600


class SignedToken(ConnectorConfig):
    algorithm: Algorithm = field("RS256", title="Algorithm")
    key: str = secret(multiline=True, title="Key", description="The private key as PEM; for HS… the shared secret.")
    key_encoding: Literal["text", "hex", "base64"] = field(
        "text", title="Key written as", description="For a shared secret whose bytes are given in another way."
    )
    key_id: str = field("", title="Key id", description="kid, in the token's header.")
    issuer: str = field("", title="Issuer", description="iss: the account, client or app.")
    subject: str = field("", title="Subject", description="sub")
    audience: str = field("", title="Audience", description="aud: the service.")
    claims: dict[str, Any] = field(default_factory=dict, title="Other claims", description="Such as scope.")
    life_seconds: int = field(300, title="Lifetime (seconds)", ge=1, le=_LONGEST_LIFE_SECONDS)
    scheme: str = field("Bearer", title="Scheme", description="The word before the token.")
    token_url: str = field(
        "",
        title="Token URL",
        description="Where the service gives an access token for the signed one (service accounts). Empty: the signed"
        " one is sent itself.",
    )

    @property
    def depends_on(self) -> str:
        """All that an access token depends on."""
        return jsonio.dumps(self.model_dump()).decode()


def _sign(request: Request, credentials: Credentials[SignedToken]) -> Request:
    config = credentials.config
    token = _access_token(credentials) if config.token_url else _signed_token(config)
    credentials.hide(token)
    return request.with_headers({"Authorization": f"{config.scheme} {token}"})


def _renew(_: Response, credentials: Credentials[SignedToken]) -> bool:
    forget_token(credentials.context, credentials.config.depends_on)
    return bool(credentials.config.token_url)


def _access_token(credentials: Credentials[SignedToken]) -> str:
    config = credentials.config
    return token_for(
        credentials.context,
        config.depends_on,
        config.token_url,
        lambda: _signed_token(config),
        service="the token service",
    )


def _signed_token(config: SignedToken) -> str:
    named = {"iss": config.issuer, "sub": config.subject, "aud": config.audience}
    given: Mapping[str, Any] = {name: value for name, value in named.items() if value}
    claims = {"jti": str(uuid.uuid4()), **given, **times_of(config.life_seconds), **config.claims}
    return sign_claims(claims, _key(config), config.algorithm, key_id=config.key_id, named="the key")


def _key(config: SignedToken) -> str | bytes:
    try:
        match config.key_encoding:
            case "hex":
                return bytes.fromhex(config.key)
            case "base64":
                return base64.b64decode(config.key, validate=True)
            case "text":
                return config.key
    except (ValueError, binascii.Error) as error:
        raise ConnectorError(f"the key is not written as {config.key_encoding}", permanent=True) from error


JWT = ConnectionKind(
    "jwt",
    SignedToken,
    title="Signed token (JWT)",
    help="A token that is signed for each call, or exchanged for an access token, as service accounts do.",
    icon="key",
    keywords=("jwt", "service account", "assertion", "github app", "app store"),
    sign=_sign,
    renew=_renew,
)
