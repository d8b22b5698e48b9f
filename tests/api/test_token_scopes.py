"""What a personal access token allows, how long it lives, and what making one takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_jwt_extended import create_access_token
from sqlalchemy import Engine, text

from flowforge.accounts.guesses import FREE
from flowforge.accounts.scopes import ALL, Scope
from flowforge.wiring import Backends
from tests.api.described import OPERATIONS
from tests.api.test_account import PROFILE, TOKENS, bearer
from tests.api.things import WORKFLOWS, workflow
from tests.people import PASSWORD, Person, turn_second_factor_on
from tests.statements import counting_statements

Minted = Callable[..., dict[str, str]]


@pytest.fixture
def minted(client: FlaskClient, owner: Person) -> Minted:
    """Headers of a token with these scopes."""

    def mint(*scopes: str) -> dict[str, str]:
        answer = client.post(TOKENS, json={"name": "Script", "scopes": scopes}, headers=owner.headers)
        assert answer.status_code == 201, answer.text
        return bearer(answer.json["token"])

    return mint


@pytest.fixture
def long_signed_in(app: Flask, owner: Person) -> dict[str, str]:
    """Headers of an owner who gave the password more than a minute ago."""
    with app.app_context():
        then = int((datetime.now(UTC) - timedelta(seconds=61)).timestamp())
        return bearer(create_access_token(identity=str(owner.id), additional_claims={"epoch": 0, "auth_time": then}))


def operations(document: dict[str, Any], scope: str) -> list[tuple[str, str]]:
    """Methods and paths that ask for this scope, as the description says."""
    return [
        (method.upper(), re.sub(r"\{\w+\}", "00000000-0000-0000-0000-000000000000", path.replace("{number}", "1")))
        for path, methods in document["paths"].items()
        for method, described in methods.items()
        if described["security"] == [{"bearer": [scope]}]
    ]


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_opens_what_is_declared_for_its_scopes_and_nothing_else(
    client: FlaskClient, minted: Minted, scope: Scope
) -> None:
    """All operations are asked, with a token that lacks the one scope they need."""
    headers = minted(*(ALL - {scope}))
    asked = operations(client.get("/api/openapi.json").json, scope)
    assert asked
    for method, path in asked:
        answer = client.open(path, method=method, headers=headers)
        assert (answer.status_code, method, path) == (403, method, path)
        assert f"`{scope}`" in answer.json["message"]


def test_what_reads_needs_read_and_what_changes_something_more(
    client: FlaskClient, owner: Person, minted: Minted
) -> None:
    made = workflow(client, owner)["id"]
    reading, running, writing = minted("read"), minted("run"), minted("write")
    assert client.get(f"{WORKFLOWS}/{made}", headers=reading).status_code == 200
    assert client.post(f"{WORKFLOWS}/{made}/run", json={}, headers=reading).status_code == 403
    assert client.post(f"{WORKFLOWS}/{made}/run", json={}, headers=running).status_code in (200, 202)
    assert client.delete(f"{WORKFLOWS}/{made}", headers=running).status_code == 403
    assert client.delete(f"{WORKFLOWS}/{made}", headers=writing).status_code == 204


def test_every_operation_that_changes_something_asks_for_more_than_reading(app: Flask) -> None:
    harmless = {"trials.preview", "tables.find_rows"}
    changing = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint in OPERATIONS and not OPERATIONS[rule.endpoint].public
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}
        if OPERATIONS[rule.endpoint].scope_for(method) is Scope.READ
    }
    assert changing == harmless


def test_a_sign_in_allows_everything(client: FlaskClient, owner: Person) -> None:
    document = client.get("/api/openapi.json").json
    for scope in Scope:
        for method, path in operations(document, scope):
            if "sessions" not in path:
                answer = client.open(path, method=method, headers=owner.headers)
                assert (answer.status_code, "scope" in answer.text) != (403, True), (method, path)


def test_it_ends_after_90_days_and_does_not_manage_the_account_unless_that_is_asked(
    client: FlaskClient, owner: Person
) -> None:
    made = client.post(TOKENS, json={"name": "Script"}, headers=owner.headers).json
    assert made["scopes"] == ["read", "run", "write"]
    life = datetime.fromisoformat(made["expiresAt"]) - datetime.fromisoformat(made["createdAt"])
    assert timedelta(days=89) < life < timedelta(days=91)


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"days": None}, "/days"),
        ({"days": 3651}, "/days"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["all"]}, "/scopes/0"),
    ],
)
def test_it_has_an_end_and_scopes_that_exist(
    client: FlaskClient, owner: Person, wanted: dict[str, Any], pointer: str
) -> None:
    answer = client.post(TOKENS, json={"name": "Script"} | wanted, headers=owner.headers)
    assert (answer.status_code, answer.json["details"][0]["pointer"]) == (400, pointer)


def test_the_password_is_asked_for_again(client: FlaskClient, long_signed_in: dict[str, str]) -> None:
    for password in ({}, {"password": "wrong"}):
        refused = client.post(TOKENS, json={"name": "Script"} | password, headers=long_signed_in)
        assert (refused.status_code, refused.json["details"][0]["pointer"]) == (400, "/password")
    made = client.post(TOKENS, json={"name": "Script", "password": PASSWORD}, headers=long_signed_in)
    assert made.status_code == 201


def test_another_email_takes_the_password_too(
    client: FlaskClient, minted: Minted, long_signed_in: dict[str, str]
) -> None:
    """Passwords can be reset by mail."""
    change = {"email": "elsewhere@example.test"}
    assert client.put(PROFILE, json=change, headers=minted("admin")).status_code == 403
    refused = client.put(PROFILE, json=change, headers=long_signed_in)
    assert (refused.status_code, refused.json["details"][0]["pointer"]) == (400, "/password")
    assert client.put(PROFILE, json={"timeZone": "UTC"}, headers=long_signed_in).status_code == 200
    changed = client.put(PROFILE, json=change | {"password": PASSWORD}, headers=long_signed_in)
    assert changed.json["email"] == "elsewhere@example.test"


def test_nobody_becomes_an_administrator_by_a_token_or_without_the_password(
    client: FlaskClient, minted: Minted, long_signed_in: dict[str, str], owner: Person, stranger: Person
) -> None:
    role, invitations = f"/api/v1/admin/accounts/{stranger.id}/role", "/api/v1/admin/invitations"
    wanted, leaked = {"role": "admin"}, minted("read", "run", "write", "admin")
    for method, path in (("PUT", role), ("POST", invitations)):
        assert client.open(path, method=method, json=wanted, headers=leaked).status_code == 403
        refused = client.open(path, method=method, json=wanted, headers=long_signed_in)
        assert (refused.status_code, refused.json["details"][0]["pointer"]) == (400, "/password")
        confirmed = client.open(path, method=method, json=wanted | {"password": PASSWORD}, headers=long_signed_in)
        assert confirmed.status_code in {200, 201}

    reset = f"/api/v1/admin/accounts/{stranger.id}/password-reset"
    assert client.post(reset, headers=leaked).status_code == 403
    assert client.post(reset, headers=long_signed_in).status_code == 201
    assert client.put(role, json={"role": "member"}, headers=leaked).status_code == 200
    assert client.post(reset, headers=leaked).status_code == 201
    assert client.post(invitations, json={"role": "member"}, headers=leaked).status_code == 201


def test_nobody_removes_a_second_factor_by_a_token_or_without_the_password(
    client: FlaskClient, minted: Minted, long_signed_in: dict[str, str], stranger: Person, backends: Backends
) -> None:
    turn_second_factor_on(backends, stranger)
    removal = f"/api/v1/admin/accounts/{stranger.id}/second-factor/remove"
    assert client.post(removal, json={"password": PASSWORD}, headers=minted("admin")).status_code == 403
    for password in ({}, {"password": "wrong"}):
        refused = client.post(removal, json=password, headers=long_signed_in)
        assert (refused.status_code, refused.json["details"][0]["pointer"]) == (400, "/password")
    assert client.post(removal, json={"password": PASSWORD}, headers=long_signed_in).json == {"mailProblem": None}


def test_a_refreshed_token_has_not_given_the_password(client: FlaskClient, owner: Person) -> None:
    refreshed = client.post("/auth/refresh-token", json={"refreshToken": owner.refresh_token}).json["access_token"]
    assert client.post(TOKENS, json={"name": "Script"}, headers=bearer(refreshed)).status_code == 400


def test_guessing_the_password_here_is_no_quicker(client: FlaskClient, long_signed_in: dict[str, str]) -> None:
    wrong = {"name": "Script", "password": "wrong"}
    codes = [client.post(TOKENS, json=wrong, headers=long_signed_in).status_code for _ in range(FREE + 2)]
    assert codes == [400] * (FREE + 1) + [429]


def test_its_use_is_noted_without_a_statement_for_each(client: FlaskClient, minted: Minted, backends: Backends) -> None:
    headers = minted("read")
    with counting_statements(backends.engine) as statements:
        for _ in range(10):
            assert client.get(WORKFLOWS, headers=headers).status_code == 200
    assert len([sent for sent in statements if sent.startswith("UPDATE")]) == 1


def test_tokens_of_before_still_do_everything(
    client: FlaskClient, owner: Person, minted: Minted, engine: Engine
) -> None:
    headers = minted("read")
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth.access_tokens SET scopes = DEFAULT, expires_at = NULL"))
    assert client.post(WORKFLOWS, json={"name": "Made", "actions": []}, headers=headers).status_code == 201
