"""POST /auth/logout."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.sign_ins import refresh
from tests.people import PASSWORD, Person


def logout(client: FlaskClient, person: Person, token: str) -> Any:
    return client.post("/auth/logout", json={"refreshToken": token}, headers=person.headers)


def test_ends_the_device_and_answers_with_nothing(client: FlaskClient, owner: Person) -> None:
    answer = logout(client, owner, owner.refresh_token)

    assert (answer.status_code, answer.data) == (200, b"")
    assert refresh(client, owner.refresh_token).status_code == 401


def test_ends_the_whole_family(client: FlaskClient, owner: Person) -> None:
    newer = refresh(client, owner.refresh_token).json["refresh_token"]

    logout(client, owner, owner.refresh_token)

    assert refresh(client, newer).status_code == 401


def test_ends_the_access_tokens_of_the_device(client: FlaskClient, owner: Person) -> None:
    newer = refresh(client, owner.refresh_token).json
    logout(client, owner, newer["refresh_token"])

    for token in (owner.access_token, newer["access_token"]):
        assert client.get("/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_leaves_the_other_devices_signed_in(client: FlaskClient, owner: Person) -> None:
    phone = client.post("/auth/login", json={"username": owner.username, "password": PASSWORD}).json["refresh_token"]

    logout(client, owner, owner.refresh_token)

    assert refresh(client, phone).status_code == 200


def test_may_be_repeated_and_reveals_nothing(client: FlaskClient, owner: Person) -> None:
    codes = [logout(client, owner, token).status_code for token in (owner.refresh_token, owner.refresh_token, "x")]

    assert codes == [200, 200, 200]


def test_nobody_can_sign_somebody_else_out(client: FlaskClient, owner: Person, stranger: Person) -> None:
    assert logout(client, stranger, owner.refresh_token).status_code == 200
    assert refresh(client, owner.refresh_token).status_code == 200


def test_needs_an_access_token(client: FlaskClient, owner: Person) -> None:
    assert client.post("/auth/logout", json={"refreshToken": owner.refresh_token}).status_code == 401
    assert refresh(client, owner.refresh_token).status_code == 200


@pytest.mark.parametrize("body", [{}, {"refreshToken": 7}])
def test_the_refresh_token_is_required(client: FlaskClient, owner: Person, body: dict[str, Any]) -> None:
    answer = client.post("/auth/logout", json=body, headers=owner.headers)

    assert answer.status_code == 400
    assert answer.json["details"][0]["pointer"] == "/refreshToken"
