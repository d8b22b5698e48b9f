"""google: a service account, which signs an assertion and is given a token for it; or a legacy API key.

https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import jwt
from pydantic import BeforeValidator

from flowforge import jsonio
from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Credentials,
    Request,
    Response,
    secret,
    token_key,
)
from flowforge.jsonio import JsonObject

SCOPE = "https://www.googleapis.com/auth/spreadsheets"
_TOKEN_LIFE_SECONDS = 3600
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""RFC 7523, 2.1."""


def _as_text(value: Any) -> Any:
    return jsonio.dumps(value).decode() if isinstance(value, dict) else value


class GoogleSignIn(ConnectorConfig):
    service_account: Annotated[str | None, BeforeValidator(_as_text)] = secret(
        None, title="Service account", description="The JSON key file's text."
    )
    api_key: str | None = secret(None, title="API key", description="Legacy: Google refuses to write with it.")


def _sign(request: Request, credentials: Credentials[GoogleSignIn]) -> Request:
    if not credentials.config.service_account:
        return request.with_query(key=credentials.config.api_key or "")
    token = _access_token(credentials.config.service_account, credentials)
    credentials.context.secrets.append(token)
    return request.with_headers({"Authorization": f"Bearer {token}"})


def _renew(_: Response, credentials: Credentials[GoogleSignIn]) -> bool:
    """The token may have been revoked before its time."""
    account, context = credentials.config.service_account, credentials.context
    if account:
        context.tools.tokens.forget(token_key(context.user_id, account))
    return bool(account)


def _test(credentials: Credentials[GoogleSignIn]) -> bool:
    """Asks for a token, as a step would."""
    account = credentials.config.service_account
    if account:
        _access_token(account, credentials)
    return bool(account)


def _access_token(service_account: str, credentials: Credentials[GoogleSignIn]) -> str:
    context = credentials.context
    key = token_key(context.user_id, service_account)
    kept = context.tools.tokens.get(key)
    if kept is not None:
        return kept
    now = int(time.time())
    answer = _exchange_assertion(_read_account(service_account), now, credentials)
    token = str(answer["access_token"])
    context.tools.tokens.keep(key, token, now + float(answer.get("expires_in", 0)))
    return token


def _exchange_assertion(account: dict[str, str], now: int, credentials: Credentials[GoogleSignIn]) -> JsonObject:
    context = credentials.context
    form = {"grant_type": _GRANT, "assertion": _assertion(account, now)}
    response = context.tools.http.send(context, "POST", account["token_uri"], data=form)
    response.raise_for_status("Google's token service")
    answer = response.body()
    if not isinstance(answer, dict) or "access_token" not in answer:
        raise ConnectorError("Google's token service gave no token", permanent=False)
    return answer


def _assertion(account: dict[str, str], now: int) -> str:
    claims = {
        "iss": account["client_email"],
        "scope": SCOPE,
        "aud": account["token_uri"],
        "iat": now,
        "exp": now + _TOKEN_LIFE_SECONDS,
    }
    try:
        return jwt.encode(claims, account["private_key"], algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConnectorError("the private key in serviceAccount cannot be used", permanent=True) from error


def _read_account(text: str) -> dict[str, str]:
    try:
        account = jsonio.loads(text)
        return {name: account[name] for name in ("client_email", "private_key", "token_uri")}
    except (ValueError, KeyError, TypeError) as error:
        raise ConnectorError("serviceAccount is not the JSON of a service account key", permanent=True) from error


GOOGLE = ConnectionKind(
    "google",
    GoogleSignIn,
    title="Google",
    help="A service account of Google's cloud.",
    icon="table",
    keywords=("service account", "sheets"),
    sign=_sign,
    renew=_renew,
    test=_test,
)
