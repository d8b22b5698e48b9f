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
    """What callers of the API, or of one of its operations, can sign in with, the best first. Where the description is
    silent, a token and a key."""
    hosts = _hosts(operation.servers if operation else description.servers)
    wanted = _wanted(description, operation)
    found = [*_of_presets(hosts, wanted), *_of_sign_ins(hosts, wanted)]
    return found or [
        ConnectionOffer("A bearer token", "bearer", {"hosts": hosts}),
        ConnectionOffer("An API key", "api_key", {"hosts": hosts}),
    ]


Wanted = Sequence[tuple[SignIn, Sequence[str] | None]]
"""Sign-ins, each with the scopes that are needed; None where nobody says which."""


def _wanted(description: Description, operation: Operation | None) -> Wanted:
    known = description.sign_ins
    asked = operation.sign_ins if operation else ()
    if not any(asked):
        return [(sign_in, None) for sign_in in known.values()]
    by_name = {name: scopes for names in reversed(asked) for name, scopes in names.items()}
    return [(known[name], by_name[name]) for name in known if name in by_name]


def _of_presets(hosts: Sequence[str], wanted: Wanted) -> Iterator[ConnectionOffer]:
    scopes = next((scopes for sign_in, scopes in wanted if sign_in.kind == "oauth2" and scopes), None)
    for preset in presets().values():
        if _is_for(preset, hosts):
            asked = {"scopes": list(scopes)} if scopes and preset.provider else {}
            yield ConnectionOffer(preset.title, preset.type, {**preset.config, **asked}, preset.name)


def _is_for(preset: Preset, hosts: Sequence[str]) -> bool:
    patterns = preset.config.get("hosts", ())
    return bool(patterns and hosts) and all(map(HostPatterns(patterns).allow, hosts))


def _of_sign_ins(hosts: Sequence[str], wanted: Wanted) -> Iterator[ConnectionOffer]:
    for sign_in, scopes in wanted:
        filled = _filled_in(sign_in, scopes)
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
