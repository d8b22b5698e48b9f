"""Connections that are made in the builder: what is offered, and the parts of pages that its dialog shows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from tests.ui.conftest import Browser
from tests.ui.test_builder import Builder
from tests.ui.test_pages import created

PART = {"X-Part": "yes", "Accept": "text/html"}
OAUTH = {"type": "oauth2", "config.clientId": "an-id", "config.clientSecret": "hush-hush"}
SMTP = {"type": "smtp", "config.host": "127.0.0.1", "config.port": "9"}
SAVED: dict[str, dict[str, str]] = {
    "google-apis": {**OAUTH, "preset": "google"},
    "hubspot-team": {**OAUTH, "preset": "hubspot"},
    "mail-server": SMTP,
    "notion-team": {**OAUTH, "preset": "notion"},
    "outlook-mail": {**OAUTH, "preset": "microsoft-mail"},
}


def offered(builder: Builder, type_: str) -> list[str]:
    builder.edit("add", type=type_, into="/actions", position="0")
    page = builder.page("/actions/0")
    assert f"/connections/new?step={type_}" in page
    [choice] = re.findall(r'<select[^>]*name="config\.connection".*?</select>', page, re.DOTALL)
    return re.findall(r'<option value="([^"]+)"', choice)


def part(ada: Browser, path: str) -> str:
    answer = ada.client.get(path, headers=PART)
    assert answer.status_code == 200
    return str(answer.text)


@pytest.mark.parametrize(
    ("type_", "fitting"),
    [
        ("SEND_EMAIL", ["mail-server", "google-apis", "outlook-mail"]),
        ("NOTION_QUERY", ["notion-team"]),
        ("GMAIL_SEND", ["google-apis"]),
    ],
)
def test_a_step_is_offered_the_connections_that_fit(ada: Browser, app: Flask, type_: str, fitting: list[str]) -> None:
    for name, fields in SAVED.items():
        answer = ada.send("/connections/new", f"/connections/new?type={fields['type']}", name=name, **fields)
        assert answer.status_code == 303, answer.text
    builder = Builder(ada, app, created(ada, {"name": "Any", "trigger": {"type": "manual"}, "actions": []}))
    assert offered(builder, type_) == fitting


def test_the_dialog_offers_what_fits_and_keeps_to_it_while_searching(ada: Browser) -> None:
    choice = part(ada, "/connections/new?step=SEND_EMAIL")
    assert "<html" not in choice
    assert set(re.findall(r"\?(?:type|preset)=([\w-]+)", choice)) == {
        "google",
        "google-mail",
        "microsoft-mail",
        "oauth2",
        "smtp",
    }
    assert '<input type="hidden" name="step" value="SEND_EMAIL">' in choice
    assert set(re.findall(r"\?(?:type|preset)=([\w-]+)", part(ada, "/connections/new?trigger=email&q=imap"))) >= {
        "imap"
    }


def made(ada: Browser, **fields: Any) -> Any:
    token = ada.token("/connections/new?type=http")
    return ada.client.post("/connections/new", data={"csrf_token": token, **fields}, headers=PART)


def test_what_is_wrong_is_said_in_the_dialog(ada: Browser) -> None:
    answer = made(ada, type="smtp", name="Not a name", **{"config.host": ""})
    assert answer.status_code == 400
    assert "<html" not in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_what_is_made_is_named_with_what_came_of_trying_it(ada: Browser) -> None:
    answer = made(ada, name="team", **SMTP)
    assert answer.status_code == 200
    assert 'data-connection="team"' in answer.text
    assert "does not work" in answer.text
    assert "data-window" not in answer.text


def test_whoever_has_to_sign_in_is_led_to_a_window_for_it(ada: Browser) -> None:
    answer = made(ada, name="notes", preset="notion", **OAUTH)
    assert 'data-connection="notes"' in answer.text
    assert re.search(r'href="/connections/[0-9a-f-]{36}"\s+target="flowforge-sign-in"', answer.text)
