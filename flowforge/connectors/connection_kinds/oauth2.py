"""oauth2: a sign-in by OAuth 2.0, in a browser, with a code on another device, or by the client itself (RFC 6749, RFC
8628). The tokens are kept with the connection (flowforge.oauth.renewal)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal
from urllib.parse import urlsplit

from pydantic import ValidationInfo, field_validator

from flowforge.connectors.presets.all_presets import presets
from flowforge.connectors.presets.preset import Preset
from flowforge.connectors.provider_client import ProviderClient
from flowforge.connectors.sdk import (
    AccessTokens,
    Account,
    ConnectionBroken,
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Credentials,
    MailTarget,
    Request,
    Response,
    Tools,
    field,
    secret,
)
from flowforge.oauth.errors import OAuthError, Refused
from flowforge.oauth.provider import Client, ClientAuthentication, Identity, Provider, is_secure
from flowforge.oauth.renewal import Ask, GrantEnded, HeldGrant, NotSignedIn
from flowforge.oauth.tokens import Grant, Tokens
from flowforge.sentences import sentence

Way = Literal["browser", "device", "client"]
_ADDRESSES = "The provider's addresses"


class OAuth2SignIn(ConnectorConfig):
    preset: str = field("", title="Provider", description="The name of a preset; empty: the addresses below count.")
    account: str = field(
        "",
        title="Account",
        description="Your shop, tenant or site at the provider, where it asks.",
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]{0,98}[A-Za-z0-9])?)?$",
    )
    way: Way = field(
        "browser",
        title="Grant type",
        description="browser: in this one; device: by a code that is entered on any device; client: nobody signs in,"
        " the client itself is let in.",
    )
    client_id: str = field("", title="Client ID", description="Empty: the one that the operator has registered.")
    client_secret: str = secret("", title="Client secret")
    scopes: list[str] = field([], title="Scopes", max_length=100)
    parameters: dict[str, str] = field(
        {},
        title="Further parameters",
        description="Sent along with the sign-in: prompt, audience, resource, login_hint, …",
    )
    authorization_url: str = field("", title="Authorization URL", group=_ADDRESSES)
    token_url: str = field("", title="Token URL", group=_ADDRESSES, validate_default=True)
    device_url: str = field("", title="Device authorization URL", group=_ADDRESSES, validate_default=True)
    revocation_url: str = field("", title="Revocation URL", group=_ADDRESSES)
    identity_url: str = field(
        "", title="User info URL", description="Tells whom the tokens belong to.", group=_ADDRESSES
    )
    client_authentication: Literal["basic", "body", "none"] = field(
        "basic", title="Client authentication", group=_ADDRESSES
    )
    pkce: bool = field(True, title="PKCE (S256)", group=_ADDRESSES)

    @field_validator("preset")
    @classmethod
    def _preset_exists(cls, name: str) -> str:
        if name and (name not in presets() or presets()[name].provider is None):
            raise ValueError(sentence("is no preset of OAuth 2.0"))
        return name

    @field_validator("authorization_url", "token_url", "device_url", "revocation_url", "identity_url")
    @classmethod
    def _address_is_secure(cls, url: str) -> str:
        if url and not is_secure(url):
            raise ValueError(sentence("must begin with https://"))
        return url

    @field_validator("token_url", "device_url")
    @classmethod
    def _address_is_there(cls, url: str, info: ValidationInfo) -> str:
        needed = info.field_name == "token_url" or info.data.get("way") == "device"
        if needed and not url and not info.data.get("preset"):
            raise ValueError(sentence("is required where there is no preset"))
        return url

    @property
    def known_preset(self) -> Preset | None:
        return presets().get(self.preset)

    def provider(self) -> Provider:
        """With a preset its addresses count, and no others: the operator's client secret goes there."""
        preset = self.known_preset
        known = preset.provider_of(self.account) if preset else None
        provider = known or self._own_provider()
        if self.way == "client":
            return replace(provider, token_parameters={**provider.token_parameters, **self.parameters})
        return replace(provider, parameters={**provider.parameters, **self.parameters})

    def _own_provider(self) -> Provider:
        return Provider(
            urlsplit(self.token_url).hostname or "the provider",
            self.token_url,
            self.authorization_url,
            self.device_url,
            self.revocation_url,
            ClientAuthentication(self.client_authentication),
            self.pkce,
            identity=Identity(self.identity_url),
        )

    def wanted_scopes(self) -> tuple[str, ...]:
        """Those that are chosen; where somebody signs in, also those that the preset always asks for."""
        always = self.known_preset.always if self.known_preset and self.way != "client" else ()
        return tuple(dict.fromkeys((*always, *self.scopes)))

    def client(self, registered: Mapping[str, Client]) -> Client:
        """Its own client, or the operator's. Raises ConnectorError."""
        if self.client_id:
            return Client(self.client_id, self.client_secret)
        if self.preset in registered:
            return registered[self.preset]
        raise ConnectorError("the client ID is missing", permanent=True)

    def provider_client(self, tools: Tools, deadline: float) -> ProviderClient:
        """Raises ConnectorError where there is no client id."""
        return ProviderClient(
            self.provider(), self.client(tools.oauth_clients), self.wanted_scopes(), tools.http, deadline
        )


