"""A preset of a connection: which kind it is, what is filled in, and what else is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from flowforge.icons import require_icon
from flowforge.jsonio import JsonObject
from flowforge.oauth.provider import ClientAuthentication, Identity, Provider, TokenHeader

ACCOUNT = "{account}"
"""Stands, in addresses and hosts, for what people call their own place at the provider."""


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """A scope, in words for people; `product`: the heading it is offered under."""

    scope: str
    words: str
    product: str = ""
    usual: bool = False
    """Whether it is chosen beforehand."""


@dataclass(frozen=True, slots=True)
class AccountQuestion:
    """What stands for `{account}`: a shop, a tenant, a site."""

    title: str
    description: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """`type`: the kind of its connections. `config`: what is filled in beforehand. Raises ValueError for an icon that
    the sprite does not have."""

    name: str
    title: str
    type: str
    documentation: str
    """Where the provider explains how to get the credentials."""
    help: str = ""
    icon: str = "key"
    keywords: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    account: AccountQuestion | None = None
    provider: Provider | None = None
    """Of OAuth 2.0."""
    mail: Mapping[str, str] = field(default_factory=dict)
    """The provider's mail servers, by protocol (`imap`, `smtp`)."""
    always: tuple[str, ...] = ()
    """Scopes that are asked for whatever is chosen."""
    scopes: tuple[ScopeChoice, ...] = ()

    def __post_init__(self) -> None:
        require_icon(self.icon)

    @classmethod
    def read(cls, name: str, written: JsonObject) -> Self:
        """Raises TypeError, KeyError and ValueError for what is none."""
        parts = dict(written)
        provider = parts.pop("provider", None)
        account = parts.pop("account", None)
        scopes = parts.pop("scopes", {})
        named = {"preset": name} if provider else {}
        parts["config"] = {**named, **parts.get("config", {})}
        return cls(
            name,
            **_tuples(parts, "keywords", "always"),
            account=AccountQuestion(**account) if account else None,
            provider=_provider(written["title"], provider) if provider else None,
            scopes=tuple(_scopes(scopes)),
        )

    @property
    def searched(self) -> str:
        """The text in which people find it."""
        return " ".join((self.name, self.title, self.help, *self.keywords)).lower()

    @property
    def words(self) -> Mapping[str, str]:
        """Scopes in words for people."""
        return {choice.scope: choice.words for choice in self.scopes}

    @property
    def usual_scopes(self) -> list[str]:
        return [choice.scope for choice in self.scopes if choice.usual]

    def config_for(self, account: str) -> JsonObject:
        """What is filled in for a connection to that account."""
        filled: JsonObject = _with_account(dict(self.config), self._named(account))
        return filled

    def provider_of(self, account: str) -> Provider | None:
        """The provider of OAuth 2.0, with the addresses of that account."""
        if self.provider is None:
            return None
        named = self._named(account)
        addresses = ("token_url", "authorization_url", "device_url", "revocation_url")
        placed = {address: getattr(self.provider, address).replace(ACCOUNT, named) for address in addresses}
        identity = replace(self.provider.identity, url=self.provider.identity.url.replace(ACCOUNT, named))
        return replace(self.provider, identity=identity, **placed)

    def _named(self, account: str) -> str:
        return account or (self.account.default if self.account else "")


def _provider(title: str, written: JsonObject) -> Provider:
    parts = dict(written)
    authentication = ClientAuthentication(parts.pop("client_authentication", "body"))
    identity = Identity(**_tuples(parts.pop("identity", {}), "names"))
    header = TokenHeader(**parts.pop("header", {}))
    return Provider(title, client_authentication=authentication, identity=identity, header=header, **parts)


def _scopes(products: Mapping[str, Sequence[JsonObject]]) -> list[ScopeChoice]:
    return [ScopeChoice(product=product, **choice) for product, choices in products.items() for choice in choices]


def _tuples(parts: JsonObject, *names: str) -> JsonObject:
    return {key: tuple(value) if key in names else value for key, value in parts.items()}


def _with_account(value: Any, account: str) -> Any:
    if isinstance(value, str):
        return value.replace(ACCOUNT, account)
    if isinstance(value, list):
        return [_with_account(inner, account) for inner in value]
    if isinstance(value, dict):
        return {key: _with_account(inner, account) for key, inner in value.items()}
    return value
