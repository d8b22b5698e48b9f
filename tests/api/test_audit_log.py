"""The audit log: what stands in it, who sees it, and that nobody can change it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from flowforge.audit import search
from flowforge.audit.actions import Action
from flowforge.audit.export import Format, export
from flowforge.audit.search import Filter
from flowforge.db.tables import AuditEntryRow
from flowforge.engine import pruning
from flowforge.ids import first_id_at, uuid7
from flowforge.wiring import Backends
from tests.api.test_replays import failed
from tests.api.things import EXECUTIONS, TRIGGERS, WORKFLOWS, change, pointers, trigger, workflow
from tests.people import PASSWORD, Person, registered
from tests.statements import counting_rows

LOG = "/api/v1/audit-log"
ADMIN = "/api/v1/admin/accounts"
MARK = "not-to-be-written-down"


def entries(client: FlaskClient, person: Person, **query: Any) -> list[dict[str, Any]]:
    """The newest first."""
    answer = client.get(LOG, query_string=query, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json["entries"])


def actions(client: FlaskClient, person: Person, **query: Any) -> list[str]:
    return [entry["action"] for entry in entries(client, person, **query)]


def token(client: FlaskClient, person: Person, **parts: Any) -> dict[str, Any]:
    wanted = {"name": "scripts", "scopes": ["read", "write", "admin"], "password": PASSWORD, **parts}
    answer = client.post("/api/v1/tokens", json=wanted, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


class TestAnEntry:
    def test_says_who_did_what_to_what_from_where(self, client: FlaskClient, owner: Person) -> None:
        headers = {**owner.headers, "X-Request-Id": "named-by-the-client"}
        made = client.post(WORKFLOWS, json={"name": "Orders"}, headers=headers).json

        published, created = entries(client, owner)[:2]

        assert created["action"] == "workflow.created"
        assert (created["actorId"], created["actorName"]) == (str(owner.id), "owner")
        assert (created["subjectId"], created["subjectName"]) == (made["id"], "Orders")
        assert (created["address"], created["requestId"], created["via"]) == ("127.0.0.1", "named-by-the-client", "API")
        assert (published["action"], published["details"]) == ("workflow.published", {"version": 1})

    def test_names_the_token_by_which_it_was_done(self, client: FlaskClient, owner: Person) -> None:
        made = token(client, owner)

        client.put("/api/v1/secrets/KEY", json={"value": MARK}, headers={"Authorization": f"Bearer {made['token']}"})

        entry = entries(client, owner)[0]
        assert (entry["action"], entry["subjectName"], entry["via"]) == ("secret.set", "KEY", made["start"])

    def test_is_not_written_where_nothing_was_done(self, client: FlaskClient, owner: Person) -> None:
        before = actions(client, owner)

        assert client.post(WORKFLOWS, json={"name": ""}, headers=owner.headers).status_code == 400
        assert client.delete(f"{WORKFLOWS}/{UUID(int=7)}", headers=owner.headers).status_code == 404

        assert actions(client, owner) == before


class TestWhatIsRecorded:
    def test_sign_ins_and_those_that_failed(self, client: FlaskClient, owner: Person, stranger: Person) -> None:
        for name, password in [("owner", PASSWORD), ("owner", MARK), (MARK, MARK)]:
            client.post("/auth/login", json={"username": name, "password": password})

        unknown, wrong, right = entries(client, owner)[:3]

        assert (right["action"], right["actorName"]) == ("sign-in.succeeded", "owner")
        assert (wrong["action"], wrong["actorName"], wrong["accountName"]) == ("sign-in.failed", None, "owner")
        assert (unknown["action"], unknown["accountName"]) == ("sign-in.failed", None)
        assert wrong["details"] == unknown["details"] == {"why": "wrong name or password"}

    def test_the_life_of_an_account(self, client: FlaskClient, owner: Person, stranger: Person) -> None:
        account = f"{ADMIN}/{stranger.id}"
        client.put(f"{account}/quotas", json={"workflows": 3}, headers=owner.headers)
        client.put(f"{account}/role", json={"role": "admin"}, headers=owner.headers)
        client.put(f"{account}/role", json={"role": "member"}, headers=owner.headers)
        client.post(f"{account}/password-reset", headers=owner.headers)
        client.post(f"{account}/disable", headers=owner.headers)
        client.post(f"{account}/enable", headers=owner.headers)

        found = entries(client, owner, accountId=stranger.id)

        assert [entry["action"] for entry in reversed(found)] == [
            "account.created",
            "sign-in.succeeded",
            "account.quotas-changed",
            "account.role-changed",
            "account.role-changed",
            "password.reset-link-created",
            "account.disabled",
            "sign-ins.ended",
            "account.enabled",
        ]
        assert {entry["actorName"] for entry in found[:-2]} == {"owner"}
        assert {entry["accountName"] for entry in found} == {"stranger"}
        assert found[6]["details"] == {"workflows": 3}
        assert found[5]["details"] == {"role": "admin", "before": "member"}

    def test_credentials(self, client: FlaskClient, owner: Person) -> None:
        made = token(client, owner)
        client.delete(f"/api/v1/tokens/{made['id']}", headers=owner.headers)
        client.put("/api/v1/profile", json={"email": "new@example.test", "password": PASSWORD}, headers=owner.headers)
        passwords = {"currentPassword": PASSWORD, "newPassword": f"{MARK} 1"}
        client.post("/api/v1/profile/password", json=passwords | {"currentPassword": MARK}, headers=owner.headers)
        client.post("/api/v1/profile/password", json=passwords, headers=owner.headers)
        again, later = (
            client.post("/auth/login", json={"username": "owner", "password": f"{MARK} 1"}).json for _ in range(2)
        )
        headers = {"Authorization": f"Bearer {later['access_token']}"}
        client.post("/auth/logout", json={"refresh_token": again["refresh_token"]}, headers=headers)

        found = client.get(LOG, headers=headers).json["entries"]

        assert [entry["action"] for entry in reversed(found)][2:] == [
            "token.created",
            "token.revoked",
            "account.email-changed",
            "password.refused",
            "password.changed",
            "sign-ins.ended",
            "sign-in.succeeded",
            "sign-in.succeeded",
            "sign-in.ended",
        ]

    def test_connections_and_secrets(self, client: FlaskClient, owner: Person) -> None:
        wanted = {"name": "crm", "type": "http", "config": {"bearerToken": MARK}}
        made = client.post("/api/v1/connections", json=wanted, headers=owner.headers).json
        path = f"/api/v1/connections/{made['id']}"
        client.put(path, json={"config": wanted["config"]}, headers=owner.headers)
        client.delete(path, headers=owner.headers)
        client.put("/api/v1/secrets/KEY", json={"value": MARK}, headers=owner.headers)
        client.delete("/api/v1/secrets/KEY", headers=owner.headers)

        found = entries(client, owner)[:5]

        assert [(entry["action"], entry["subjectName"]) for entry in reversed(found)] == [
            ("connection.created", "crm"),
            ("connection.changed", "crm"),
            ("connection.deleted", "crm"),
            ("secret.set", "KEY"),
            ("secret.deleted", "KEY"),
        ]

    def test_workflows_and_replays(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        source = failed(client, engine, owner)
        made = workflow(client, owner)
        change(client, owner, made["id"], enabled=False)
        change(client, owner, made["id"], enabled=False)
        change(client, owner, made["id"], enabled=True)
        client.get(f"{WORKFLOWS}/export", headers=owner.headers)
        client.delete(f"{WORKFLOWS}/{made['id']}", headers=owner.headers)
        client.post(f"{EXECUTIONS}/{source}/replay", headers=owner.headers)
        client.post(f"{EXECUTIONS}/replay", json={"status": "FAILED"}, headers=owner.headers)

        found = entries(client, owner)[:8]

        assert [(entry["action"], entry["details"].get("executions")) for entry in reversed(found)] == [
            ("workflow.created", None),
            ("workflow.published", None),
            ("workflow.disabled", None),
            ("workflow.enabled", None),
            ("workflows.exported", None),
            ("workflow.deleted", None),
            ("execution.replayed", None),
            ("executions.replayed", 1),
        ]

    def test_triggers(self, client: FlaskClient, owner: Person) -> None:
        made = trigger(client, owner, workflow(client, owner)["id"])
        client.put(f"{TRIGGERS}/{made['id']}", json={"enabled": False}, headers=owner.headers)
        client.delete(f"{TRIGGERS}/{made['id']}", headers=owner.headers)

        found = entries(client, owner)[:3]

        assert [(entry["action"], entry["details"]["enabled"]) for entry in reversed(found)] == [
            ("trigger.created", True),
            ("trigger.changed", False),
            ("trigger.deleted", False),
        ]
        assert made["webhookToken"] not in json.dumps(found)

    def test_no_secret_and_nothing_of_a_payload(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        self.test_credentials(client, owner)
        signed_in = client.post("/auth/login", json={"username": "owner", "password": f"{MARK} 1"}).json
        again = Person(owner.id, owner.username, owner.email, signed_in["access_token"], signed_in["refresh_token"])
        self.test_connections_and_secrets(client, again)
        source = failed(client, engine, again, trigger_payload={"n": MARK})
        client.post(f"{EXECUTIONS}/{source}/replay", json={"payload": {"n": MARK}}, headers=again.headers)
        made = token(client, again)
        with engine.connect() as connection:
            written = "\n".join(connection.scalars(text("SELECT log::text FROM auth.audit_log log")))
        assert "execution.replayed" in written
        assert MARK not in written
        assert made["token"] not in written


class TestWhoSeesIt:
    def test_administrators_see_everything_others_what_concerns_their_account(
        self, client: FlaskClient, owner: Person, stranger: Person
    ) -> None:
        workflow(client, owner)
        client.post(f"{ADMIN}/{stranger.id}/enable", headers=owner.headers)

        seen = entries(client, stranger)

        assert {entry["accountName"] for entry in seen} == {"stranger"}
        assert [entry["action"] for entry in seen] == ["account.enabled", "sign-in.succeeded", "account.created"]
        assert {entry["accountName"] for entry in entries(client, owner)} == {"owner", "stranger"}

    @pytest.mark.parametrize("path", [LOG, f"{LOG}.csv", f"{LOG}.jsonl"])
    def test_nobody_else_sees_anything(self, client: FlaskClient, owner: Person, stranger: Person, path: str) -> None:
        assert client.get(path).status_code == 401
        refused = client.get(path, query_string={"accountId": owner.id}, headers=stranger.headers)
        assert refused.status_code == 403
        narrow = token(client, stranger, scopes=["read"])
        assert client.get(path, headers={"Authorization": f"Bearer {narrow['token']}"}).status_code == 403

    @pytest.mark.parametrize("path", [f"{LOG}.csv", f"{LOG}.jsonl", LOG])
    def test_members_do_not_learn_where_administrators_are(
        self, client: FlaskClient, owner: Person, stranger: Person, path: str
    ) -> None:
        at_home, named = {"REMOTE_ADDR": "203.0.113.7"}, {**owner.headers, "X-Request-Id": "of-the-administrator"}
        client.post(f"{ADMIN}/{stranger.id}/enable", headers=named, environ_base=at_home)
        failed = {"username": stranger.username, "password": "a guess"}
        client.post("/auth/login", json=failed, environ_base={"REMOTE_ADDR": "203.0.113.8"})

        seen = client.get(path, headers=stranger.headers).text
        assert "203.0.113.7" not in seen
        assert "of-the-administrator" not in seen
        assert "203.0.113.8" in seen
        assert "203.0.113.7" in client.get(path, headers=owner.headers).text

    @pytest.mark.parametrize("path", [LOG, f"{LOG}.csv", f"{LOG}.jsonl"])
    def test_no_cache_keeps_it(self, client: FlaskClient, owner: Person, path: str) -> None:
        assert client.get(path, headers=owner.headers).headers["Cache-Control"] == "no-store"

    def test_who_is_an_administrator_no_more_sees_their_own(
        self, client: FlaskClient, owner: Person, stranger: Person
    ) -> None:
        for role in ("admin", "member"):
            client.put(f"{ADMIN}/{stranger.id}/role", json={"role": role}, headers=owner.headers)

        assert {entry["accountName"] for entry in entries(client, stranger)} == {"stranger"}


class TestFinding:
    @pytest.fixture
    def noon(self, engine: Engine, owner: Person) -> datetime:
        """An entry a minute, three before noon and three from then on."""
        noon = datetime(2026, 3, 4, 12, tzinfo=UTC)
        for minute in range(-3, 3):
            add(
                engine,
                noon + timedelta(minutes=minute),
                owner.id,
                Action.SECRET_SET if minute % 2 else Action.SIGNED_IN,
            )
        return noon

    def test_by_time(self, client: FlaskClient, owner: Person, noon: datetime) -> None:
        found = entries(client, owner, to="2026-03-04T12:02:00Z", **{"from": "2026-03-04T12:00:00Z"})

        assert [entry["occurredAt"] for entry in found] == ["2026-03-04T12:01:00.000Z", "2026-03-04T12:00:00.000Z"]

    def test_by_action(self, client: FlaskClient, owner: Person, noon: datetime) -> None:
        assert actions(client, owner, action="secret.set") == ["secret.set"] * 3
        wrong = client.get(LOG, query_string={"action": "everything"}, headers=owner.headers)
        assert (wrong.status_code, pointers(wrong.json)) == (400, {"/action"})

    def test_page_by_page(self, client: FlaskClient, owner: Person, noon: datetime) -> None:
        everything = [entry["id"] for entry in entries(client, owner, size=100)]
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            page = client.get(LOG, query_string={"size": 3, "after": after}, headers=owner.headers).json
            seen += [entry["id"] for entry in page["entries"]]
            after = page["after"]
        assert seen == everything

    def test_no_page_costs_more_as_the_log_grows(self, engine: Engine, owner: Person) -> None:
        """Each way to look goes by an index, from the newest on, and stops at the end of the page."""
        start = datetime(2026, 1, 1, tzinfo=UTC)
        with Session(engine) as session:
            session.execute(insert(AuditEntryRow), [row(start, n) for n in range(5_000)])
            session.commit()
            session.execute(text("ANALYZE auth.audit_log"))
            for wanted in (
                Filter(),
                Filter(action=Action.SIGNED_IN),
                Filter(account_id=UUID(int=3)),
                Filter(account_id=UUID(int=3), action=Action.SIGNED_IN),
                Filter(since=start, until=start + timedelta(seconds=4_000)),
            ):
                with counting_rows(engine) as rows:
                    search.find_page(session, wanted, size=10)
                assert max(rows) <= 25


class TestExport:
    def test_as_json_lines(self, client: FlaskClient, owner: Person) -> None:
        workflow(client, owner)
        before = entries(client, owner)

        answer = client.get(f"{LOG}.jsonl", headers=owner.headers)

        written = [json.loads(line) for line in answer.text.splitlines()]
        assert answer.mimetype == "application/jsonl"
        assert written[0]["action"] == "audit-log.exported"
        assert written[1:] == before

    def test_as_csv(self, client: FlaskClient, owner: Person) -> None:
        workflow(client, owner, name='=1+1, "quoted"')
        before = entries(client, owner, action="workflow.created")

        answer = client.get(f"{LOG}.csv", query_string={"action": "workflow.created"}, headers=owner.headers)

        [written] = csv.DictReader(io.StringIO(answer.text))
        assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
        assert list(written) == list(before[0])
        assert written["subjectName"] == '\'=1+1, "quoted"'
        assert (written["id"], written["occurredAt"]) == (before[0]["id"], before[0]["occurredAt"])

    def test_is_bounded_and_takes_a_statement_a_piece(
        self,
        engine: Engine,
        monkeypatch: pytest.MonkeyPatch,
        statements: Callable[[], AbstractContextManager[list[str]]],
    ) -> None:
        monkeypatch.setattr("flowforge.audit.export.MOST_EXPORTED", 2_500)
        with Session(engine) as session:
            session.execute(insert(AuditEntryRow), [row(datetime.now(UTC), n) for n in range(3_000)])
            session.commit()
            with statements() as seen:
                pieces = list(export(session, Filter(), Format.JSONL))
        assert sum(piece.count(b"\n") for piece in pieces) == 2_500
        assert len(seen) == 3


class TestNobodyChangesIt:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE auth.audit_log SET action = 'sign-in.succeeded'",
            "DELETE FROM auth.audit_log",
            "TRUNCATE auth.audit_log",
            "SET LOCAL flowforge.deleting = 'expired audit entries'; DELETE FROM auth.audit_log",
        ],
        ids=["changed", "deleted", "emptied", "deleted-before-its-time"],
    )
    def test_the_database_refuses(self, engine: Engine, client: FlaskClient, owner: Person, statement: str) -> None:
        before = actions(client, owner)
        with pytest.raises(ProgrammingError, match="appended to"), engine.begin() as connection:
            connection.execute(text(statement))
        assert actions(client, owner) == before

    def test_retention_deletes_what_is_old(self, backends: Backends, engine: Engine) -> None:
        now = datetime.now(UTC)
        for days in (366, 364, 0):
            add(engine, now - timedelta(days=days), UUID(int=1), Action.SIGNED_IN)

        assert pruning.prune(backends, now)["audit entries"] == 1
        with Session(engine) as session:
            assert len(search.find_page(session, Filter()).entries) == 2

    def test_it_outlives_the_account(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        gone = registered(client, "gone")
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM auth.users WHERE username = 'gone'"))
        assert entries(client, owner, accountId=gone.id)[0]["actorName"] == "gone"


def add(engine: Engine, moment: datetime, account_id: UUID, action: Action) -> None:
    with engine.begin() as connection:
        values = {"id": _id(moment), "occurred_at": moment, "action": action, "account_id": account_id, "details": {}}
        connection.execute(insert(AuditEntryRow).values(**values, actor_id=account_id))


def row(start: datetime, number: int) -> dict[str, Any]:
    moment, account = start + timedelta(seconds=number), UUID(int=number % 7)
    action = Action.SECRET_SET if number % 5 else Action.SIGNED_IN
    known = {"action": action, "account_id": account, "actor_id": account, "details": {}}
    return {"id": _id(moment), "occurred_at": moment, **known}


def _id(moment: datetime) -> UUID:
    return UUID(int=first_id_at(moment).int | uuid7().int & (1 << 62) - 1)
