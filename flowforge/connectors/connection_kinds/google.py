"""google: a service account, which signs an assertion and is given a token for it; or a legacy API key.

https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from flowforge import jsonio
from flowforge.connectors.sdk import (
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

SCOPE = "https://www.googleapis.com/auth/spreadsheets"
_LIFE_SECONDS = 3600
_SERVICE = "Google's token service"


def _as_text(value: Any) -> Any:
    return jsonio.dumps(value).decode() if isinstance(value, dict) else value


class GoogleSignIn(ConnectorConfig):
    service_account: Annotated[str | None, BeforeValidator(_as_text)] = secret(
        None, title="Service account", description="The JSON key file's text."
    )
    api_key: str | None = secret(None, title="API key", description="Legacy: Google refuses to write with it.")
    scopes: list[str] = field(
        [], title="Scopes", description="What the token is for. Empty: sheets (https://www.googleapis.com/auth/…)."
    )
    subject: str | None = field(
        None, title="On behalf of", description="A user of your Workspace, where the account may act for them all."
    )

    @property
    def depends_on(self) -> str:
        """All that a token depends on."""
        return jsonio.dumps([self.service_account, self.scopes, self.subject]).decode()


def _sign(request: Request, credentials: Credentials[GoogleSignIn]) -> Request:
    if not credentials.config.service_account:
        return request.with_query(key=credentials.config.api_key or "")
    token = _access_token(credentials)
    credentials.hide(token)
    return request.with_headers({"Authorization": f"Bearer {token}"})


def _renew(_: Response, credentials: Credentials[GoogleSignIn]) -> bool:
    forget_token(credentials.context, credentials.config.depends_on)
    return bool(credentials.config.service_account)


def _test(credentials: Credentials[GoogleSignIn]) -> bool:
    """Asks for a token, as a step would."""
    if credentials.config.service_account:
        _access_token(credentials)
    return bool(credentials.config.service_account)


def _access_token(credentials: Credentials[GoogleSignIn]) -> str:
    config = credentials.config
    account = _read_account(config.service_account or "")
    return token_for(
        credentials.context,
        config.depends_on,
        account["token_uri"],
        lambda: _assertion(account, config),
        service=_SERVICE,
    )


def _assertion(account: dict[str, str], config: GoogleSignIn) -> str:
    claims = {
        "iss": account["client_email"],
        "scope": " ".join(config.scopes) or SCOPE,
        "aud": account["token_uri"],
        **({"sub": config.subject} if config.subject else {}),
        **times_of(_LIFE_SECONDS),
    }
    named = "the private key in serviceAccount"
    return sign_claims(claims, account["private_key"], "RS256", key_id=account.get("private_key_id", ""), named=named)


def _read_account(text: str) -> dict[str, str]:
    try:
        account = jsonio.loads(text)
        needed = {name: account[name] for name in ("client_email", "private_key", "token_uri")}
    except (ValueError, KeyError, TypeError) as error:
        raise ConnectorError("serviceAccount is not the JSON of a service account key", permanent=True) from error
    return {**needed, "private_key_id": str(account.get("private_key_id") or "")}


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
