"""A provider of OAuth 2.0 on loopback: authlib's server side, with the oddities that real ones have."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant
from flask import Flask, Response, request
from werkzeug.serving import make_server

from tests.services.serving import serving

CLIENT_ID, CLIENT_SECRET = "flowforge-client", "client/secret+of the client"
PERSON = "ada@example.test"
ODD = "odd"
Odd = Callable[[], Any]
"""Answers a token request in the provider's stead."""


@dataclass
class _Client:
    client_id: str = CLIENT_ID
    redirect_uris: list[str] = field(default_factory=list)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str | None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/connections/oauth/callback")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post") or endpoint == "device_authorization"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return True


@dataclass
class _Code:
    code: str
    scope: str
    redirect_uri: str
    code_challenge: str | None
    code_challenge_method: str | None
    user: str = PERSON

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


@dataclass
class _Token:
    access_token: str
    refresh_token: str | None
    scope: str
    expires_in: int
    refresh_ends_at: float = float("inf")
    revoked: bool = False

    def get_scope(self) -> str:
        return self.scope

    def check_client(self, client: _Client) -> bool:
        return True

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return self.revoked


@dataclass
class _Device:
    device_code: str
    user_code: str
    scope: str
    client_id: str = CLIENT_ID
    decision: tuple[str, bool] | None = None

    def get_client_id(self) -> str:
        return self.client_id

    def get_scope(self) -> str:
        return self.scope

    def get_user_code(self) -> str:
        return self.user_code

    def is_expired(self) -> bool:
        return False


@dataclass
class Provider:
    """What it does can be changed while it runs."""

    url: str = ""
    life: int = 3600
    rotates: bool = False
    grace_seconds: float = 0.0
    """For which a refresh token that was rotated goes on."""
    grants_only: str | None = None
    """Scopes that people grant, whatever is asked for."""
    odd: Odd | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    """The fields of all token requests."""
    delay: float = 0.0
    """Seconds that an answer to a token request takes."""
    tokens: list[_Token] = field(default_factory=list)
    codes: dict[str, _Code] = field(default_factory=dict)
    devices: dict[str, _Device] = field(default_factory=dict)
    called_with: list[str] = field(default_factory=list)
    """The tokens of calls to its API."""

    def refreshes(self) -> list[dict[str, str]]:
        return [fields for fields in self.asked if fields.get("grant_type") == "refresh_token"]

    def revoke_all(self) -> None:
        for token in self.tokens:
            token.revoked, token.refresh_ends_at = True, 0

    def expire_access(self) -> None:
        """Ends all access tokens before their time."""
        for token in self.tokens:
            token.revoked = True

    def issue(self, scope: str = "read") -> _Token:
        """Tokens, as after a sign-in."""
        token = _Token(f"access-{secrets.token_hex(8)}", f"refresh-{secrets.token_hex(8)}", scope, self.life)
        self.tokens.append(token)
        return token

    def enter(self, user_code: str, *, allow: bool = True) -> None:
        """A person enters the code of a device."""
        device = next(device for device in self.devices.values() if device.user_code == user_code)
        device.decision = (PERSON, allow)

    def config(self, **more: Any) -> dict[str, Any]:
        """Of a connection to it."""
        return {
            "clientId": CLIENT_ID,
            "clientSecret": CLIENT_SECRET,
            "authorizationUrl": f"{self.url}/authorize",
            "tokenUrl": f"{self.url}/token",
            "deviceUrl": f"{self.url}/device",
            "revocationUrl": f"{self.url}/revoke",
            "identityUrl": f"{self.url}/me",
            "scopes": ["read"],
            **more,
        }

    def find(self, access: str) -> _Token | None:
        return next((token for token in self.tokens if token.access_token == access), None)


