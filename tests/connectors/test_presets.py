"""Presets of connections hold together with the kinds they are of, and send secrets to the provider alone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bench.descriptions import FETCHED, google_folder
from flowforge.apis.reading import read_description
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.connection_kinds.oauth2 import OAuth2SignIn
from flowforge.connectors.presets.all_presets import matching_presets, presets, with_preset
from flowforge.connectors.presets.preset import ACCOUNT, Preset
from flowforge.oauth.provider import Client, is_secure

ALL = list(presets().values())
OF_OAUTH = [preset for preset in ALL if preset.provider]


@pytest.mark.parametrize("preset", ALL, ids=lambda preset: preset.name)
def test_what_it_fills_in_is_a_config_of_its_kind(preset: Preset) -> None:
    kind = load_catalog().connection_kinds[preset.type]
    filled = preset.config_for("acme")
    assert set(filled) <= set(kind.fields)
    secrets = {key: "a secret" for key in kind.secret_keys() if key in kind.config_schema().get("required", ())}
    assert kind.problems({**filled, **secrets}, "/config") == []
    assert filled["hosts"], "its secrets are bound to the provider's hosts"
    assert is_secure(preset.documentation)
    assert matching_presets(preset.title)[0].title


@pytest.mark.parametrize("preset", OF_OAUTH, ids=lambda preset: preset.name)
def test_an_account_never_chooses_where_a_client_secret_is_sent(preset: Preset) -> None:
    provider = preset.provider
    assert provider is not None
    for url in (provider.token_url, provider.authorization_url, provider.device_url, provider.revocation_url):
        host = urlsplit(url.replace(ACCOUNT, "acme")).hostname or ""
        assert not url or is_secure(url.replace(ACCOUNT, "acme"))
        assert ACCOUNT not in url or not host.endswith("acme"), "the provider's own domain comes last"


def test_the_operators_client_goes_to_the_presets_addresses_alone() -> None:
    registered = {"google": Client("of-the-operator", "hush")}
    config = OAuth2SignIn.model_validate({"preset": "google", "tokenUrl": "https://evil.test/token"})
    assert config.client(registered) == registered["google"]
    assert config.provider().token_url == "https://oauth2.googleapis.com/token"


def test_what_somebody_gives_counts_before_what_a_preset_fills_in() -> None:
    assert with_preset({"preset": "google", "hosts": ["gmail.googleapis.com"]})["hosts"] == ["gmail.googleapis.com"]
    assert with_preset({"preset": "shopify", "account": "acme"})["hosts"] == ["acme.myshopify.com"]
    for odd in ({"preset": []}, {"preset": "unknown"}, [], None, {"preset": "google", "account": 7}):
        with_preset(odd)


GOOGLES = ("gmail.v1", "drive.v3", "sheets.v4", "calendar.v3", "docs.v1", "tasks.v1", "people.v1")


@pytest.mark.parametrize(
    ("name", "product", "files"),
    [
        ("google", "", [google_folder() / f"{name}.json" for name in GOOGLES]),
        ("atlassian", "Jira", [FETCHED / "jira.json"]),
    ],
)
def test_scopes_are_those_that_the_provider_describes(name: str, product: str, files: list[Path]) -> None:
    if not all(file.exists() for file in files):
        pytest.skip("descriptions are fetched by scripts/fetch_descriptions.py")
    described = [read_description(file.read_bytes()) for file in files]
    sign_ins = [sign_in for description in described for sign_in in description.sign_ins.values()]
    known = {scope for sign_in in sign_ins for flow in sign_in.flows for scope in flow.scopes}
    assert {choice.scope for choice in presets()[name].scopes if product in ("", choice.product)} <= known
