"""Signed assertions (JWT, RFC 7519), and the tokens that services give for them (RFC 7523, 2.1)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import jwt

from flowforge.connectors.context import StepContext
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.tls import readable_key
from flowforge.connectors.tokens import token_key

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"]
"""RFC 7518, 3.1 and RFC 8037, 3.1."""


def sign_claims(claims: Mapping[str, Any], key: str | bytes, algorithm: Algorithm, *, key_id: str, named: str) -> str:
    """The signed token. `key`: PEM, whose line breaks may be lost, or the secret of an HMAC; `named`: what errors call
    it. Raises ConnectorError, which quotes nothing of it."""
    headers = {"kid": key_id} if key_id else None
    try:
        readable = readable_key(key) if isinstance(key, str) else key
        return jwt.encode(dict(claims), readable, algorithm=algorithm, headers=headers)
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConnectorError(f"{named} cannot be used", permanent=True) from error


def times_of(life_seconds: float) -> dict[str, int]:
    """The claims that say from when to when an assertion is good (RFC 7519, 4.1.4 and 4.1.6)."""
    now = int(time.time())
    return {"iat": now, "exp": now + int(life_seconds)}


def token_for(
    context: StepContext, credentials: str, token_url: str, make_assertion: Callable[[], str], *, service: str
) -> str:
    """The access token that the service gives for an assertion, or gave before and that is still good. `credentials`:
    all that the token depends on; `service`: the name of the service in errors. Raises ConnectorError."""
    key = token_key(context.user_id, credentials)
    kept = context.tools.tokens.get(key)
    if kept is not None:
        return kept
    asked_at = time.time()
    token, seconds = _exchange(context, token_url, make_assertion(), service)
    context.tools.tokens.keep(key, token, asked_at + seconds)
    return token


def forget_token(context: StepContext, credentials: str) -> None:
    """Lets the next call ask for another: the token may have been revoked before its time."""
    context.tools.tokens.forget(token_key(context.user_id, credentials))


def _exchange(context: StepContext, token_url: str, assertion: str, service: str) -> tuple[str, float]:
    """The token, and the seconds for which it is good."""
    form = {"grant_type": _GRANT, "assertion": assertion}
    response = context.tools.http.send(context, "POST", token_url, data=form)
    response.raise_for_status(service)
    answer = response.body()
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        raise ConnectorError(f"{service} gave no token", permanent=False)
    return answer["access_token"], _seconds(answer.get("expires_in"))


def _seconds(expires_in: Any) -> float:
    """A token without an end that can be read is used once."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError):
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0
