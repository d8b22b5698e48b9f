"""How callers of an API prove who they are, as its description says (`securitySchemes`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from flowforge.apis.references import BrokenReference, References
from flowforge.apis.schemas.keywords import one_line, text
from flowforge.apis.servers import absolute
from flowforge.apis.shapes import as_list, as_object
from flowforge.jsonio import JsonObject

SignInKind = Literal["api_key", "basic", "bearer", "digest", "oauth2", "client_certificate", "other"]
Grant = Literal["authorization_code", "client_credentials", "password", "implicit", "device_code"]
KeyPlace = Literal["header", "query", "cookie"]
_GRANTS: Mapping[str, Grant] = {
    "authorizationCode": "authorization_code",
    "clientCredentials": "client_credentials",
    "password": "password",
    "implicit": "implicit",
    "deviceAuthorization": "device_code",
    "accessCode": "authorization_code",
    "application": "client_credentials",
}
"""By the names of OpenAPI 3 and 2."""
_HTTP_SCHEMES: Mapping[str, SignInKind] = {"basic": "basic", "bearer": "bearer", "digest": "digest"}


@dataclass(frozen=True, slots=True)
class OAuthFlow:
    """A way to get a token (RFC 6749)."""

    grant: Grant
    authorization_url: str = ""
    token_url: str = ""
    refresh_url: str = ""
    scopes: Mapping[str, str] = field(default_factory=dict)
    """What each allows."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One way in which callers prove who they are."""

    name: str
    """Its key in the file."""
    kind: SignInKind
    description: str = ""
    place: KeyPlace | None = None
    """Where an API key stands."""
    parameter: str = ""
    """The name of the header, parameter or cookie of an API key."""
    flows: Sequence[OAuthFlow] = ()
    discovery_url: str = ""
    """Of OpenID Connect."""


Alternatives = tuple[Mapping[str, Sequence[str]], ...]
"""The sign-ins that are needed together, each with its scopes; any one of these will do."""


def read_sign_ins(declared: Any, references: References, address: str) -> dict[str, SignIn]:
    """By their names; those that are no objects, or refer to what is not there, are left out."""
    followed = {name: _follow(scheme, references) for name, scheme in as_object(declared).items()}
    return {name: _sign_in(name, scheme, address) for name, scheme in followed.items() if isinstance(scheme, dict)}


def read_alternatives(own: Any, of_description: Any) -> Alternatives:
    """What an operation asks for, or its description where the operation is silent; none where both are."""
    declared = own if isinstance(own, list) else of_description
    listed = [needs for needs in as_list(declared) if isinstance(needs, dict)]
    return tuple({name: _scopes(scopes) for name, scopes in needs.items()} for needs in listed)


def _follow(scheme: Any, references: References) -> Any:
    try:
        return references.follow(scheme)
    except BrokenReference:
        return None


def _scopes(given: Any) -> tuple[str, ...]:
    return tuple(scope for scope in as_list(given) if isinstance(scope, str))


def _sign_in(name: str, scheme: JsonObject, address: str) -> SignIn:
    place, parameter = scheme.get("in"), one_line(scheme.get("name"))
    kind = _kind(name, scheme)
    is_key = kind == "api_key"
    return SignIn(
        name,
        kind,
        text(scheme.get("description")),
        place=place if is_key and place in get_args(KeyPlace) else None,
        parameter=parameter if is_key else "",
        flows=tuple(_flows(scheme, address)),
        discovery_url=one_line(scheme.get("openIdConnectUrl"), 2_000),
    )


def _kind(name: str, scheme: JsonObject) -> SignInKind:
    type_ = str(scheme.get("type", "")).lower()
    if type_ == "http":
        return _HTTP_SCHEMES.get(str(scheme.get("scheme", "")).lower(), "other")
    if type_ == "apikey":
        return "bearer" if _means_bearer(name, scheme) else "api_key"
    named: Mapping[str, SignInKind] = {
        "basic": "basic",
        "oauth2": "oauth2",
        "openidconnect": "oauth2",
        "mutualtls": "client_certificate",
    }
    return named.get(type_, "other")


def _means_bearer(name: str, scheme: JsonObject) -> bool:
    """OpenAPI 2 has no bearer: files write it as an API key in `Authorization`, and say so in words."""
    is_authorization = str(scheme.get("name", "")).lower() == "authorization" and scheme.get("in") == "header"
    return is_authorization and "bearer" in f"{name} {scheme.get('description', '')}".lower()


def _flows(scheme: JsonObject, address: str) -> list[OAuthFlow]:
    declared = scheme.get("flows")
    flows = declared if isinstance(declared, dict) else {str(scheme.get("flow", "")): scheme}
    return [
        _flow(_GRANTS[name], flow, address)
        for name, flow in flows.items()
        if name in _GRANTS and isinstance(flow, dict)
    ]


def _flow(grant: Grant, flow: JsonObject, address: str) -> OAuthFlow:
    authorization = flow.get("authorizationUrl") or flow.get("deviceAuthorizationUrl")
    return OAuthFlow(
        grant,
        authorization_url=_url(authorization, address),
        token_url=_url(flow.get("tokenUrl"), address),
        refresh_url=_url(flow.get("refreshUrl"), address),
        scopes={scope: one_line(told) for scope, told in as_object(flow.get("scopes")).items()},
    )


def _url(given: Any, address: str) -> str:
    return absolute(given, address) if isinstance(given, str) and given else ""
