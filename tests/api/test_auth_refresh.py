"""POST /auth/refresh-token."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from flowforge.accounts import sign_ins
from tests.api.sign_ins import refresh
from tests.people import PASSWORD, Person


def age(engine: Engine, by: timedelta) -> None:
    """As if everything so far had happened earlier."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE auth.refresh_tokens SET created_at = created_at - :by, used_at = used_at - :by,"
                " expires_at = expires_at - :by"
            ),
            {"by": by},
        )


BEYOND_GRACE = sign_ins.GRACE + timedelta(seconds=1)


def test_gives_two_new_tokens(client: FlaskClient, owner: Person) -> None:
    answer = refresh(client, owner.refresh_token)

    assert answer.status_code == 200
    assert answer.json["refresh_token"] != owner.refresh_token
    assert answer.json["access_token"] != owner.access_token
    me = client.get("/auth/me", headers={"Authorization": f"Bearer {answer.json['access_token']}"})
    assert me.json["id"] == str(owner.id)


def test_the_chain_goes_on(client: FlaskClient, owner: Person, engine: Engine) -> None:
    token = owner.refresh_token
    for _ in range(4):
        token = refresh(client, token).json["refresh_token"]
        age(engine, BEYOND_GRACE)

    assert refresh(client, token).status_code == 200


def test_the_field_may_be_named_as_in_the_answer(client: FlaskClient, owner: Person) -> None:
    assert client.post("/auth/refresh-token", json={"refresh_token": owner.refresh_token}).status_code == 200


def test_the_token_is_required(client: FlaskClient) -> None:
    for body in ({}, {"refreshToken": None}, {"refreshToken": 7}, {"refreshToken": ""}):
        answer = client.post("/auth/refresh-token", json=body)

        assert answer.status_code == 400
        assert answer.json["details"][0]["pointer"] == "/refreshToken"


def test_an_unknown_token_is_refused(client: FlaskClient, owner: Person) -> None:
    for token in ("unknown", "a\u0000b", "x" * 5_000, "🔑"):
        assert refresh(client, token).status_code == 401


def test_an_access_token_is_no_refresh_token(client: FlaskClient, owner: Person) -> None:
    assert refresh(client, owner.access_token).status_code == 401


def test_an_expired_token_is_refused(client: FlaskClient, owner: Person, engine: Engine) -> None:
    age(engine, timedelta(days=8))

    assert refresh(client, owner.refresh_token).status_code == 401


def test_a_reused_token_ends_its_family(client: FlaskClient, owner: Person, engine: Engine) -> None:
    newer = refresh(client, owner.refresh_token).json["refresh_token"]
    newest = refresh(client, newer).json["refresh_token"]
    age(engine, BEYOND_GRACE)

    assert refresh(client, owner.refresh_token).status_code == 401
    assert refresh(client, newest).status_code == 401
    assert refresh(client, newer).status_code == 401


def test_the_end_of_one_family_leaves_the_other_devices_alone(
    client: FlaskClient, owner: Person, engine: Engine
) -> None:
    phone = client.post("/auth/login", json={"username": owner.username, "password": PASSWORD}).json["refresh_token"]
    refresh(client, owner.refresh_token)
    age(engine, BEYOND_GRACE)
    refresh(client, owner.refresh_token)

    assert refresh(client, phone).status_code == 200


def test_a_repeated_request_in_flight_is_no_theft(client: FlaskClient, owner: Person) -> None:
    first = refresh(client, owner.refresh_token)
    second = refresh(client, owner.refresh_token)

    assert first.status_code == second.status_code == 200
    assert first.json["refresh_token"] != second.json["refresh_token"]
    assert refresh(client, first.json["refresh_token"]).status_code == 200
    assert refresh(client, second.json["refresh_token"]).status_code == 200


def test_both_lines_of_a_repeated_request_end_together(client: FlaskClient, owner: Person, engine: Engine) -> None:
    left = refresh(client, owner.refresh_token).json["refresh_token"]
    right = refresh(client, owner.refresh_token).json["refresh_token"]
    refresh(client, left)
    age(engine, BEYOND_GRACE)

    assert refresh(client, left).status_code == 401
    assert refresh(client, right).status_code == 401


def test_a_reuse_that_races_with_the_rightful_use_ends_both(app: Flask, owner: Person, engine: Engine) -> None:
    """Whatever the order, nobody is left with a working token."""
    current = refresh(app.test_client(), owner.refresh_token).json["refresh_token"]
    age(engine, BEYOND_GRACE)

    with ThreadPoolExecutor(4) as pool:
        tokens = [owner.refresh_token, current, owner.refresh_token, current]
        answers = list(pool.map(lambda token: refresh(app.test_client(), token), tokens))

    issued = [answer.json["refresh_token"] for answer in answers if answer.status_code == 200]
    assert [refresh(app.test_client(), token).status_code for token in issued] == [401] * len(issued)


def test_the_token_of_a_deleted_account_is_refused(client: FlaskClient, owner: Person, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM auth.users"))

    assert refresh(client, owner.refresh_token).status_code == 401


def test_a_stale_bearer_token_is_ignored(client: FlaskClient, owner: Person) -> None:
    answer = client.post(
        "/auth/refresh-token",
        json={"refreshToken": owner.refresh_token},
        headers={"Authorization": "Bearer stale"},
    )

    assert answer.status_code == 200


class TestTheClearTokenOfAnOriginal:
    @pytest.fixture
    def adopted(self, owner: Person, engine: Engine) -> str:
        self.store(engine, "5f1c8e0a-0c7e-4b53-9c55-2f0e6f6f1b01", "1 day")
        return "5f1c8e0a-0c7e-4b53-9c55-2f0e6f6f1b01"

    @staticmethod
    def store(engine: Engine, token: str, valid_for: str) -> None:
        with engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE auth.users SET refresh_token = :token,"
                    " refresh_token_expiry_date = now() + CAST(:valid_for AS interval)"
                ),
                {"token": token, "valid_for": valid_for},
            )

    @staticmethod
    def stored(engine: Engine) -> tuple[Any, Any]:
        with engine.connect() as connection:
            row = connection.execute(text("SELECT refresh_token, refresh_token_expiry_date FROM auth.users")).one()
        return row[0], row[1]

    def test_is_accepted_once(self, client: FlaskClient, adopted: str, engine: Engine) -> None:
        first = refresh(client, adopted)

        assert first.status_code == 200
        assert refresh(client, adopted).status_code == 401
        assert self.stored(engine) == (None, None)
        assert refresh(client, first.json["refresh_token"]).status_code == 200

    def test_is_refused_when_it_has_expired_and_forgotten(
        self, client: FlaskClient, adopted: str, engine: Engine
    ) -> None:
        self.store(engine, adopted, "-1 second")

        assert refresh(client, adopted).status_code == 401
        assert self.stored(engine) == (None, None)

    def test_is_accepted_by_one_of_many_at_once(self, app: Flask, adopted: str) -> None:
        with ThreadPoolExecutor(5) as pool:
            codes = sorted(pool.map(lambda _: refresh(app.test_client(), adopted).status_code, range(5)))

        assert codes == [200, 401, 401, 401, 401]

    def test_ends_with_its_logout(self, client: FlaskClient, owner: Person, adopted: str) -> None:
        client.post("/auth/logout", json={"refreshToken": adopted}, headers=owner.headers)

        assert refresh(client, adopted).status_code == 401
