"""What proves an identity ends with the password it was had by, or when its owner says so: in every process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_jwt_extended import create_access_token
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from flowforge.accounts import accounts, credentials
from flowforge.db import credential_epochs
from flowforge.wiring import Backends
from tests.api.test_account import PROFILE, SESSIONS, TOKENS, bearer
from tests.people import PASSWORD, Person
from tests.waiting import eventually
from webapp import create_app

CHANGE = {"currentPassword": PASSWORD, "newPassword": "a new long password"}


@pytest.fixture
def personal(client: FlaskClient, owner: Person) -> dict[str, str]:
    """The headers of a personal access token."""
    wanted = {"name": "Script", "scopes": ["read", "admin"]}
    return bearer(client.post(TOKENS, json=wanted, headers=owner.headers).json["token"])


@pytest.fixture
def elsewhere(backends: Backends) -> Iterator[FlaskClient]:
    """A client of another web process on the same servers."""
    others = Backends(backends.settings, "test-elsewhere")
    yield create_app(backends=others).test_client(use_cookies=False)
    others.close()


def status(client: FlaskClient, headers: dict[str, str]) -> int:
    return client.get("/api/v1/workflows", headers=headers).status_code


def test_a_new_password_ends_every_token(client: FlaskClient, owner: Person, personal: dict[str, str]) -> None:
    assert status(client, owner.headers) == status(client, personal) == 200
    assert client.post(f"{PROFILE}/password", json=CHANGE, headers=owner.headers).status_code == 204
    assert status(client, owner.headers) == status(client, personal) == 401
    assert client.post(TOKENS, json={"name": "Persist"}, headers=owner.headers).status_code == 401


def test_signing_out_everywhere_ends_every_token(client: FlaskClient, owner: Person, personal: dict[str, str]) -> None:
    assert client.delete(SESSIONS, headers=owner.headers).status_code == 204
    assert status(client, owner.headers) == status(client, personal) == 401
    refused = client.post("/auth/refresh-token", json={"refreshToken": owner.refresh_token})
    assert refused.status_code == 401


def test_personal_tokens_stay_where_their_owner_says_so(
    client: FlaskClient, owner: Person, personal: dict[str, str]
) -> None:
    kept = client.post(f"{PROFILE}/password", json=CHANGE | {"keepTokens": True}, headers=owner.headers)
    assert (kept.status_code, status(client, personal), status(client, owner.headers)) == (204, 200, 401)
    assert client.delete(f"{SESSIONS}?keepTokens=true", headers=personal).status_code == 204
    assert status(client, personal) == 200


def test_whoever_signs_in_again_goes_on_and_others_are_not_concerned(
    client: FlaskClient, owner: Person, stranger: Person
) -> None:
    client.delete(SESSIONS, headers=owner.headers)
    login = client.post("/auth/login", json={"username": owner.username, "password": PASSWORD}).json
    assert status(client, bearer(login["access_token"])) == 200
    refreshed = client.post("/auth/refresh-token", json={"refreshToken": login["refresh_token"]}).json
    assert status(client, bearer(refreshed["access_token"])) == 200
    assert status(client, stranger.headers) == 200


class TestOneSession:
    """A client that is signed out, here or elsewhere, while others of its account stay."""

    @pytest.fixture
    def phone(self, client: FlaskClient, owner: Person) -> dict[str, Any]:
        signed_in: dict[str, Any] = client.post(
            "/auth/login", json={"username": owner.username, "password": PASSWORD}
        ).json
        return signed_in

    def test_ends_with_all_its_access_tokens(
        self, client: FlaskClient, owner: Person, phone: dict[str, Any], personal: dict[str, str]
    ) -> None:
        newer = client.post("/auth/refresh-token", json={"refreshToken": phone["refresh_token"]}).json
        latest, *_ = client.get(SESSIONS, headers=owner.headers).json
        assert client.delete(f"{SESSIONS}/{latest['id']}", headers=owner.headers).status_code == 204

        assert status(client, bearer(phone["access_token"])) == status(client, bearer(newer["access_token"])) == 401
        assert status(client, owner.headers) == status(client, personal) == 200

    def test_ends_in_every_process(
        self, client: FlaskClient, elsewhere: FlaskClient, owner: Person, phone: dict[str, Any]
    ) -> None:
        assert status(elsewhere, bearer(phone["access_token"])) == 200
        client.post("/auth/logout", json={"refreshToken": phone["refresh_token"]}, headers=owner.headers)
        eventually(lambda: status(elsewhere, bearer(phone["access_token"])) == 401, seconds=5)

    def test_ends_where_its_refresh_token_was_copied(
        self, client: FlaskClient, phone: dict[str, Any], engine: Engine
    ) -> None:
        used = {"refreshToken": phone["refresh_token"]}
        thief = client.post("/auth/refresh-token", json=used).json
        with engine.begin() as connection:
            connection.execute(text("UPDATE auth.refresh_tokens SET used_at = used_at - interval '1 hour'"))
        assert client.post("/auth/refresh-token", json=used).status_code == 401
        assert status(client, bearer(thief["access_token"])) == 401

    def test_is_remembered_as_long_as_a_token_of_it_could_count(
        self, client: FlaskClient, owner: Person, phone: dict[str, Any], engine: Engine, backends: Backends
    ) -> None:
        client.post("/auth/logout", json={"refreshToken": phone["refresh_token"]}, headers=owner.headers)
        valid = backends.credential_epochs.current
        assert len(valid(owner.id).ended) == 1
        with engine.begin() as connection:
            connection.execute(text("UPDATE auth.refresh_tokens SET revoked_at = revoked_at - interval '16 minutes'"))
        backends.credential_epochs.forget(owner.id)
        assert len(valid(owner.id).ended) == 1
        with engine.begin() as connection:
            connection.execute(text("UPDATE auth.refresh_tokens SET revoked_at = revoked_at - interval '2 minutes'"))
        backends.credential_epochs.forget(owner.id)
        assert valid(owner.id).ended == frozenset()


def test_this_process_knows_before_the_commit_returns(client: FlaskClient, owner: Person, backends: Backends) -> None:
    assert status(client, owner.headers) == 200
    with Session(backends.engine) as session:
        credentials.end_all(session, owner.id)
        assert status(client, owner.headers) == 200
        session.commit()
    assert status(client, owner.headers) == 401


def test_another_process_hears_of_it(client: FlaskClient, elsewhere: FlaskClient, owner: Person) -> None:
    assert status(elsewhere, owner.headers) == 200
    client.delete(SESSIONS, headers=owner.headers)
    eventually(lambda: status(elsewhere, owner.headers) == 401, seconds=5)


def test_a_process_that_is_told_asks_at_once(
    elsewhere: FlaskClient, owner: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However seldom it looks by itself."""
    monkeypatch.setattr(credential_epochs, "_SETTLED_SECONDS", 0)
    monkeypatch.setattr(credential_epochs, "STALE_SECONDS", 1000)
    monkeypatch.setattr(credential_epochs, "_CHECK_SECONDS", 1000)
    assert [status(elsewhere, owner.headers) for _ in range(2)] == [200, 200]
    eventually(lambda: _listeners(engine) == 1)
    with Session(engine) as session:
        credentials.end_all(session, owner.id)
        session.commit()
    eventually(lambda: status(elsewhere, owner.headers) == 401, seconds=5)


