"""Connections that fit an API: filled in from the sign-ins of its description, from a preset, or with hosts alone."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.apis.description import Description
from flowforge.apis.reading import read_description
from flowforge.connectors.api_calls.fitting_connections import fitting_connections
from flowforge.connectors.catalog import load_catalog
from tests.descriptions import as_file, petstore

HOSTS = ["api.pets.example"]


def described(schemes: Any, server: str = "https://api.pets.example/v1", **changes: Any) -> Description:
    description = petstore(server, **changes)
    description["components"]["securitySchemes"] = schemes
    return read_description(as_file(description).encode(), "")


def offered(description: Description, operation: str = "") -> list[tuple[str, Any]]:
    """Kinds, and what is filled in besides the hosts."""
    chosen = description.operation(operation) if operation else None
    offers = fitting_connections(description, chosen)
    assert all(offer.config["hosts"] for offer in offers)
    return [(offer.type, {key: value for key, value in offer.config.items() if key != "hosts"}) for offer in offers]


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        ({"type": "apiKey", "in": "query", "name": "appid"}, ("api_key", {"location": "query", "name": "appid"})),
        ({"type": "apiKey", "in": "header", "name": "X-K"}, ("api_key", {"location": "header", "name": "X-K"})),
        ({"type": "http", "scheme": "basic"}, ("basic", {})),
        ({"type": "http", "scheme": "bearer"}, ("bearer", {})),
        ({"type": "http", "scheme": "digest"}, ("digest", {})),
        ({"type": "mutualTLS"}, ("client_certificate", {})),
        ({"type": "openIdConnect", "openIdConnectUrl": "https://pets.example/.well-known"}, ("oauth2", {})),
    ],
)
def test_a_sign_in_becomes_a_connection_of_its_kind(scheme: Any, expected: Any) -> None:
    description = described({"one": scheme}, security=[{"one": []}])
    assert offered(description) == [expected]
    assert fitting_connections(description)[0].config["hosts"] == HOSTS
    assert expected[0] in load_catalog().connection_kinds


ADDRESSES = {"authorizationUrl": "https://pets.example/authorize", "tokenUrl": "https://pets.example/token"}
FLOW = {**ADDRESSES, "scopes": {f"pets:{n}": "" for n in range(9)}}


class TestOAuth:
    def test_the_scopes_are_those_that_the_operation_needs(self) -> None:
        description = petstore("https://api.pets.example")
        description["components"]["securitySchemes"] = {
            "oauth": {"type": "oauth2", "flows": {"implicit": FLOW, "authorizationCode": FLOW}}
        }
        description["paths"]["/pets"]["post"]["security"] = [{"oauth": ["pets:1", "pets:2"]}, {}]
        read = read_description(as_file(description).encode(), "")
        [(kind, config)] = offered(read, "addPet")
        assert (kind, config) == ("oauth2", {"way": "browser", "scopes": ["pets:1", "pets:2"], **ADDRESSES})

    def test_of_many_scopes_none_is_asked_for_where_nobody_says_which(self) -> None:
        description = described({"oauth": {"type": "oauth2", "flows": {"authorizationCode": FLOW}}}, security=[])
        assert offered(description) == [("oauth2", {"way": "browser", **ADDRESSES})]

    def test_a_client_signs_in_by_itself(self) -> None:
        flow = {**FLOW, "scopes": {"all": ""}}
        description = described({"oauth": {"type": "oauth2", "flows": {"clientCredentials": flow}}}, security=[])
        assert offered(description)[0][1]["way"] == "client"
        assert offered(description)[0][1]["scopes"] == ["all"]


def test_a_provider_that_has_a_preset_is_offered_by_it() -> None:
    description = described({}, "https://api.github.com", security=[])
    offers = fitting_connections(description)
    assert "github" in [offer.preset for offer in offers]
    assert all(offer.preset for offer in offers)


def test_of_the_scopes_that_will_do_the_narrowest_is_asked_for_that_the_preset_knows() -> None:
    at = "https://www.googleapis.com/auth/gmail"
    schemes = {"google": {"type": "oauth2", "flows": {"authorizationCode": FLOW}}}
    description = petstore("https://gmail.googleapis.com")
    description["components"]["securitySchemes"] = schemes
    choices = ["https://mail.google.com/", f"{at}.send", f"{at}.unheard-of"]
    description["paths"]["/pets"]["post"]["security"] = [{"google": [scope]} for scope in choices]
    read = read_description(as_file(description).encode(), "")
    [offer] = [offer for offer in fitting_connections(read, read.operation("addPet")) if offer.preset == "google"]
    assert offer.config["scopes"] == [f"{at}.send"]
    assert [offer.preset for offer in fitting_connections(read) if not offer.preset] == [], "the preset knows better"


def test_where_the_description_is_silent_a_token_and_a_key_are_offered_for_its_hosts() -> None:
    assert offered(described({}, security=[])) == [("bearer", {}), ("api_key", {})]


def test_servers_whose_address_is_open_bind_to_nothing() -> None:
    description = described({"k": {"type": "http", "scheme": "basic"}}, "https://{shop}.example", security=[])
    assert fitting_connections(description)[0].config == {"hosts": []}