def _sign(request: Request, credentials: Credentials[OAuth2SignIn]) -> Request:
    header = credentials.config.provider().header
    return request.with_headers({header.name: header.prefix + access_token(credentials)})


def access_token(credentials: Credentials[OAuth2SignIn]) -> str:
    """A token that is good now, renewed where it is time, and masked from now on. Raises ConnectorError."""
    with _as_connector_errors():
        token = _grant_of(credentials).access_token(_ask(credentials), credentials.context.deadline)
    credentials.hide(token)
    return token


def _renew(_: Response, credentials: Credentials[OAuth2SignIn]) -> bool:
    return _renew_tokens(credentials)


def _renew_tokens(credentials: Credentials[OAuth2SignIn]) -> bool:
    """The token was revoked before its time, or has none."""
    with _as_connector_errors():
        return _grant_of(credentials).renew(_ask(credentials), credentials.context.deadline)


def _mail_account(target: MailTarget, credentials: Credentials[OAuth2SignIn]) -> Account:
    """Whoever has signed in, at the provider's own mail server, unless the target says otherwise. A token is sent to
    the provider's servers, and to hosts that the connection is bound to."""
    preset = credentials.config.known_preset
    own_server = preset.mail.get(target.protocol, "") if preset else ""
    host, username = target.host or own_server, target.username or _identity(credentials)
    if not host:
        raise ConnectorError("host: is required, since the connection has no mail server of its own", permanent=True)
    if host.lower() != own_server:
        credentials.context.binding.require_host(host)
    tokens = AccessTokens(lambda: access_token(credentials), lambda: _renew_tokens(credentials))
    return replace(target, host=host, username=username).account(tokens)


def _grant_of(credentials: Credentials[OAuth2SignIn]) -> HeldGrant:
    if credentials.context.grant is None:
        raise ConnectorError("OAuth 2.0 needs a saved connection", permanent=True)
    return credentials.context.grant


def _ask(credentials: Credentials[OAuth2SignIn]) -> Ask | None:
    """How to get other tokens; None where nobody but the person can."""
    if credentials.config.way == "client":
        return lambda _: _client(credentials).client_credentials()
    kept = _grant_of(credentials).tokens()
    if kept is None or kept.refresh is None:
        return None
    return lambda tokens: _refreshed(credentials, tokens)


def _refreshed(credentials: Credentials[OAuth2SignIn], tokens: Tokens | None) -> Grant:
    assert tokens is not None
    assert tokens.refresh is not None
    _hide_both(credentials, tokens)
    grant = _client(credentials).refresh(tokens.refresh)
    _hide_both(credentials, grant.tokens)
    return grant


def _hide_both(credentials: Credentials[OAuth2SignIn], tokens: Tokens) -> None:
    for token in filter(None, (tokens.access, tokens.refresh)):
        credentials.hide(token)


def _client(credentials: Credentials[OAuth2SignIn]) -> ProviderClient:
    context = credentials.context
    return credentials.config.provider_client(context.tools, context.deadline)


@contextmanager
def _as_connector_errors() -> Iterator[None]:
    try:
        yield
    except GrantEnded as error:
        raise ConnectionBroken(
            f"the connection has to be signed in with again: {error}", error.connection_id
        ) from error
    except OAuthError as error:
        raise ConnectorError(str(error), permanent=isinstance(error, Refused | NotSignedIn)) from error


def _identity(credentials: Credentials[OAuth2SignIn]) -> str:
    """The user name of whoever has signed in. Raises ConnectorError."""
    grant = _grant_of(credentials)
    if grant.identity:
        return grant.identity
    if credentials.config.way != "client" and grant.tokens() is None:
        raise ConnectorError("nobody has signed in with the connection yet", permanent=True)
    raise ConnectorError("username: is required, since the provider does not tell who has signed in", permanent=True)


OAUTH2 = ConnectionKind(
    "oauth2",
    OAuth2SignIn,
    title="OAuth 2.0",
    help="A sign-in at a provider, renewed by itself.",
    icon="key",
    keywords=("sign in", "token", "google", "microsoft"),
    sign=_sign,
    renew=_renew,
    mail_account=_mail_account,
)
