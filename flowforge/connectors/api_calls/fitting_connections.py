"""New connections that fit an API, filled in as far as its description tells: the kind, its names, hosts and scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flowforge.apis.description import Description
from flowforge.apis.operation import Operation
from flowforge.apis.servers import Server
from flowforge.apis.sign_ins import Grant, OAuthFlow, SignIn
from flowforge.connectors.api_calls.signing_in import kind_in_words
from flowforge.connectors.network.host_patterns import HostPatterns
from flowforge.connectors.presets.all_presets import presets
from flowforge.connectors.presets.preset import Preset
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject

_MOST_HOSTS, _MOST_SCOPES = 20, 100
_FEW_SCOPES = 5
"""Scopes that are all asked for where no operation says which it needs."""
_GRANTS: Sequence[Grant] = ("authorization_code", "client_credentials", "device_code", "implicit", "password")
"""The better ways to sign in first."""
_WAYS: Mapping[Grant, str] = {"client_credentials": "client", "device_code": "device"}
_KEY_PLACES = {"header", "query", "cookie"}


@dataclass(frozen=True, slots=True)
class ConnectionOffer:
    """A connection to be made: its kind, by its type, and what is filled in beforehand."""

    title: str
    type: str
    config: JsonObject
    preset: str = ""


def fitting_connections(description: Description, operation: Operation | None = None) -> list[ConnectionOffer]:
    """What callers of the API, or of one of its operations, can sign in with: by presets of the provider, and in ways
    that these do not know. Where the description is silent, with a token or a key."""
    hosts = _hosts(operation.servers if operation else description.servers)
    wanted = _wanted(description, operation)
    by_preset = list(_of_presets(hosts, wanted))
    known = {offer.type for offer in by_preset}
    others = [offer for offer in _of_sign_ins(hosts, wanted) if offer.type not in known]
    return [*by_preset, *others] or [
        ConnectionOffer("A bearer token", "bearer", {"hosts": hosts}),
        ConnectionOffer("An API key", "api_key", {"hosts": hosts}),
    ]


Wanted = Sequence[tuple[SignIn, Sequence[Sequence[str]]]]
"""Sign-ins, each with the scopes that will do: one of several choices, or none where nobody says which."""


def _wanted(description: Description, operation: Operation | None) -> Wanted:
    known = description.sign_ins
    asked = operation.sign_ins if operation else ()
    if not any(asked):
        return [(sign_in, ()) for sign_in in known.values()]
    names = dict.fromkeys(name for choice in asked for name in choice if name in known)
    return [(known[name], [choice[name] for choice in asked if name in choice]) for name in names]


def _of_presets(hosts: Sequence[str], wanted: Wanted) -> Iterator[ConnectionOffer]:
    choices = next((choices for sign_in, choices in wanted if sign_in.kind == "oauth2"), ())
    for preset in presets().values():
        if _is_for(preset, hosts):
            scopes = _scopes_of_preset(preset, choices) if preset.provider else ()
            asked = {"scopes": list(scopes)} if scopes else {}
            yield ConnectionOffer(preset.title, preset.type, {**preset.config, **asked}, preset.name)


def _scopes_of_preset(preset: Preset, choices: Sequence[Sequence[str]]) -> Sequence[str]:
    """The scopes that the preset knows, and of those the last: providers name the widest ones first."""
    known = {choice.scope for choice in preset.scopes}
    return next((scopes for scopes in reversed(choices) if known.issuperset(scopes)), choices[0] if choices else ())


def _is_for(preset: Preset, hosts: Sequence[str]) -> bool:
    patterns = preset.config.get("hosts", ())
    return bool(patterns and hosts) and all(map(HostPatterns(patterns).allow, hosts))


def _of_sign_ins(hosts: Sequence[str], wanted: Wanted) -> Iterator[ConnectionOffer]:
    for sign_in, choices in wanted:
        filled = _filled_in(sign_in, choices[0] if choices else None)
        if filled is not None:
            yield ConnectionOffer(_title(sign_in), sign_in.kind, {**filled, "hosts": hosts})


def _title(sign_in: SignIn) -> str:
    words = kind_in_words(sign_in)
    return f"{words[:1].upper()}{words[1:]}"


def _filled_in(sign_in: SignIn, scopes: Sequence[str] | None) -> JsonObject | None:
    """The config, as far as the sign-in tells; None where it is of no kind that there is."""
    match sign_in.kind:
        case "api_key" if sign_in.place in _KEY_PLACES:
            return {"location": sign_in.place, "name": sign_in.parameter}
        case "oauth2":
            flows = sorted(sign_in.flows, key=lambda flow: _GRANTS.index(flow.grant))
            return _of_flow(flows[0], scopes) if flows else {}
        case "basic" | "bearer" | "digest" | "client_certificate":
            return {}
    return None


def _of_flow(flow: OAuthFlow, scopes: Sequence[str] | None) -> JsonObject:
    asked = list(flow.scopes) if scopes is None and len(flow.scopes) <= _FEW_SCOPES else list(scopes or ())
    address = "deviceUrl" if flow.grant == "device_code" else "authorizationUrl"
    filled = {
        "way": _WAYS.get(flow.grant, "browser"),
        "scopes": asked[:_MOST_SCOPES],
        address: flow.authorization_url,
        "tokenUrl": flow.token_url,
    }
    return {key: value for key, value in filled.items() if value}


def _hosts(servers: Sequence[Server]) -> list[str]:
    """The hosts of the servers whose addresses are known."""
    found = (_host(server) for server in servers)
    return list(dict.fromkeys(host for host in found if host))[:_MOST_HOSTS]


def _host(server: Server) -> str:
    try:
        return urlsplit(server.address({})).hostname or ""
    except (Invalid, ValueError):
        return ""
