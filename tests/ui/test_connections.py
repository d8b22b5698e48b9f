"""Connections in the browser: made once, tried on saving, never shown again."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select, text

from flowforge.db.tables import Connection
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.descriptions import petstore
from tests.ui.conftest import Browser
from tests.ui.test_apis import add as add_api
from tests.ui.test_pages import created


def made(ada: Browser, **fields: str) -> str:
    """Path of a new connection for HTTP."""
    given = {"type": "http", "name": "shop", "config.bearerToken": "hush-hush", **fields}
    answer = ada.send("/connections/new", f"/connections/new?type={given['type']}", **given)
    assert answer.status_code == 303, answer.text
    page = ada.get("/connections").text
    return re.findall(r'href="(/connections/[0-9a-f-]{36})"', page)[0]


def test_one_is_made_listed_and_never_shown_again(ada: Browser, backends: Backends) -> None:
    path = made(ada)
    for page in (ada.get("/connections").text, ada.get(path).text):
        assert "shop" in page
        assert "hush-hush" not in page
    answer = ada.send(path, path, **{"config.bearerToken": MASK, "config.username": "ada"})
    assert answer.status_code == 303
    with backends.engine.connect() as connection:
        config = connection.execute(select(Connection.config)).scalar_one()
    assert backends.vault.open(config["bearerToken"]) == "hush-hush"
    assert config["username"] == "ada"


def test_a_pause_that_its_service_asks_for_is_shown_until_it_is_over(ada: Browser, backends: Backends) -> None:
    made(ada)
    for seconds, shown in ((600, True), (-1, False)):
        with backends.engine.begin() as connection:
            until = datetime.now(UTC) + timedelta(seconds=seconds)
            connection.execute(text("UPDATE workflow.connections SET paused_until = :until"), {"until": until})
        assert ("Rate-limited by the service" in ada.get("/connections").text) is shown


def test_what_is_wrong_stands_beside_its_field(ada: Browser) -> None:
    answer = ada.send("/connections/new", "/connections/new?type=http", type="http", name="No Good")
    assert answer.status_code == 400
    assert "small letters" in answer.text
    made(ada)
    taken = ada.send("/connections/new", "/connections/new?type=http", type="http", name="shop")
    assert "name of another connection already" in taken.text
    assert re.search("Steps: [^<]*HTTP request", ada.get("/connections/new?type=nothing").text)


def test_one_that_does_not_work_is_kept_and_says_so(ada: Browser) -> None:
    account = {"config.host": "127.0.0.1", "config.port": "9", "config.security": "none"}
    path = made(ada, type="smtp", name="mail", **account)
    assert "Connection failed" in ada.get(path).text
    assert "Failed" in ada.get("/connections").text


def test_one_that_is_used_names_who_uses_it_before_it_is_deleted(ada: Browser) -> None:
    path = made(ada)
    step = {"type": "HTTP_REQUEST", "config": {"url": "https://example.test", "connection": "shop"}}
    created(ada, {"name": "Shopping", "actions": [step]})
    assert "Shopping" in ada.get(path).text
    kept = ada.send(f"{path}/delete", path)
    assert kept.location.endswith(path)
    assert ada.send(f"{path}/delete", path, force="true").location == "/connections"
    assert ada.get(path).status_code == 404


def test_the_builder_offers_those_that_fit(ada: Browser) -> None:
    made(ada)
    workflow = created(ada, {"name": "Empty", "actions": []})
    step = {"id": "call", "type": "HTTP_REQUEST", "config": {"url": "https://example.test"}}
    text = json.dumps({"name": "Calling", "actions": [step]})
    ada.send(f"{workflow}/build/text", f"{workflow}/build/text", **{"as": "json", "text": text, "revision": "0"})
    panel = ada.get(f"{workflow}/build?step=/actions/0").text
    assert '<option value="shop">shop</option>' in panel


def test_a_secret_of_several_lines_keeps_them_and_is_never_shown_again(ada: Browser, backends: Backends) -> None:
    key = "-----BEGIN PRIVATE KEY-----\r\nAAAA\r\n-----END PRIVATE KEY-----\r\n"
    server = {"type": "sftp", "config.host": "files.example.test", "config.username": "ada"}
    path = made(ada, **server, **{"config.privateKey": key, "config.bearerToken": ""})
    page = ada.get(path).text
    assert "PRIVATE KEY" not in page
    assert re.search(rf'<textarea[^>]*class="[^"]*masked"[^>]*>\s*{re.escape(MASK)}</textarea>', page)
    ada.send(path, path, **{**server, "config.privateKey": MASK})
    vault = backends.vault
    with backends.engine.connect() as connection:
        config = connection.execute(select(Connection.config)).scalar_one()
    assert vault.open(config["privateKey"]) == key.replace("\r\n", "\n")


def test_secrets_by_name_are_kept_and_deleted(ada: Browser) -> None:
    assert ada.send("/connections/secrets", "/connections", name="API_KEY", value="under-lock").status_code == 303
    page = ada.get("/connections").text
    assert "API_KEY" in page
    assert "under-lock" not in page
    assert ada.send("/connections/secrets", "/connections", name="1", value="x").status_code == 400
    assert ada.send("/connections/secrets/API_KEY/delete", "/connections").status_code == 303
    assert "API_KEY</code>" not in ada.get("/connections").text


def test_other_peoples_connections_are_not_there(ada: Browser, signed_up: object) -> None:
    path = made(ada)
    eve: Browser = signed_up("eve")  # type: ignore[operator]
    assert eve.get(path).status_code == 404
    assert "shop" not in eve.get("/connections").text


def test_one_for_http_is_tested_where_an_address_is_given(ada: Browser, httpserver: HTTPServer) -> None:
    path = made(ada)
    assert "Test shop" not in ada.get("/connections").text
    httpserver.expect_request("/me", headers={"Authorization": "Bearer hush-hush"}).respond_with_data("ada")
    address = {"config.bearerToken": MASK, "config.testUrl": httpserver.url_for("/me")}
    assert ada.send(path, path, **address).location == "/connections"
    page = ada.get("/connections").text
    assert "Connected" in page
    assert "Test shop" in page
    httpserver.clear()
    assert ada.send(f"{path}/test", "/connections").location == path
    assert "the address answered 500" in ada.get(path).text


class TestForAnApi:
    @pytest.fixture
    def petstore_is_there(self, ada: Browser) -> None:
        added = add_api(ada, petstore("https://pets.example/v1"))
        assert added.status_code == 303
        connect = re.search(r'href="(/connections/new[^"]*)"', ada.get(str(added.headers["Location"])).text)
        assert connect
        assert connect[1] == "/connections/new?api=petstore"

    @pytest.mark.usefixtures("petstore_is_there")
    def test_the_form_is_filled_in_from_its_description(self, ada: Browser) -> None:
        page = ada.get("/connections/new?api=petstore").text
        for name, value in (("name", "petstore"), ("type", "api_key"), ("config.name", "X-Pet-Key")):
            assert re.search(rf'name="{re.escape(name)}"[^>]*value="{value}"', page), name
        assert "pets.example" in page
        fields = {"type": "api_key", "name": "petstore", "config.key": "k-1", "config.name": "X-Pet-Key"}
        assert ada.send("/connections/new", "/connections/new?api=petstore", **fields).status_code == 303
        assert "petstore" in ada.get("/connections").text

    def test_where_several_fit_one_chooses(self, ada: Browser) -> None:
        add_api(ada, petstore("https://pets.example", components={}, security=[]))
        page = ada.get("/connections/new?api=petstore&operation=addPet").text
        assert "For Petstore" in page
        forms = [ada.get(unescape(link)).text for link in re.findall(r'href="([^"]*offer=\d)"', page)]
        kinds = [re.search(r'name="type" value="(\w+)"', form) for form in forms]
        assert [kind and kind[1] for kind in kinds] == ["bearer", "api_key"]

    def test_a_provider_with_a_preset_is_connected_by_it(self, ada: Browser) -> None:
        add_api(ada, petstore("https://api.github.com", components={}, security=[]), name="github")
        assert 'name="preset" value="github' in ada.get("/connections/new?api=github").text

    def test_there_is_none_for_an_api_that_is_not_there(self, ada: Browser) -> None:
        assert ada.get("/connections/new?api=nothing").status_code == 404
