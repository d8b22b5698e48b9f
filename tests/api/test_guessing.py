"""Guessing passwords: the answers, wherever one is checked, and what the log says of a proxy that is not known."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import bcrypt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from flowforge.accounts import password_resets, passwords
from flowforge.accounts.guesses import FREE
from flowforge.wiring import Backends
from tests.api.test_account import PROFILE
from tests.people import PASSWORD, Person
from webapp import create_app


def login(client: FlaskClient, name: str, password: str = "wrong", address: str = "198.51.100.1") -> Any:
    body = {"username": name, "password": password}
    return client.post("/auth/login", json=body, environ_overrides={"REMOTE_ADDR": address})


def guess_too_often(client: FlaskClient, name: str) -> list[int]:
    """From many addresses of many networks."""
    return [login(client, name, address=f"198.51.{number}.1").status_code for number in range(FREE + 2)]


def test_guesses_from_anywhere_have_to_wait_known_name_or_not(client: FlaskClient, owner: Person) -> None:
    for name in (owner.username, "nobody"):
        assert guess_too_often(client, name) == [401] * (FREE + 1) + [429]
    known, unknown = (login(client, name) for name in (owner.username, "nobody"))
    assert {answer.json["message"].rstrip("0123456789 s") for answer in (known, unknown)} == {
        "there were too many wrong passwords for this account; please try again in"
    }
    assert 0 < int(known.headers["Retry-After"]) <= 5
    assert login(client, owner.username, PASSWORD, "192.0.2.1").status_code == 429


def test_the_owner_is_let_in_where_they_are_known(client: FlaskClient, owner: Person) -> None:
    home = "203.0.113.1"
    assert login(client, owner.username, PASSWORD, home).status_code == 200
    guess_too_often(client, owner.username)
    assert login(client, owner.username, PASSWORD, "203.0.113.77").status_code == 200


def test_the_owner_gets_in_by_a_link_for_a_new_password(client: FlaskClient, owner: Person, session: Session) -> None:
    """From somewhere new, and while strangers go on guessing."""
    guess_too_often(client, owner.username)
    reset = {"token": password_resets.begin(session, owner.id), "newPassword": "violet teapot drift"}
    here = {"REMOTE_ADDR": "192.0.2.1"}
    assert client.post("/auth/reset-password", json=reset, environ_overrides=here).status_code == 204
    assert login(client, owner.username, "violet teapot drift", "192.0.2.1").status_code == 200


def test_where_somebody_registers_they_are_known(client: FlaskClient, owner: Person) -> None:
    guess_too_often(client, owner.username)
    assert login(client, owner.username, PASSWORD, "127.0.0.1").status_code == 200


def test_a_token_of_the_owner_guesses_no_better(client: FlaskClient, owner: Person) -> None:
    change = {"currentPassword": "wrong", "newPassword": "a new long password"}
    answers = [client.post(f"{PROFILE}/password", json=change, headers=owner.headers) for _ in range(FREE + 2)]
    assert [answer.status_code for answer in answers] == [400] * (FREE + 1) + [429]


def test_a_new_password_that_cannot_be_used_is_no_guess(client: FlaskClient, owner: Person) -> None:
    change = {"currentPassword": PASSWORD, "newPassword": "short"}
    answers = [client.post(f"{PROFILE}/password", json=change, headers=owner.headers) for _ in range(FREE + 2)]
    assert {answer.status_code for answer in answers} == {400}


class TestABrowser:
    """The sign-in page, opened through a proxy that is not known: everybody comes from its address."""

    def sign_in(self, browser: FlaskClient, name: str, password: str = PASSWORD) -> Any:
        page = browser.get("/sign-in", headers={"Accept": "text/html"}).text
        token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[-1]
        fields = {"csrf_token": token, "username": name, "password": password}
        return browser.post("/sign-in", data=fields, headers={"Accept": "text/html"})

    def test_that_is_known_is_let_in_whatever_others_guess(self, app: Flask, owner: Person) -> None:
        known, stranger = app.test_client(), app.test_client()
        assert self.sign_in(known, owner.username).status_code == 303
        known.delete_cookie("flowforge_8080")
        refused = [self.sign_in(stranger, owner.username, "wrong") for _ in range(FREE + 2)][-1]
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 0
        assert "too many wrong passwords" in refused.text
        assert self.sign_in(stranger, owner.username).status_code == 429
        assert self.sign_in(known, owner.username).status_code == 303

    def test_keeps_what_it_is_known_by_to_itself(self, app: Flask, owner: Person) -> None:
        answer = self.sign_in(app.test_client(), owner.username)
        [cookie] = [sent for sent in answer.headers.getlist("Set-Cookie") if sent.startswith("flowforge_browser_8080")]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie


class TestTheLimitOfANetwork:
    @pytest.fixture
    def limited(self, backends: Backends) -> Iterator[FlaskClient]:
        fewer = Backends(backends.settings.model_copy(update={"auth_rate_limit": "2/hour"}), "test")
        yield create_app(backends=fewer).test_client(use_cookies=False)
        fewer.close()

    @pytest.mark.parametrize(
        ("network", "other"), [("203.0.113.{}", "203.0.114.1"), ("2001:db8::{}", "2001:db8:0:1::1")]
    )
    def test_holds_for_all_its_addresses(self, limited: FlaskClient, network: str, other: str) -> None:
        codes = [login(limited, "nobody", address=network.format(number)).status_code for number in range(1, 12)]
        assert codes == [401] * 10 + [429]
        assert login(limited, "somebody", address=other).status_code == 401


FORWARDED = {"X-Forwarded-For": "203.0.113.9"}


class TestAProxyThatIsNotKnown:
    def test_is_told_in_the_log_once(self, client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(3):
            client.post("/auth/login", json={"username": "a", "password": "b"}, headers=FORWARDED)
        [told] = [record for record in caplog.records if "TRUSTED_PROXIES" in record.message]
        assert told.levelno == logging.WARNING

    def test_does_not_lift_the_limit_of_an_account(self, client: FlaskClient, owner: Person) -> None:
        body = {"username": owner.username, "password": "wrong"}
        codes = [client.post("/auth/login", json=body, headers=FORWARDED).status_code for _ in range(FREE + 2)]
        assert codes[-1] == 429


def test_an_unknown_name_costs_what_adopted_accounts_cost(
    client: FlaskClient, owner: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth.users SET password = :old"), {"old": old})
    checked: list[str] = []
    monkeypatch.setattr(passwords, "matches", lambda stored, _password: bool(checked.append(stored)))
    login(client, owner.username)
    login(client, "nobody")
    assert checked == [old, old]
