"""Triggers by connections in the browser: chosen in the builder, and shown with what they wait for."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from flowforge.db.tables import OAuthGrant
from flowforge.wiring import Backends
from tests.ui.conftest import Browser
from tests.ui.test_pages import created

IMAP = {"config.host": "127.0.0.1", "config.port": "9", "config.username": "jane", "config.password": "hush-hush"}
OAUTH = {"config.clientId": "an-id", "config.clientSecret": "hush-hush"}


@pytest.fixture
def by_name(ada: Browser) -> dict[str, str]:
    """Paths of connections, of which the last does not open mailboxes."""
    kinds: dict[str, dict[str, str]] = {
        "team-mailbox": {"type": "imap", **IMAP},
        "my-gmail": {"type": "oauth2", "preset": "google-mail", **OAUTH},
        "shop": {"type": "http", "config.bearerToken": "hush-hush"},
    }
    for name, fields in kinds.items():
        answer = ada.send("/connections/new", f"/connections/new?type={fields['type']}", name=name, **fields)
        assert answer.status_code == 303, answer.text
    page = ada.get("/connections").text
    return {name: path for path, name in re.findall(r'href="(/connections/[0-9a-f-]{36})">([^<]+)<', page)}


def offered(page: str) -> list[str]:
    """The connections that the form of the trigger offers."""
    [choice] = re.findall(r'<select[^>]*name="config\.connection".*?</select>', page, re.DOTALL)
    return re.findall(r'<option value="([^"]+)"', choice)


def with_mailbox(ada: Browser, **config: Any) -> str:
    """The path of a workflow with a trigger of a mailbox."""
    return created(ada, {"name": "Orders", "trigger": {"type": "email", "config": config}, "actions": []})


def test_the_builder_offers_those_that_open_mailboxes(ada: Browser, by_name: dict[str, str]) -> None:
    path = with_mailbox(ada, connection="my-gmail")
    page = ada.get(f"{path}/build").text
    assert offered(page) == ["team-mailbox", "my-gmail"]
    assert 'name="config.password"' not in page, "the connection signs in"


def test_one_that_is_chosen_takes_the_place_of_the_password(
    ada: Browser, backends: Backends, by_name: dict[str, str]
) -> None:
    path = with_mailbox(ada, username="jane", password="hush-hush", host="mail.example.test")
    form = {"type": "email", "drawn": "email", "revision": "0", "config.username": "jane"}
    answer = ada.send(f"{path}/build/trigger", f"{path}/build", **form, **{"config.connection": "team-mailbox"})
    assert answer.status_code == 303, answer.text
    page = ada.get(f"{path}/build").text
    assert 'value="team-mailbox" selected' in page
    assert 'name="config.password"' not in page


def test_one_that_is_gone_is_shown_as_long_as_it_is_named(ada: Browser, by_name: dict[str, str]) -> None:
    path = with_mailbox(ada, connection="team-mailbox")
    ada.send(f"{by_name['team-mailbox']}/delete", by_name["team-mailbox"], force="true")
    assert offered(ada.get(f"{path}/build").text) == ["my-gmail", "team-mailbox"]
    assert "team-mailbox (deleted)" in ada.get(path).text


def test_a_trigger_that_waits_for_a_sign_in_says_so_and_leads_there(
    ada: Browser, backends: Backends, by_name: dict[str, str]
) -> None:
    path = with_mailbox(ada, connection="my-gmail")
    page = ada.get(path).text
    assert f'href="{by_name["my-gmail"]}"' in page
    assert "Sign-in required" not in page
    with backends.engine.begin() as connection:
        grant = {"id": UUID(by_name["my-gmail"][-36:]), "generation": 1}
        connection.execute(insert(OAuthGrant).values(**grant, broken_at=datetime.now(UTC), problem="it was revoked"))
    assert "Sign-in required" in ada.get(path).text


def test_a_connection_shows_the_workflows_that_it_starts(ada: Browser, by_name: dict[str, str]) -> None:
    with_mailbox(ada, connection="team-mailbox")
    assert "Orders" in ada.get(by_name["team-mailbox"]).text


def test_the_choice_of_kinds_names_their_triggers(ada: Browser) -> None:
    assert re.search(r"Triggers: E-mail", ada.get("/connections/new?q=imap").text)
