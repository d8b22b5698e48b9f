"""A forgotten password: a link in a mail, which works once and ends everything else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from flowforge.accounts import mails
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.people import PASSWORD, Person
from tests.services.smtp import Inbox, serving
from tests.waiting import eventually
from webapp import create_app

NEW = "violet teapot drift"


@pytest.fixture
def app(settings: Settings, inbox: Inbox) -> Iterator[Flask]:
    """A server that sends mail."""
    with serving(inbox) as port:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "ff@example.test"}
        backends = Backends(
            settings.model_copy(
                update={**mail, "webhook_base_url": "https://flows.example.test", "registration_open_setting": True}
            ),
            "test",
        )
        yield create_app(backends=backends)
        backends.close()


@pytest.mark.parametrize(
    ("sender", "can_send"),
    [
        ({"smtp_from": "ff@x.test"}, True),
        ({"smtp_username": "ff@x.test"}, True),
        ({"smtp_username": "ff"}, False),
        ({}, False),
    ],
)
def test_mail_is_sent_where_it_has_a_sender(sender: dict[str, str], can_send: bool) -> None:
    assert mails.can_send(Settings(_env_file=None, smtp_host="smtp.x.test", **sender)) is can_send
    assert not mails.can_send(Settings(_env_file=None, **sender))


def ask(client: FlaskClient, account: str, **options: Any) -> Any:
    return client.post("/auth/forgotten-password", json={"account": account}, **options)


def token_in(inbox: Inbox, number: int = 0) -> str:
    """The one in the link of a mail, once it is there."""
    mail = eventually(lambda: inbox.mails[number] if len(inbox.mails) > number else None)
    found = re.search(r"https://flows\.example\.test/password-resets/([\w-]+)", mail.get_payload(decode=True).decode())
    assert found
    return found[1]


def reset(client: FlaskClient, token: str, password: str = NEW) -> Any:
    return client.post("/auth/reset-password", json={"token": token, "newPassword": password})


def sign_in(client: FlaskClient, person: Person, password: str) -> int:
    return client.post("/auth/login", json={"username": person.username, "password": password}).status_code


def problems(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    return {problem["pointer"]: problem["message"] for problem in answer.json["details"]}


@pytest.fixture
def token(client: FlaskClient, owner: Person, inbox: Inbox) -> str:
    assert ask(client, owner.username).status_code == 202
    return token_in(inbox)


def test_the_link_sets_a_new_password_once(client: FlaskClient, owner: Person, token: str) -> None:
    assert reset(client, token).status_code == 204

    assert (sign_in(client, owner, PASSWORD), sign_in(client, owner, NEW)) == (401, 200)
    assert problems(reset(client, token)) == {"/token": "is unknown, used or expired; ask for another link"}


def test_it_ends_whatever_was_signed_in(client: FlaskClient, owner: Person, token: str, engine: Engine) -> None:
    personal = client.post("/api/v1/tokens", json={"name": "Mine"}, headers=owner.headers).json["token"]

    reset(client, token)

    assert client.post("/auth/refresh-token", json={"refreshToken": owner.refresh_token}).status_code == 401
    assert client.get("/auth/me", headers={"Authorization": f"Bearer {personal}"}).status_code == 401
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT credentials_epoch FROM auth.users")) == 1


@pytest.mark.parametrize("written", ["OWNER", "Owner@Example.test"])
def test_names_and_addresses_are_found_in_any_case(
    client: FlaskClient, owner: Person, inbox: Inbox, written: str
) -> None:
    ask(client, written)

    token_in(inbox)
    assert inbox.mails[0]["To"] == owner.email


def test_the_answer_is_the_same_where_there_is_no_such_account(
    client: FlaskClient, owner: Person, inbox: Inbox
) -> None:
    unknown = [ask(client, account) for account in ("nobody", "nobody@example.test", "own\u0000er", "'; --")]
    known = ask(client, owner.username)

    assert {(answer.status_code, answer.text) for answer in (*unknown, known)} == {(202, "")}
    token_in(inbox)
    assert len(inbox.mails) == 1


def test_one_account_gets_one_mail_at_a_time(
    client: FlaskClient, owner: Person, stranger: Person, inbox: Inbox, token: str
) -> None:
    ask(client, owner.username)
    ask(client, owner.email)
    ask(client, stranger.username)  # the mails are sent in the order in which they were asked for, nearly

    token_in(inbox, 1)
    assert sorted(mail["To"] for mail in inbox.mails) == [owner.email, stranger.email]


def test_the_host_of_the_request_is_not_believed(client: FlaskClient, owner: Person, inbox: Inbox) -> None:
    ask(client, owner.username, headers={"Host": "localhost:1", "X-Forwarded-Host": "evil.example.test"})

    assert token_in(inbox)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/profile/password", {"currentPassword": PASSWORD, "newPassword": "another violet teapot"}),
        ("PUT", "/api/v1/profile", {"email": "moved@example.test"}),
        ("DELETE", "/api/v1/sessions", None),
    ],
)
def test_a_link_ends_with_what_it_was_made_for(
    client: FlaskClient, owner: Person, token: str, method: str, path: str, body: Any
) -> None:
    """Somebody else may hold it, such as whoever reads the old mailbox."""
    assert client.open(path, method=method, json=body, headers=owner.headers).status_code in {200, 204}

    assert problems(reset(client, token)).keys() == {"/token"}


@pytest.mark.parametrize("change", ["disable", "role"])
def test_a_link_ends_when_its_account_is_disabled_or_gets_another_role(
    client: FlaskClient, owner: Person, stranger: Person, change: str
) -> None:
    account = f"/api/v1/admin/accounts/{stranger.id}"
    link = client.post(f"{account}/password-reset", headers=owner.headers).json["url"]

    if change == "disable":
        client.post(f"{account}/disable", headers=owner.headers)
        client.post(f"{account}/enable", headers=owner.headers)
    else:
        client.put(f"{account}/role", json={"role": "admin"}, headers=owner.headers)

    assert problems(reset(client, link.rpartition("/")[2])).keys() == {"/token"}


def test_nobody_makes_a_link_for_themselves(client: FlaskClient, owner: Person) -> None:
    """A token that leaked would be turned into the account by it, and a browser left alone, too."""
    answer = client.post(f"/api/v1/admin/accounts/{owner.id}/password-reset", headers=owner.headers)

    assert answer.status_code == 403
    assert answer.json["message"] == "change your own password in the settings; that takes the present one"


def test_a_weak_password_does_not_use_the_link_up(client: FlaskClient, token: str) -> None:
    assert problems(reset(client, token, "qwertyuiop")).keys() == {"/newPassword"}
    assert reset(client, token).status_code == 204


def test_an_expired_link_and_a_guessed_one_do_nothing(client: FlaskClient, token: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth.password_resets SET expires_at = now()"))

    for each in (token, "guessed", "\u0000"):
        assert problems(reset(client, each)).keys() == {"/token"}


def test_a_disabled_account_gets_none(client: FlaskClient, owner: Person, stranger: Person, inbox: Inbox) -> None:
    client.post(f"/api/v1/admin/accounts/{stranger.id}/disable", headers=owner.headers)
    ask(client, stranger.username)
    ask(client, owner.username)

    token_in(inbox)
    assert [mail["To"] for mail in inbox.mails] == [owner.email]


def test_a_server_that_sends_no_mail_says_so(settings: Settings) -> None:
    backends = Backends(settings, "test")
    answer = ask(create_app(backends=backends).test_client(), "anybody")
    backends.close()

    assert answer.status_code == 403
    assert answer.json["message"] == "this server sends no mail; an administrator can make a link for a new password"


def test_an_administrator_makes_a_link_without_mail(client: FlaskClient, owner: Person, stranger: Person) -> None:
    made = client.post(f"/api/v1/admin/accounts/{stranger.id}/password-reset", headers=owner.headers)

    assert made.status_code == 201
    assert reset(client, made.json["url"].rpartition("/")[2]).status_code == 204
    assert sign_in(client, stranger, NEW) == 200
