"""POST /auth/register."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.people import PASSWORD, Person
from webapp import create_app

ADA = {"username": "ada", "email": "ada@example.test", "password": PASSWORD}


def register(client: FlaskClient, **changes: Any) -> Any:
    return client.post("/auth/register", json={**ADA, **changes})


def problems(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    return {problem["pointer"]: problem["message"] for problem in answer.json["details"]}


def test_answers_with_a_token_pair_that_works(client: FlaskClient) -> None:
    answer = register(client)

    assert answer.status_code == 200
    assert answer.json.keys() == {"access_token", "refresh_token"}
    me = client.get("/auth/me", headers={"Authorization": f"Bearer {answer.json['access_token']}"})
    assert me.json["username"] == "ada"
    assert client.post("/auth/refresh-token", json={"refreshToken": answer.json["refresh_token"]}).status_code == 200


def test_the_access_token_carries_the_contracts_claims(client: FlaskClient, backends: Backends) -> None:
    token = register(client).json["access_token"]

    claims = jwt.decode(token, backends.keys.jwt, algorithms=["HS256"])

    assert claims["sub"] == claims["user_id"]
    assert claims["username"] == "ada"
    assert claims["type"] == "access"
    assert claims["jti"]
    assert claims["exp"] - claims["iat"] == backends.settings.access_token_minutes * 60


def test_the_password_is_stored_as_argon2id_and_the_refresh_token_as_a_hash(
    client: FlaskClient, engine: Engine
) -> None:
    token = register(client).json["refresh_token"]

    with engine.connect() as connection:
        password = connection.scalar(text("SELECT password FROM auth.users"))
        stored = connection.scalar(text("SELECT token_hash FROM auth.refresh_tokens"))
        in_clear = connection.scalar(text("SELECT refresh_token FROM auth.users"))
    assert password.startswith("$argon2id$")
    assert token.encode() not in bytes(stored)
    assert in_clear is None


def test_every_field_is_required(client: FlaskClient) -> None:
    for field in ADA:
        body = {name: value for name, value in ADA.items() if name != field}

        assert problems(client.post("/auth/register", json=body)) == {f"/{field}": "is required"}


def test_every_field_is_text(client: FlaskClient) -> None:
    for field, value in product(ADA, (None, 7, True, ["ada"], {"a": 1})):
        assert problems(register(client, **{field: value})).keys() == {f"/{field}"}


def test_all_problems_are_named_at_once(client: FlaskClient) -> None:
    found = problems(register(client, username=" ", email="nobody", password="short"))

    assert found.keys() == {"/username", "/email", "/password"}


def test_an_email_address_has_to_look_like_one(client: FlaskClient) -> None:
    for email in (
        "",
        "ada",
        "@example.test",
        "ada@",
        "ada@localhost",
        "ada@@example.test",
        "ada@example..test",
        "ada@-example.test",
        "a da@example.test",
        "ada@example.test\n",
        ".ada@example.test",
        "ada@" + "a" * 64 + ".test",
        "a" * 65 + "@example.test",
        "a@" + "a." * 130 + "test",
        "ada\u0000@example.test",
    ):
        assert problems(register(client, email=email)).keys() == {"/email"}


def test_unusual_addresses_are_taken(client: FlaskClient) -> None:
    for email in ("a@b.co", "first.last+tag@sub.example.test", "ada@bücher.example", "o'hara@x-y.test"):
        assert register(client, username=email, email=email).status_code == 200


def test_a_user_name_is_printable_text_of_bounded_length(client: FlaskClient) -> None:
    for username in ("", "  ", " ada", "ada ", "a\u0000da", "a\nda", "a" * 101):
        assert problems(register(client, username=username)).keys() == {"/username"}


def test_a_password_has_10_to_256_characters(client: FlaskClient) -> None:
    for password in ("", "nine qqz!", "a" * 257):
        assert problems(register(client, password=password)).keys() == {"/password"}


def test_a_password_is_not_what_is_guessed_first(client: FlaskClient) -> None:
    common = ("qwertyuiop", "1234567890", "basketball", "Password12", "p4ssw0rd1!", "aaaaaaaaaaaa", "1qaz2wsx3edc")
    own = {"username": "ada.lovelace", "email": "countess@example.test"}
    for password in (*common, "ada.lovelace", "Ada.Lovelace1", "COUNTESS1815"[:8] + "99", "countess@example.test"):
        found = problems(register(client, **own, password=password))
        assert found == {"/password": "is too easy to guess; several unusual words are easy to remember"}
    assert register(client, **own, password="violet teapot drift").status_code == 200


def test_a_password_may_hold_any_character(client: FlaskClient) -> None:
    password = "пароль \u0000 🔑 " + "x" * 100

    assert register(client, password=password).status_code == 200
    assert client.post("/auth/login", json={"username": "ada", "password": password}).status_code == 200
    assert client.post("/auth/login", json={"username": "ada", "password": password + "y"}).status_code == 401


def test_a_taken_name_and_a_taken_address_are_named(client: FlaskClient, owner: Person) -> None:
    assert problems(register(client, username=owner.username)) == {"/username": "is taken"}
    assert problems(register(client, email=owner.email)) == {"/email": "is taken"}
    both = problems(register(client, username=owner.username, email=owner.email))
    assert both == {"/username": "is taken", "/email": "is taken"}


def test_names_that_differ_only_in_case_are_one_name(client: FlaskClient) -> None:
    assert register(client, username="Straße").status_code == 200
    for same in ("straße", "STRASSE", "Stra\uff53\uff53e"):
        assert problems(register(client, username=same, email="other@example.test")) == {"/username": "is taken"}


def test_the_first_account_owns_the_instance(client: FlaskClient, engine: Engine) -> None:
    for name in ("ada", "bob"):
        assert register(client, username=name, email=f"{name}@example.test").status_code == 200

    with engine.connect() as connection:
        roles = connection.execute(text("SELECT username, role FROM auth.users ORDER BY id")).all()
    assert roles == [("ada", "owner"), ("bob", "member")]


def test_of_many_who_want_the_same_name_at_once_one_gets_it(app: Flask, engine: Engine) -> None:
    def attempt(number: int) -> int:
        return register(app.test_client(), email=f"ada{number}@example.test").status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(attempt, range(8)))

    assert codes == [200] + [400] * 7
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM auth.users")) == 1


@pytest.fixture
def served(settings: Settings) -> Iterator[Callable[..., FlaskClient]]:
    """A client of a server with other settings, on the same database."""
    with ExitStack() as stack:

        def serve(**changes: object) -> FlaskClient:
            backends = Backends(settings.model_copy(update=changes), "test")
            stack.callback(backends.close)
            return create_app(backends=backends).test_client(use_cookies=False)

        yield serve


REACHABLE: list[dict[str, object]] = [
    {"host": "0.0.0.0"},
    {"host": "10.1.2.3"},
    {"trusted_proxies": 1},
    {"webhook_base_url": "https://flows.example.test"},
    {"allowed_hosts": ["flows.example.test"]},
]


class TestWhoMayRegister:
    def test_nobody_on_a_closed_server(self, served: Callable[..., FlaskClient]) -> None:
        answer = register(served(registration_open_setting=False))

        assert answer.status_code == 403
        assert answer.json["message"] == "registration is closed on this server"
        assert answer.json["path"] == "/auth/register"

    @pytest.mark.parametrize("changes", REACHABLE)
    def test_where_others_can_reach_the_server_only_the_first(
        self, served: Callable[..., FlaskClient], changes: dict[str, object]
    ) -> None:
        client = served(**changes)

        assert register(client).status_code == 200
        assert register(client, username="eve", email="eve@example.test").status_code == 403

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
    def test_everybody_where_only_this_machine_reaches_it(self, served: Callable[..., FlaskClient], host: str) -> None:
        client = served(host=host)

        for name in ("ada", "bob", "eve"):
            assert register(client, username=name, email=f"{name}@example.test").status_code == 200

    def test_everybody_where_the_operator_says_so(self, served: Callable[..., FlaskClient]) -> None:
        client = served(host="0.0.0.0", registration_open_setting=True)

        for name in ("ada", "bob"):
            assert register(client, username=name, email=f"{name}@example.test").status_code == 200

    def test_of_many_who_come_first_at_once_one(self, served: Callable[..., FlaskClient]) -> None:
        client = served(host="0.0.0.0")

        def attempt(number: int) -> int:
            return register(client, username=f"a{number}", email=f"a{number}@example.test").status_code

        with ThreadPoolExecutor(8) as pool:
            assert sorted(pool.map(attempt, range(8))) == [200] + [403] * 7


def test_unknown_fields_are_ignored(client: FlaskClient) -> None:
    assert register(client, id="7", role="admin").status_code == 200


def test_the_answer_must_not_be_cached(client: FlaskClient) -> None:
    assert register(client).headers["Cache-Control"] == "no-store"