def _application(provider: Provider) -> Flask:
    app = Flask("provider")
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: _Client() if client_id == CLIENT_ID else None,
        save_token=lambda token, request: provider.tokens.append(
            _Token(
                token["access_token"], token.get("refresh_token"), token.get("scope") or "", token.get("expires_in", 0)
            )
        ),
    )
    server.register_token_generator(
        "default",
        BearerTokenGenerator(
            lambda **_: f"access-{secrets.token_hex(8)}",
            lambda **_: f"refresh-{secrets.token_hex(8)}",
            lambda client, grant_type: provider.life,
        ),
    )
    _register(server, provider)

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        if request.method == "GET":
            return "<form method=post><button>Allow</button></form>"
        denied = request.form.get("decision") == "deny"
        grant = server.get_consent_grant(end_user=PERSON)
        return server.create_authorization_response(grant_user=None if denied else PERSON, grant=grant)

    @app.post("/token")
    def token() -> Any:
        provider.asked.append(request.form.to_dict())
        time.sleep(provider.delay)
        return provider.odd() if provider.odd else server.create_token_response()

    @app.post("/device")
    def device() -> Any:
        return server.create_endpoint_response("device_authorization")

    @app.post("/revoke")
    def revoke() -> Any:
        return server.create_endpoint_response("revocation")

    @app.get("/me")
    def me() -> Any:
        return {"email": PERSON} if provider.find(_bearer()) else Response(status=401)

    @app.route("/api", methods=["GET", "POST"])
    def api() -> Any:
        provider.called_with.append(_bearer())
        found = provider.find(_bearer())
        return {"ok": True} if found and not found.revoked else Response("no", 401)

    return app


def _bearer() -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _register(server: AuthorizationServer, provider: Provider) -> None:
    class Codes(grants.AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]  # noqa: RUF012

        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            scope = provider.grants_only or request.payload.scope or ""
            redirect_uri = request.payload.redirect_uri
            challenge = data.get("code_challenge"), data.get("code_challenge_method")
            provider.codes[code] = _Code(code, scope, redirect_uri, *challenge)

        def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: _Code) -> str:
            return authorization_code.user

    class Refreshes(grants.RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]  # noqa: RUF012

        @property
        def INCLUDE_NEW_REFRESH_TOKEN(self) -> bool:  # noqa: N802
            return provider.rotates

        def authenticate_refresh_token(self, refresh_token: str) -> _Token | None:
            found = next((token for token in provider.tokens if token.refresh_token == refresh_token), None)
            return found if found and found.refresh_ends_at > time.time() else None

        def authenticate_user(self, refresh_token: _Token) -> str:
            return PERSON

        def revoke_old_credential(self, refresh_token: _Token) -> None:
            if provider.rotates:
                ends_at = time.time() + provider.grace_seconds
                refresh_token.refresh_ends_at = min(refresh_token.refresh_ends_at, ends_at)

    class ClientCredentials(grants.ClientCredentialsGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]  # noqa: RUF012

    class DeviceCodes(DeviceCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]  # noqa: RUF012

        def query_device_credential(self, device_code: str) -> _Device | None:
            return provider.devices.get(device_code)

        def query_user_grant(self, user_code: str) -> tuple[str, bool] | None:
            return next(device.decision for device in provider.devices.values() if device.user_code == user_code)

        def should_slow_down(self, credential: _Device) -> bool:
            return False

    class DeviceAuthorizations(DeviceAuthorizationEndpoint):
        INTERVAL = 1

        def get_verification_uri(self) -> str:
            return f"{provider.url}/activate"

        def save_device_credential(self, client_id: str, scope: str, data: dict[str, str]) -> None:
            provider.devices[data["device_code"]] = _Device(data["device_code"], data["user_code"], scope)

    class Revocation(RevocationEndpoint):
        def query_token(self, token_string: str, token_type_hint: str) -> _Token | None:
            return next((t for t in provider.tokens if token_string in (t.access_token, t.refresh_token)), None)

        def revoke_token(self, token: _Token, request: Any) -> None:
            token.revoked, token.refresh_ends_at = True, 0

    server.register_grant(Codes, [CodeChallenge(required=True)])
    server.register_grant(Refreshes)
    server.register_grant(ClientCredentials)
    server.register_grant(DeviceCodes)
    server.register_endpoint(DeviceAuthorizations)
    server.register_endpoint(Revocation)


@contextmanager
def serving_provider() -> Iterator[Provider]:
    provider = Provider()
    server = make_server("127.0.0.1", 0, _application(provider), threaded=True)
    provider.url = f"http://127.0.0.1:{server.port}"
    with serving(server):
        yield provider


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with serving_provider() as provider:
        yield provider