def test_a_process_that_is_not_told_finds_out_itself(
    elsewhere: FlaskClient, owner: Person, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_epochs, "_SETTLED_SECONDS", 0)
    monkeypatch.setattr(credential_epochs, "_CHECK_SECONDS", 0.1)
    assert [status(elsewhere, owner.headers) for _ in range(2)] == [200, 200]
    with engine.begin() as connection:
        connection.execute(text("UPDATE auth.users SET credentials_epoch = credentials_epoch + 1"))
    eventually(lambda: status(elsewhere, owner.headers) == 401, seconds=credential_epochs.STALE_SECONDS)


def test_checking_the_epoch_costs_a_request_no_statement(
    client: FlaskClient, owner: Person, backends: Backends
) -> None:
    statements: list[str] = []
    here = threading.current_thread()  # another one may look for changes meanwhile

    def note(*sent: Any) -> None:
        if threading.current_thread() is here:
            statements.append(sent[2])

    event.listen(backends.engine, "before_cursor_execute", note)
    try:
        for _ in range(20):
            assert client.get("/api/v1/executor/plugins", headers=owner.headers).status_code == 200
    finally:
        event.remove(backends.engine, "before_cursor_execute", note)
    assert [sent for sent in statements if "credentials_epoch" in sent] == []


def test_a_deleted_accounts_token_counts_no_more(client: FlaskClient, owner: Person, engine: Engine) -> None:
    with Session(engine) as session:
        credentials.end_all(session, owner.id)
        session.execute(text("DELETE FROM auth.users WHERE id = :id"), {"id": owner.id})
        session.commit()
    eventually(lambda: status(client, owner.headers) == 401, seconds=credential_epochs.STALE_SECONDS + 1)


@pytest.mark.parametrize(("epoch", "expected"), [({}, 200), ({"epoch": 1}, 401), ({"epoch": "0"}, 401)])
def test_a_token_of_before_or_of_another_signer_belongs_to_the_first_epoch(
    client: FlaskClient, owner: Person, epoch: dict[str, object], expected: int
) -> None:
    with client.application.app_context():
        token = create_access_token(identity=str(owner.id), additional_claims=epoch)
    assert status(client, bearer(token)) == expected


def test_a_sign_in_that_meets_a_change_of_password_is_before_it_or_refused(engine: Engine, owner: Person) -> None:
    """The account that a sign-in gives names the epoch in which its password was proven."""
    with Session(engine) as session, Session(engine) as other:
        user, _ = accounts.sign_in(session, owner.username, PASSWORD, timedelta(days=1))
        accounts.change_password(other, owner.id, PASSWORD, "a new long password")
        assert user.credentials_epoch == 0


def _listeners(engine: Engine) -> int:
    """Connections of the other process that wait to be told."""
    listening = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'test-elsewhere' AND query LIKE '%_epoch%'"
    )
    with engine.connect() as connection:
        return int(connection.scalar(text(listening)))
