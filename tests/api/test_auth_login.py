"""POST /auth/login."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import bcrypt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from flowforge.accounts import passwords
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.api.sign_ins import login
from tests.people import PASSWORD, Person
from webapp import create_app


def stored_password(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT password FROM auth.users")))


def store_password(engine: Engine, hashed: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth.users SET password = :hashed"), {"hashed": hashed})


def old_hash(password: str, prefix: bytes = b"2a") -> str:
    return bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(4, prefix)).decode()


def test_answers_with_a_token_pair(client: FlaskClient, owner: Person) -> None:
    answer = login(client, owner.username)

    assert answer.status_code == 200
    me = client.get("/auth/me", headers={"Authorization": f"Bearer {answer.json['access_token']}"})
    assert me.json["id"] == str(owner.id)


def test_whatever_is_wrong_the_answer_is_the_same(client: FlaskClient, owner: Person) -> None:
    for username, password in (
        (owner.username, "wrong password"),
        (owner.username, ""),
        (owner.username, "x" * 10_000),
        ("nobody", PASSWORD),
        (owner.email, PASSWORD),
        ("own\u0000er", PASSWORD),
        ("", PASSWORD),
    ):
        answer = login(client, username, password)

        assert answer.status_code == 401
        assert answer.json["message"] == "the user name or the password is wrong"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_name_may_be_written_in_any_case(client: FlaskClient, owner: Person) -> None:
    assert login(client, owner.username.upper()).status_code == 200


def test_of_two_adopted_names_that_differ_only_in_case_each_means_its_own_account(
    client: FlaskClient, owner: Person, stranger: Person, engine: Engine
) -> None:
    with engine.begin() as connection:
        twin = "UPDATE auth.users SET username = :name, name_key = NULL WHERE id = :id"
        connection.execute(text(twin), {"name": owner.username.title(), "id": stranger.id})

    for written, meant in ((owner.username, owner), (owner.username.title(), stranger), ("OWNER", owner)):
        tokens = login(client, written).json
        me = client.get("/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert me.json["id"] == str(meant.id)


def test_an_unknown_name_costs_as_much_as_a_known_one(
    client: FlaskClient, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    real = passwords.matches

    def counted(stored: str, password: str) -> bool:
        checked.append(stored.rpartition("$")[0].rpartition("$")[0])  # the algorithm and its parameters
        return real(stored, password)

    monkeypatch.setattr(passwords, "matches", counted)
    login(client, owner.username, "wrong password")
    login(client, "nobody", "wrong password")

    assert len(checked) == 2
    assert checked[0] == checked[1]


def test_both_fields_are_required_texts(client: FlaskClient) -> None:
    for body in ({}, {"username": "owner"}, {"username": "owner", "password": 7}, {"password": "x"}):
        answer = client.post("/auth/login", json=body)

        assert answer.status_code == 400
        assert answer.json["details"]


@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
def test_a_bcrypt_hash_is_accepted_and_replaced_by_argon2id(
    client: FlaskClient, owner: Person, engine: Engine, prefix: bytes
) -> None:
    store_password(engine, old_hash("an old password", prefix))

    assert login(client, owner.username, "another password").status_code == 401
    assert stored_password(engine).startswith("$2")
    assert login(client, owner.username, "an old password").status_code == 200
    assert stored_password(engine).startswith("$argon2id$")
    assert login(client, owner.username, "an old password").status_code == 200


def test_bcrypt_looks_at_72_bytes(client: FlaskClient, owner: Person, engine: Engine) -> None:
    store_password(engine, old_hash("ü" * 36 + "never looked at"))

    assert login(client, owner.username, "ü" * 35).status_code == 401
    assert login(client, owner.username, "ü" * 36 + "something else").status_code == 200


def test_several_who_sign_in_at_once_all_survive_the_rehash(app: Flask, owner: Person, engine: Engine) -> None:
    store_password(engine, old_hash("an old password"))

    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda _: login(app.test_client(), owner.username, "an old password").status_code, range(6))
        )

    assert answers == [200] * 6


def test_weaker_parameters_are_replaced(client: FlaskClient, owner: Person, engine: Engine) -> None:
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    store_password(engine, weak)

    assert login(client, owner.username).status_code == 200
    assert stored_password(engine) != weak
    assert not passwords.is_outdated(stored_password(engine))


def test_a_hash_nobody_can_read_matches_nothing(client: FlaskClient, owner: Person, engine: Engine) -> None:
    for unreadable in ("", "plain text", "$2a$10$short", "$argon2id$nonsense", "$1$md5$crypt"):
        store_password(engine, unreadable)

        assert login(client, owner.username, "plain text").status_code == 401


def test_signing_in_elsewhere_signs_nobody_out(client: FlaskClient, owner: Person) -> None:
    login(client, owner.username)

    answer = client.post("/auth/refresh-token", json={"refreshToken": owner.refresh_token})
    assert answer.status_code == 200


def test_a_stale_bearer_token_is_ignored(client: FlaskClient, owner: Person) -> None:
    answer = client.post(
        "/auth/login",
        json={"username": owner.username, "password": PASSWORD},
        headers={"Authorization": "Bearer stale"},
    )

    assert answer.status_code == 200


class TestTheLimit:
    @pytest.fixture
    def limited(self, settings: Settings) -> Iterator[Backends]:
        backends = Backends(settings.model_copy(update={"auth_rate_limit": "3/hour"}), "test")
        yield backends
        backends.close()

    def test_too_many_attempts_from_one_address_have_to_wait(self, limited: Backends) -> None:
        client = create_app(backends=limited).test_client()

        codes = [login(client, "nobody").status_code for _ in range(4)]
        answer = login(client, "nobody")

        assert codes == [401, 401, 401, 429]
        assert answer.status_code == answer.json["status"] == 429
        assert int(answer.headers["Retry-After"]) > 0

    def test_registering_counts_too_but_nothing_else(self, limited: Backends) -> None:
        client = create_app(backends=limited).test_client()

        for _ in range(5):
            assert client.get("/auth/me").status_code == 401
            assert client.post("/auth/refresh-token", json={"refreshToken": "x"}).status_code == 401
        codes = [client.post("/auth/register", json={}).status_code for _ in range(3)]

        assert codes == [400, 400, 400]
        assert login(client, "nobody").status_code == 429

    def test_all_web_processes_count_together(self, limited: Backends) -> None:
        clients = [create_app(backends=limited).test_client() for _ in range(4)]

        assert [login(client, "nobody").status_code for client in clients] == [401, 401, 401, 429]

    def test_another_address_is_not_concerned(self, limited: Backends) -> None:
        client = create_app(backends=limited).test_client()
        for _ in range(4):
            login(client, "nobody")

        elsewhere = client.post(
            "/auth/login", json={"username": "a", "password": "b"}, environ_base={"REMOTE_ADDR": "203.0.113.9"}
        )

        assert elsewhere.status_code == 401

    def test_it_is_counted_in_memory_while_redis_is_away(self, limited: Backends) -> None:
        nowhere = Backends(limited.settings.model_copy(update={"redis_url": "unix:///nowhere/valkey.sock"}), "test")
        client = create_app(backends=nowhere).test_client()

        codes = [login(client, "nobody").status_code for _ in range(4)]
        nowhere.close()

        assert codes == [401, 401, 401, 429]
