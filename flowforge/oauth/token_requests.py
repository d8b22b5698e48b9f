"""Requests to a provider's own addresses: for tokens, for a device's code, for the end of a token."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flowforge.oauth.provider import Client, ClientAuthentication, Provider

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
"""RFC 8628, 3.4."""


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """A POST of fields, as a form or as JSON."""

    url: str
    headers: Mapping[str, str]
    fields: Mapping[str, str]
    as_json: bool = False


def code_request(
    provider: Provider, client: Client, code: str, redirect_uri: str, verifier: str | None
) -> ProviderRequest:
    """Exchanges the code of an authorization for tokens (RFC 6749, 4.1.3; RFC 7636, 4.5)."""
    return _token_request(
        provider, client, "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier
    )


def refresh_request(provider: Provider, client: Client, refresh_token: str) -> ProviderRequest:
    """RFC 6749, 6. Without scopes: those that were granted go on."""
    return _token_request(provider, client, "refresh_token", refresh_token=refresh_token)


def client_credentials_request(provider: Provider, client: Client, scopes: Sequence[str]) -> ProviderRequest:
    """RFC 6749, 4.4.2."""
    return _token_request(provider, client, "client_credentials", scope=_scope(provider, scopes))


def device_code_request(provider: Provider, client: Client, scopes: Sequence[str]) -> ProviderRequest:
    """Asks for a code that a person enters elsewhere (RFC 8628, 3.1)."""
    fields = {**provider.token_parameters, "client_id": client.id, "scope": _scope(provider, scopes)}
    asked = {name: text for name, text in fields.items() if text}
    return _authenticated(provider, client, provider.device_url, asked)


def device_token_request(provider: Provider, client: Client, device_code: str) -> ProviderRequest:
    """Asks whether the person has entered the code (RFC 8628, 3.4)."""
    return _token_request(provider, client, DEVICE_GRANT, device_code=device_code)


def revocation_request(provider: Provider, client: Client, token: str, hint: str) -> ProviderRequest:
    """RFC 7009, 2.1. `hint`: `refresh_token` or `access_token`."""
    return _authenticated(provider, client, provider.revocation_url, {"token": token, "token_type_hint": hint})


_HEADERS = {"Accept": "application/json"}
"""GitHub answers forms to who does not ask for JSON."""


def _token_request(provider: Provider, client: Client, grant: str, **fields: str | None) -> ProviderRequest:
    from oauthlib.common import urldecode  # here, since it takes its time to load
    from oauthlib.oauth2.rfc6749.parameters import prepare_token_request

    given = {name: text for name, text in fields.items() if text}
    body = prepare_token_request(grant, urlencode(provider.token_parameters), include_client_id=False, **given)
    return _authenticated(provider, client, provider.token_url, dict(urldecode(body)))


def _authenticated(provider: Provider, client: Client, url: str, fields: Mapping[str, str]) -> ProviderRequest:
    """With the client's proof of who it is; one without a secret only says who it is (RFC 6749, 2.3.1 and 3.2.1)."""
    common = {**_HEADERS, **provider.token_headers}
    if provider.client_authentication is ClientAuthentication.BASIC and client.secret:
        headers = {**common, "Authorization": f"Basic {basic_credentials(client)}"}
        return ProviderRequest(url, headers, fields, provider.json_requests)
    shown = {"client_id": client.id}
    if provider.client_authentication is not ClientAuthentication.NONE and client.secret:
        shown["client_secret"] = client.secret
    return ProviderRequest(url, common, {**fields, **shown}, provider.json_requests)


def basic_credentials(client: Client) -> str:
    """The credentials of HTTP basic authentication: id and secret are encoded as forms are, first. A blank is %20: so
    they are right for those, too, who take the encoding for that of addresses."""
    return base64.b64encode(f"{quote(client.id, safe='')}:{quote(client.secret, safe='')}".encode()).decode()


def _scope(provider: Provider, scopes: Sequence[str]) -> str:
    return provider.scope_separator.join(scopes)
