"""GET /auth/me, and whose word is taken for it: access tokens and nothing else."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from flowforge.wiring import Backends
from tests.people import Person


def me(client: FlaskClient, authorization: str | None = None, **headers: str) -> Any:
    if authorization is not None:
        headers["Authorization"] = authorization
    return client.get("/auth/me", headers=headers)


def claims(person: Person, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    given = {"sub": "anything", "user_id": str(person.id), "iat": now, "exp": now + 60, **changes}
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
def sign(backends: Backends) -> Any:
    def signed(payload: dict[str, Any], key: str | None = None, algorithm: str = "HS256") -> str:
        return "Bearer " + jwt.encode(payload, key or backends.keys.jwt, algorithm=algorithm)

    return signed


def test_tells_who_i_am(client: FlaskClient, owner: Person) -> None:
    answer = client.get("/auth/me", headers=owner.headers)

    assert answer.status_code == 200
    assert answer.json == {"id": str(owner.id), "username": owner.username, "email": owner.email}


def test_without_a_token_it_is_a_json_401_that_asks_for_one(client: FlaskClient) -> None:
    answer = me(client)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json["status"] == answer.json["statusCode"] == 401
    assert answer.json["error"] == "Unauthorized"
    assert answer.json["path"] == "/auth/me"


def test_what_is_no_access_token_is_refused(client: FlaskClient) -> None:
    for authorization in ("", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer a b", "Bearer " + "x" * 9000):
        assert me(client, authorization).status_code == 401


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=80))
def test_garbage_never_breaks_anything(client: FlaskClient, garbage: str) -> None:
    assert me(client, "Bearer " + garbage).status_code == 401
    assert me(client, garbage).status_code == 401


def test_the_scheme_may_be_written_in_any_case(client: FlaskClient, owner: Person) -> None:
    assert me(client, f"bearer {owner.access_token}").status_code == 200


class TestForeignTokens:
    """Signed with the same key by another implementation."""

    def test_count_when_they_name_a_user(self, client: FlaskClient, owner: Person, sign: Any) -> None:
        assert me(client, sign(claims(owner, sub="somebody"))).json["id"] == str(owner.id)

    def test_their_subject_is_never_read(self, client: FlaskClient, owner: Person, sign: Any) -> None:
        assert me(client, sign(claims(owner, sub=None))).status_code == 200
        assert me(client, sign(claims(owner, sub=7))).status_code == 200
        assert me(client, sign(claims(owner, sub=str(owner.id), user_id=None))).status_code == 401

    def test_a_refresh_token_is_no_access_token(self, client: FlaskClient, owner: Person, sign: Any) -> None:
        assert me(client, sign(claims(owner, type="refresh"))).status_code == 401
        assert me(client, sign(claims(owner, user_id=None))).status_code == 401

    def test_they_have_to_expire(self, client: FlaskClient, owner: Person, sign: Any) -> None:
        assert me(client, sign(claims(owner, exp=None))).status_code == 401

    def test_clocks_may_differ_by_30_seconds(self, client: FlaskClient, owner: Person, sign: Any) -> None:
        now = int(time.time())

        assert me(client, sign(claims(owner, exp=now - 20))).status_code == 200
        assert me(client, sign(claims(owner, exp=now - 40))).status_code == 401
        assert me(client, sign(claims(owner, iat=now + 20))).status_code == 200

    def test_the_user_id_is_a_uuid(self, client: FlaskClient, owner: Person, sign: Any) -> None:
        for user_id in ("", "me", 7, ["x"], {"a": 1}, True):
            assert me(client, sign(claims(owner, user_id=user_id))).status_code == 401

    def test_the_algorithm_is_pinned(self, client: FlaskClient, owner: Person, backends: Backends, sign: Any) -> None:
        long_key = backends.keys.jwt
        assert me(client, sign(claims(owner), long_key, "HS384")).status_code == 401
        assert me(client, sign(claims(owner), long_key, "HS512")).status_code == 401
        assert me(client, "Bearer " + jwt.encode(claims(owner), None, algorithm="none")).status_code == 401

    def test_another_key_signs_nothing(self, client: FlaskClient, owner: Person, sign: Any) -> None:
        assert me(client, sign(claims(owner), "another key of at least 32 bytes!")).status_code == 401


def test_a_token_of_nobody_is_refused(client: FlaskClient, owner: Person, sign: Any) -> None:
    assert me(client, sign(claims(owner, user_id=str(uuid4())))).status_code == 401


def test_nobody_says_who_they_are(client: FlaskClient, owner: Person, stranger: Person) -> None:
    assert me(client, **{"X-User-Id": str(owner.id)}).status_code == 401
    answer = me(client, f"Bearer {stranger.access_token}", **{"X-User-Id": str(owner.id)})
    assert answer.json["id"] == str(stranger.id)


def test_a_client_sent_user_id_never_gets_past_the_edge(app: Flask) -> None:
    from flask import request

    app.add_url_rule("/echo", view_func=lambda: {name.lower(): value for name, value in request.headers.items()})

    seen = app.test_client().get("/echo", headers={"X-User-Id": "7", "x-user-id": "8", "X-Other": "9"}).json

    assert "x-user-id" not in seen
    assert seen["x-other"] == "9"


def test_checking_a_token_asks_no_database(app: Flask, owner: Person, engine: Engine) -> None:
    from webapp.identity import current_user_id

    with engine.begin() as connection:
        connection.execute(text("DROP TABLE auth.users CASCADE"))
    with app.test_request_context(headers=owner.headers):
        assert current_user_id() == owner.id
