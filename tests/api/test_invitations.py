"""Invitations: the way in where registration is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.people import PASSWORD, Person
from tests.services.smtp import Inbox, serving
from webapp import create_app

INVITATIONS = "/api/v1/admin/invitations"
UNUSABLE = {"/invitation": "is unknown, used or expired; ask for another one"}


@pytest.fixture
def app(settings: Settings, inbox: Inbox) -> Iterator[Flask]:
    """A server that others reach, and that sends mail."""
    with serving(inbox) as port:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "ff@example.test"}
        others = {"webhook_base_url": "https://flows.example.test", "host": "0.0.0.0"}
        backends = Backends(settings.model_copy(update={**mail, **others}), "test")
        yield create_app(backends=backends)
        backends.close()


def invite(client: FlaskClient, owner: Person, **wanted: str) -> dict[str, Any]:
    answer = client.post(INVITATIONS, json=wanted, headers=owner.headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def register(client: FlaskClient, link: str, name: str = "ada") -> Any:
    given = {"username": name, "email": f"{name}@example.test", "password": PASSWORD}
    return client.post("/auth/register", json=given | {"invitation": link.rpartition("/")[2]})


def problems(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    return {problem["pointer"]: problem["message"] for problem in answer.json["details"]}


def test_a_link_lets_one_person_in(client: FlaskClient, owner: Person) -> None:
    made = invite(client, owner)

    assert made["url"].startswith("https://flows.example.test/invitations/")
    assert register(client, made["url"]).status_code == 200
    assert problems(register(client, made["url"], "eve")) == UNUSABLE


def test_what_was_entered_wrong_does_not_use_it_up(client: FlaskClient, owner: Person) -> None:
    made = invite(client, owner)

    assert problems(register(client, made["url"], owner.username)).keys() == {"/username", "/email"}
    assert register(client, made["url"]).status_code == 200


def test_it_says_what_the_new_account_becomes(client: FlaskClient, owner: Person, engine: Engine) -> None:
    register(client, invite(client, owner, role="admin")["url"])

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT role FROM auth.users WHERE username = 'ada'")) == "admin"


def test_only_the_owner_invites_administrators(client: FlaskClient, owner: Person) -> None:
    tokens = register(client, invite(client, owner, role="admin")["url"]).json
    admin = {"Authorization": f"Bearer {tokens['access_token']}"}

    assert client.post(INVITATIONS, json={"role": "admin"}, headers=admin).status_code == 403
    assert client.post(INVITATIONS, json={"role": "member"}, headers=admin).status_code == 201
    assert client.post(INVITATIONS, json={"role": "owner"}, headers=admin).status_code == 400


def test_it_is_sent_where_there_is_an_address(client: FlaskClient, owner: Person, inbox: Inbox) -> None:
    made = invite(client, owner, email="ada@example.test")

    [mail] = inbox.mails
    assert (made["mailed"], made["mailProblem"]) == (True, None)
    assert (mail["To"], mail["From"], mail["Auto-Submitted"]) == (
        "ada@example.test",
        "ff@example.test",
        "auto-generated",
    )
    assert made["url"] in mail.get_payload(decode=True).decode()


def test_a_mail_that_is_refused_leaves_the_link(client: FlaskClient, owner: Person) -> None:
    made = invite(client, owner, email="refused@x.test")

    assert made["mailed"] is False
    assert made["mailProblem"] == "the mail could not be sent: the mail server refused every recipient"
    assert register(client, made["url"]).status_code == 200


def test_what_is_no_address_is_refused(client: FlaskClient, owner: Person) -> None:
    answer = client.post(INVITATIONS, json={"email": "ada\r\nBcc: eve"}, headers=owner.headers)

    assert problems(answer).keys() == {"/email"}


def test_those_that_are_open_are_listed_without_their_links(client: FlaskClient, owner: Person) -> None:
    made = invite(client, owner, email="ada@example.test")
    used = invite(client, owner)
    register(client, used["url"])

    answer = client.get(INVITATIONS, headers=owner.headers)

    assert [row["id"] for row in answer.json] == [made["id"]]
    assert made["url"].rpartition("/")[2] not in answer.text


def test_one_that_was_withdrawn_or_expired_lets_nobody_in(client: FlaskClient, owner: Person, engine: Engine) -> None:
    withdrawn, expired = invite(client, owner), invite(client, owner)
    assert client.delete(f"{INVITATIONS}/{withdrawn['id']}", headers=owner.headers).status_code == 204
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth.invitations SET expires_at = now()"))

    for link in (withdrawn["url"], expired["url"], "https://flows.example.test/invitations/guessed"):
        assert problems(register(client, link)) == UNUSABLE


@pytest.mark.parametrize(("method", "what"), [("POST", "disable"), ("PUT", "role")])
def test_one_by_somebody_who_may_not_invite_any_more_lets_nobody_in(
    client: FlaskClient, owner: Person, method: str, what: str
) -> None:
    """Or an administrator who is disabled would come back by a link made before."""
    tokens = register(client, invite(client, owner, role="admin")["url"]).json
    admin = {"Authorization": f"Bearer {tokens['access_token']}"}
    admin_id = client.get("/auth/me", headers=admin).json["id"]
    link = client.post(INVITATIONS, json={}, headers=admin).json["url"]

    path = f"/api/v1/admin/accounts/{admin_id}/{what}"
    assert client.open(path, method=method, json={"role": "member"}, headers=owner.headers).status_code == 200

    assert problems(register(client, link, "eve")) == UNUSABLE
    assert client.get(INVITATIONS, headers=owner.headers).json == []


def test_the_database_holds_only_its_hash(client: FlaskClient, owner: Person, engine: Engine) -> None:
    token = invite(client, owner)["url"].rpartition("/")[2]

    with engine.connect() as connection:
        assert token not in str(connection.execute(text("SELECT * FROM auth.invitations")).all())
