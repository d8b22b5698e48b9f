"""A client of a provider of OAuth 2.0, over the HTTP client of connectors: bounded, and kept out of private
networks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import uuid4

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.client import HttpClient, OwnRequest
from flowforge.connectors.http_client.response import Response
from flowforge.oauth import authorization, device, identity, token_requests, tokens
from flowforge.oauth.errors import OAuthError
from flowforge.oauth.provider import Client, Provider, is_secure
from flowforge.oauth.renewal import LONGEST_REQUEST_SECONDS
from flowforge.oauth.token_requests import ProviderRequest
from flowforge.oauth.tokens import Grant, Tokens


@dataclass(frozen=True, slots=True)
class ProviderClient:
    """`scopes`: those that are asked for; `deadline`: by time.monotonic. Everything raises Refused where the provider
    refuses, OAuthError where its answer cannot be used, ConnectorError where none comes."""

    provider: Provider
    client: Client
    scopes: tuple[str, ...]
    http: HttpClient
    deadline: float

    def begin(self, redirect_uri: str) -> authorization.Authorization:
        """Asks nobody: it makes the address to which a browser is sent."""
        return authorization.begin(self.provider, self.client, self.scopes, redirect_uri)

    def exchange(self, code: str, redirect_uri: str, verifier: str | None) -> Grant:
        return self._grant(token_requests.code_request(self.provider, self.client, code, redirect_uri, verifier))

    def refresh(self, refresh_token: str) -> Grant:
        return self._grant(token_requests.refresh_request(self.provider, self.client, refresh_token))

    def client_credentials(self) -> Grant:
        return self._grant(token_requests.client_credentials_request(self.provider, self.client, self.scopes))

    def device_code(self) -> device.DeviceCode:
        answer = self._post(token_requests.device_code_request(self.provider, self.client, self.scopes))
        return device.read_device_code(self.provider, answer.status, answer.content)

    def device_tokens(self, device_code: str) -> Grant:
        return self._grant(token_requests.device_token_request(self.provider, self.client, device_code))

    def revoke(self, kept: Tokens) -> None:
        """Ends the tokens at the provider (RFC 7009); one that has no address for that is not asked."""
        if not self.provider.revocation_url:
            return
        token, hint = (kept.refresh, "refresh_token") if kept.refresh else (kept.access, "access_token")
        answer = self._post(token_requests.revocation_request(self.provider, self.client, token, hint))
        if not answer.ok:
            raise OAuthError(f"{self.provider.name} answered {answer.status}")

    def who_is(self, grant: Grant) -> str | None:
        """Whom the tokens belong to; None where the provider does not tell, or not now."""
        sources = [self._profile(grant.tokens.access), identity.claims_of(grant.about), grant.about]
        return identity.name_in(self.provider.identity, sources)

    def _profile(self, access_token: str) -> dict[str, object]:
        url, header = self.provider.identity.url, self.provider.header
        if not url:
            return {}
        try:
            headers = {"Accept": "application/json", header.name: header.prefix + access_token}
            answer = self.http.send(self._exchange(), "GET", url, headers=headers, redirects=0)
            profile = answer.json() if answer.ok else {}
        except ConnectorError:
            return {}
        return profile if isinstance(profile, dict) else {}

    def _grant(self, request: ProviderRequest) -> Grant:
        answer = self._post(request)
        return tokens.read_grant(self.provider, answer.status, answer.content)

    def _post(self, request: ProviderRequest) -> Response:
        """Follows no redirect: the request holds secrets."""
        if not is_secure(request.url):
            raise OAuthError(f"{self.provider.name} has an address that is not https://")
        return self.http.send(
            self._exchange(),
            "POST",
            request.url,
            headers=request.headers,
            json=request.fields if request.as_json else None,
            data=None if request.as_json else request.fields,
            redirects=0,
        )

    def _exchange(self) -> OwnRequest:
        return OwnRequest(min(self.deadline, time.monotonic() + LONGEST_REQUEST_SECONDS), f"sign-in-{uuid4()}")
