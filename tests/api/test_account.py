"""/api/v1/profile, /tokens, /sessions: what people hold and may take back."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from tests.people import PASSWORD, Person

TOKENS, SESSIONS, PROFILE = "/api/v1/tokens", "/api/v1/sessions", "/api/v1/profile"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def token(client: FlaskClient, owner: Person) -> dict[str, str]:
    answer = client.post(TOKENS, json={"name": "Deploy script", "days": 30}, headers=owner.headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def test_a_personal_token_is_a_bearer_token(client: FlaskClient, owner: Person, token: dict[str, str]) -> None:
    headers = bearer(token["token"])
    assert client.get("/auth/me", headers=headers).json["id"] == str(owner.id)
    made = client.post("/api/v1/workflows", json={"name": "By script", "actions": []}, headers=headers)
    assert made.status_code == 201
    [listed] = client.get(TOKENS, headers=owner.headers).json
    assert listed["lastUsedAt"]
    assert token["token"].startswith(listed["start"])
    assert "token" not in listed


def test_only_its_hash_is_stored(engine: Engine, token: dict[str, str]) -> None:
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT to_jsonb(t)::text FROM auth.access_tokens t")).scalar_one()
    assert token["token"] not in stored


def test_a_revoked_an_expired_and_an_invented_token_open_nothing(
    client: FlaskClient, owner: Person, stranger: Person, engine: Engine, token: dict[str, str]
) -> None:
    path = f"{TOKENS}/{token['id']}"
    assert client.delete(path, headers=stranger.headers).status_code == 404
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth.access_tokens SET expires_at = now()"))
    assert client.get("/auth/me", headers=bearer(token["token"])).status_code == 401
    assert client.delete(path, headers=owner.headers).status_code == 204
    assert client.delete(path, headers=owner.headers).status_code == 404
    for dead in (token["token"], "ffp_", "ffp_\x7f"):
        assert client.get("/auth/me", headers=bearer(dead)).status_code == 401


def test_a_personal_token_makes_no_other_and_changes_no_password(client: FlaskClient, token: dict[str, str]) -> None:
    headers = bearer(token["token"])
    assert client.post(TOKENS, json={"name": "Another"}, headers=headers).status_code == 403
    change = {"currentPassword": PASSWORD, "newPassword": "a new long password"}
    assert client.post(f"{PROFILE}/password", json=change, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x", "days": 0}, "/days"),
        ({"name": "x", "days": "9"}, "/days"),
    ],
    ids=["no name", "blank", "no life", "text"],
)
def test_problems_name_the_field(client: FlaskClient, owner: Person, wanted: dict[str, object], pointer: str) -> None:
    answer = client.post(TOKENS, json=wanted, headers=owner.headers)
    assert (answer.status_code, answer.json["details"][0]["pointer"]) == (400, pointer)


def test_a_client_is_listed_and_signed_out(client: FlaskClient, owner: Person, stranger: Person) -> None:
    [session] = client.get(SESSIONS, headers=owner.headers).json
    assert session["kind"] == "client"
    path = f"{SESSIONS}/{session['id']}"
    assert client.delete(path, headers=stranger.headers).status_code == 404
    assert client.delete(path, headers=owner.headers).status_code == 204
    assert client.get(SESSIONS, headers=owner.headers).status_code == 401
    again = client.post("/auth/login", json={"username": owner.username, "password": PASSWORD}).json
    [other] = client.get(SESSIONS, headers=bearer(again["access_token"])).json
    assert other["id"] != session["id"]
    refused = client.post("/auth/refresh-token", json={"refreshToken": owner.refresh_token})
    assert refused.status_code == 401


def test_the_profile_is_changed_field_by_field(client: FlaskClient, owner: Person, stranger: Person) -> None:
    changed = client.put(PROFILE, json={"timeZone": "Europe/Berlin"}, headers=owner.headers).json
    assert (changed["timeZone"], changed["email"]) == ("Europe/Berlin", owner.email)
    assert client.put(PROFILE, json={"timeZone": ""}, headers=owner.headers).json["timeZone"] == "UTC"
    assert client.put(PROFILE, json={"language": "de"}, headers=owner.headers).json["language"] == "de"
    assert client.put(PROFILE, json={"language": ""}, headers=owner.headers).json["language"] == ""
    for wrong, pointer in (
        ({"timeZone": "Moon/Base"}, "/timeZone"),
        ({"language": "tlh"}, "/language"),
        ({"email": "nowhere"}, "/email"),
        ({"email": stranger.email}, "/email"),
    ):
        answer = client.put(PROFILE, json=wrong, headers=owner.headers)
        assert (answer.status_code, answer.json["details"][0]["pointer"]) == (400, pointer)


def test_a_new_password_signs_everything_out(client: FlaskClient, owner: Person) -> None:
    change = {"currentPassword": PASSWORD, "newPassword": "a new long password"}
    wrong = client.post(f"{PROFILE}/password", json=change | {"currentPassword": "x"}, headers=owner.headers)
    assert wrong.json["details"][0]["pointer"] == "/currentPassword"
    assert client.post(f"{PROFILE}/password", json=change, headers=owner.headers).status_code == 204
    assert client.get(SESSIONS, headers=owner.headers).status_code == 401
    refused = client.post("/auth/refresh-token", json={"refreshToken": owner.refresh_token})
    assert refused.status_code == 401
