"""/api/v1/admin: who may, what it shows, and what becomes of an account."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from flowforge.wiring import Backends
from tests.api.test_quotas import count
from tests.api.things import WORKFLOWS, accepted_events, trigger, workflow
from tests.people import PASSWORD, Person, registered, turn_second_factor_on

ADMIN = "/api/v1/admin"


@pytest.fixture
def admin(client: FlaskClient, owner: Person) -> Person:
    """An administrator who does not own the instance."""
    person = registered(client, "admin")
    answer = client.put(f"{ADMIN}/accounts/{person.id}/role", json={"role": "admin"}, headers=owner.headers)
    assert (answer.status_code, answer.json["role"]) == (200, "admin")
    return person


def do(client: FlaskClient, actor: Person, person: Person, what: str) -> Any:
    return client.post(f"{ADMIN}/accounts/{person.id}/{what}", headers=actor.headers)


def sign_in(client: FlaskClient, person: Person) -> Any:
    return client.post("/auth/login", json={"username": person.username, "password": PASSWORD})


class TestWhoMay:
    @pytest.mark.parametrize("path", ["/accounts", "/invitations"])
    def test_nobody_but_administrators(self, client: FlaskClient, owner: Person, stranger: Person, path: str) -> None:
        refused = client.get(ADMIN + path, headers=stranger.headers)

        assert client.get(ADMIN + path).status_code == 401
        assert (refused.status_code, refused.json["message"]) == (403, "only administrators of this server may do this")
        assert client.get(ADMIN + path, headers=owner.headers).status_code == 200

    @pytest.mark.parametrize("what", ["disable", "enable", "password-reset"])
    def test_an_administrator_manages_members_only(
        self, client: FlaskClient, owner: Person, admin: Person, stranger: Person, what: str
    ) -> None:
        other = registered(client, "other")
        client.put(f"{ADMIN}/accounts/{other.id}/role", json={"role": "admin"}, headers=owner.headers)

        assert do(client, admin, stranger, what).status_code in {200, 201}
        for above in (owner, other, admin):
            assert do(client, admin, above, what).status_code == 403

    def test_only_the_owner_makes_administrators(self, client: FlaskClient, admin: Person, stranger: Person) -> None:
        for role in ("admin", "member"):
            path = f"{ADMIN}/accounts/{stranger.id}/role"
            assert client.put(path, json={"role": role}, headers=admin.headers).status_code == 403

    def test_nobody_is_above_the_owner(self, client: FlaskClient, owner: Person) -> None:
        answer = do(client, owner, owner, "disable")

        assert answer.status_code == 403
        assert (
            answer.json["message"]
            == "owner owns this server, and cannot be disabled; make somebody else the owner first"
        )
        path = f"{ADMIN}/accounts/{owner.id}/role"
        assert client.put(path, json={"role": "member"}, headers=owner.headers).status_code == 403


class TestDisabling:
    @pytest.fixture
    def address(self, client: FlaskClient, stranger: Person) -> str:
        return f"/webhook/{trigger(client, stranger, workflow(client, stranger)['id'])['webhookToken']}"

    @pytest.fixture
    def disabled(self, client: FlaskClient, owner: Person, stranger: Person, address: str) -> None:
        assert do(client, owner, stranger, "disable").json["disabledAt"] is not None

    @pytest.mark.usefixtures("disabled")
    def test_ends_signing_in_and_says_so_to_whoever_knows_the_password(
        self, client: FlaskClient, stranger: Person
    ) -> None:
        answer = sign_in(client, stranger)

        assert answer.status_code == 403
        assert answer.json["message"] == "this account is disabled; an administrator of this server can enable it"
        wrong = client.post("/auth/login", json={"username": stranger.username, "password": "a wrong one"})
        assert (wrong.status_code, wrong.json["message"]) == (401, "the user name or the password is wrong")

    def test_ends_refresh_tokens_personal_tokens_and_counts_the_epoch_up(
        self, client: FlaskClient, owner: Person, stranger: Person, engine: Engine
    ) -> None:
        made = client.post("/api/v1/tokens", json={"name": "Mine"}, headers=stranger.headers).json["token"]
        do(client, owner, stranger, "disable")

        refreshed = client.post("/auth/refresh-token", json={"refreshToken": stranger.refresh_token})
        assert refreshed.status_code == 401
        assert client.get(WORKFLOWS, headers={"Authorization": f"Bearer {made}"}).status_code == 401
        with engine.connect() as connection:
            epochs = dict(connection.execute(text("SELECT username, credentials_epoch FROM auth.users")).all())
        assert epochs == {"owner": 0, "stranger": 1}

    @pytest.mark.usefixtures("disabled")
    def test_stops_webhooks(self, client: FlaskClient, address: str, engine: Engine) -> None:
        answer = client.post(address)

        assert (answer.status_code, answer.json["ignored"]) == (200, True)
        assert accepted_events(engine) == []

    @pytest.mark.usefixtures("disabled")
    def test_can_be_undone(self, client: FlaskClient, owner: Person, stranger: Person, address: str) -> None:
        assert do(client, owner, stranger, "enable").json["disabledAt"] is None

        assert sign_in(client, stranger).status_code == 200
        assert "eventId" in client.post(address).json


class TestTheList:
    def test_shows_what_each_uses_and_may_use(
        self, client: FlaskClient, owner: Person, stranger: Person, backends: Backends
    ) -> None:
        hook = trigger(client, stranger, workflow(client, stranger)["id"])
        client.post(f"/webhook/{hook['webhookToken']}")
        own = {
            "workflows": 3,
            "executionsADay": None,
            "bytes": 0,
            "mailsADay": 20,
            "fileBytes": 1_000,
            "tableRows": 500,
            "tableBytes": 0,
        }
        client.put(f"{ADMIN}/accounts/{stranger.id}/quotas", json=own, headers=owner.headers)
        count(backends)

        first, second = client.get(f"{ADMIN}/accounts", headers=owner.headers).json

        assert (first["username"], first["role"], first["disabledAt"]) == ("owner", "owner", None)
        assert second == {
            "id": str(stranger.id),
            "username": "stranger",
            "email": "stranger@example.test",
            "role": "member",
            "createdAt": second["createdAt"],
            "disabledAt": None,
            "needsExactSpelling": False,
            "usage": {
                "workflows": 1,
                "executionsToday": 1,
                "executionsLastWeek": 0,
                "bytes": second["usage"]["bytes"],
                "fileBytes": 0,
                "tableRows": 0,
                "tableBytes": 0,
            },
            "quotas": {
                "workflows": 3,
                "executionsADay": 0,
                "bytes": 0,
                "mailsADay": 20,
                "fileBytes": 1_000,
                "tableRows": 500,
                "tableBytes": 0,
            },
            "ownQuotas": own,
            "hasSecondFactor": False,
        }
        assert second["usage"]["bytes"] > 0

    def test_is_searched_by_the_beginning_of_a_name_or_an_address(self, client: FlaskClient, owner: Person) -> None:
        for name in ("Ada", "ada_lovelace", "bob", "Weiß"):
            registered(client, name)
        wanted = {"username": "Fußnote", "email": "Jörg.Groß@example.test", "password": PASSWORD}
        client.post("/auth/register", json=wanted)

        def found(search: str) -> list[str]:
            query = {"search": search}
            return [
                row["username"]
                for row in client.get(f"{ADMIN}/accounts", query_string=query, headers=owner.headers).json
            ]

        assert found("ADA") == ["Ada", "ada_lovelace"]
        assert found("ada_") == ["ada_lovelace"]
        assert found("bob@example") == ["bob"]
        assert found("%") == []
        assert found("Weiß") == found("weis") == found("WEISS") == ["Weiß"]
        assert found("fuß") == found("jörg.groß") == found("JÖRG.") == ["Fußnote"]

    def test_names_the_field_of_a_quota_that_is_none(
        self, client: FlaskClient, owner: Person, stranger: Person
    ) -> None:
        path = f"{ADMIN}/accounts/{stranger.id}/quotas"
        answer = client.put(path, json={"workflows": -1, "executionsADay": "many"}, headers=owner.headers)

        assert answer.status_code == 400
        assert {problem["pointer"] for problem in answer.json["details"]} == {"/workflows", "/executionsADay"}


class TestRemovingASecondFactor:
    """For whoever has lost the app and the recovery codes."""

    @pytest.fixture(autouse=True)
    def _on(self, backends: Backends, owner: Person, stranger: Person) -> None:
        turn_second_factor_on(backends, stranger)

    def remove(self, client: FlaskClient, actor: Person, person: Person) -> Any:
        path = f"{ADMIN}/accounts/{person.id}/second-factor/remove"
        return client.post(path, json={"password": PASSWORD}, headers=actor.headers)

    def test_lets_them_in_by_the_password_alone(
        self, client: FlaskClient, owner: Person, admin: Person, stranger: Person
    ) -> None:
        assert sign_in(client, stranger).status_code == 401
        account = f"{ADMIN}/accounts/{stranger.id}"
        assert client.get(account, headers=admin.headers).json["hasSecondFactor"] is True

        assert self.remove(client, admin, stranger).status_code == 200

        assert sign_in(client, stranger).status_code == 200
        assert client.get(account, headers=admin.headers).json["hasSecondFactor"] is False
        recorded = client.get("/api/v1/audit-log?action=second-factor.turned-off", headers=owner.headers).json[
            "entries"
        ]
        assert [(entry["actorName"], entry["accountName"]) for entry in recorded] == [("admin", "stranger")]

    def test_is_for_whoever_manages_the_account(
        self, client: FlaskClient, owner: Person, admin: Person, stranger: Person, backends: Backends
    ) -> None:
        turn_second_factor_on(backends, owner)
        turn_second_factor_on(backends, admin)

        for actor, person in [(stranger, stranger), (admin, admin), (admin, owner), (owner, owner)]:
            assert self.remove(client, actor, person).status_code == 403
        assert self.remove(client, owner, admin).status_code == 200

    def test_where_there_is_none_says_so(self, client: FlaskClient, owner: Person, stranger: Person) -> None:
        self.remove(client, owner, stranger)
        again = self.remove(client, owner, stranger)

        assert (again.status_code, again.json["message"]) == (409, "stranger has no second factor")


class TestDeleting:
    def path(self, person: Person, query: str = "") -> str:
        return f"{ADMIN}/accounts/{person.id}{query}"

    def test_hands_over_and_says_what(self, client: FlaskClient, owner: Person, stranger: Person) -> None:
        made = workflow(client, stranger)

        answer = client.delete(self.path(stranger, f"?handOverTo={owner.id}"), headers=owner.headers)

        assert answer.status_code == 200
        assert answer.json == {
            "username": "stranger",
            "handedOverTo": "owner",
            "belongings": {"workflows": 1, "triggers": 0, "connections": 0, "secrets": 0},
            "cancelled": 0,
        }
        assert client.get(f"{WORKFLOWS}/{made['id']}", headers=owner.headers).status_code == 200
        assert client.get(self.path(stranger), headers=owner.headers).status_code == 404

    def test_asks_what_is_to_become_of_its_things(self, client: FlaskClient, owner: Person, stranger: Person) -> None:
        refused = client.delete(self.path(stranger), headers=owner.headers)

        assert [problem["pointer"] for problem in refused.json["details"]] == ["/handOverTo"]
        assert client.delete(self.path(stranger, "?everything=true"), headers=owner.headers).status_code == 200

    def test_ends_its_access_tokens(self, client: FlaskClient, owner: Person, stranger: Person) -> None:
        client.delete(self.path(stranger, "?everything=true"), headers=owner.headers)

        assert client.get(WORKFLOWS, headers=stranger.headers).status_code == 401
