"""GOOGLE_SHEET_ROW: append rows to a sheet.

https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values/append, and for the service
account https://developers.google.com/identity/protocols/oauth2/service-account
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

import jwt
from pydantic import BeforeValidator, Field, model_validator

from flowforge import jsonio
from flowforge.connectors.sdk import (
    ConnectionType,
    ConnectorConfig,
    ConnectorError,
    StepContext,
    connector,
    first_of,
    secret,
)

SHEETS = "https://sheets.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/spreadsheets"
_TOKEN_LIFE_SECONDS = 3600

_MOST_TOKENS = 200

_tokens: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
_tokens_lock = threading.Lock()


def _rows(value: Any) -> Any:
    """A flat list is one row, a text one cell (contract.md, section 6)."""
    if isinstance(value, list):
        return value if all(isinstance(row, list) for row in value) else [value]
    return [[value]] if isinstance(value, str | int | float | bool) else value


def _as_text(value: Any) -> Any:
    return jsonio.dumps(value).decode() if isinstance(value, dict) else value


class Config(ConnectorConfig):
    spreadsheet_id: str = Field(title="Spreadsheet id", min_length=1)
    range: str = Field(title="Range", description="A1 notation, e.g. Log!A1.", min_length=1)
    values: Annotated[list[list[Any]], BeforeValidator(_rows)] = Field(title="Rows", min_length=1)
    service_account: Annotated[str | None, BeforeValidator(_as_text)] = secret(
        None, title="Service account", description="The JSON key file's text."
    )
    api_key: str | None = secret(None, title="API key", description="Legacy: Google refuses to write with it.")
    value_input_option: Literal["USER_ENTERED", "RAW"] = Field("USER_ENTERED", title="Value input option")
    endpoint: str = Field(SHEETS, title="Endpoint", description="Of a Sheets-compatible service.")

    @model_validator(mode="after")
    def _some_credential(self) -> Config:
        if not self.service_account and not self.api_key:
            raise ValueError("serviceAccount is required (or the legacy apiKey)")
        return self


def _check(config: Mapping[str, Any], context: StepContext) -> bool:
    """Asks for a token, as a step would."""
    if not config.get("serviceAccount"):
        return False
    _access_token(_as_text(config["serviceAccount"]), context)
    return True


@connector(
    "GOOGLE_SHEET_ROW",
    Config,
    title="Google Sheets row",
    help="Appends rows to a Google sheet.",
    icon="table",
    keywords=("spreadsheet", "table", "excel"),
    summary=first_of("range"),
    connection=ConnectionType("google", "Google", ("serviceAccount", "apiKey"), _check),
)
def google_sheet_row(config: Config, context: StepContext) -> dict[str, Any]:
    params: dict[str, str] = {"valueInputOption": config.value_input_option}
    headers = {}
    if config.service_account:
        token = _access_token(config.service_account, context)
        context.secrets.append(token)
        headers["Authorization"] = f"Bearer {token}"
    else:
        params["key"] = config.api_key or ""
    path = f"/v4/spreadsheets/{quote(config.spreadsheet_id, safe='')}/values/{quote(config.range, safe='')}:append"
    response = context.tools.http.send(
        context, "POST", config.endpoint + path, params=params, headers=headers, json={"values": config.values}
    )
    response.raise_for_status("Google Sheets")
    answer = response.body()
    updates = answer.get("updates", {}) if isinstance(answer, dict) else {}
    return {"updatedRange": updates.get("updatedRange"), "response": answer}


def _access_token(service_account: str, context: StepContext) -> str:
    """Exchanged for a signed assertion, and kept until shortly before it ends: for who holds the whole key, and for
    nobody who only knows whose it is."""
    account = _account(service_account)
    key = hashlib.sha256(context.user_id.bytes + service_account.encode()).digest()
    kept = _kept(key)
    if kept is not None:
        return kept
    now = int(time.time())
    claims = {
        "iss": account["client_email"],
        "scope": SCOPE,
        "aud": account["token_uri"],
        "iat": now,
        "exp": now + _TOKEN_LIFE_SECONDS,
    }
    try:
        assertion = jwt.encode(claims, account["private_key"], algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise ConnectorError("the private key in serviceAccount cannot be used", permanent=True) from error
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    response = context.tools.http.send(context, "POST", account["token_uri"], data=form)
    response.raise_for_status("Google's token service")
    answer = response.body()
    if not isinstance(answer, dict) or "access_token" not in answer:
        raise ConnectorError("Google's token service gave no token", permanent=False)
    token = str(answer["access_token"])
    _keep(key, token, now + float(answer.get("expires_in", 0)))
    return token


def _kept(key: bytes) -> str | None:
    with _tokens_lock:
        token, until = _tokens.get(key, ("", 0.0))
    return token if time.time() < until - 60 else None


def _keep(key: bytes, token: str, until: float) -> None:
    with _tokens_lock:
        _tokens[key] = (token, until)
        _tokens.move_to_end(key)
        if len(_tokens) > _MOST_TOKENS:
            _tokens.popitem(last=False)


def _account(text: str) -> dict[str, str]:
    try:
        account = jsonio.loads(text)
        return {name: account[name] for name in ("client_email", "private_key", "token_uri")}
    except (ValueError, KeyError, TypeError) as error:
        raise ConnectorError("serviceAccount is not the JSON of a service account key", permanent=True) from error
