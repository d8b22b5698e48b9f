"""Triggers over the API: webhooks, schedules, mailboxes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.db.tables import TriggerRegistration, Workflow
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.api.things import TRIGGERS, WORKFLOWS, pointers, stored_trigger, trigger, triggers_of, workflow
from tests.people import Person

MAILBOX = {"username": "me@example.test", "password": "mail-pass", "host": "imap.example.test"}
CONFIGURATIONS: dict[str, dict[str, Any]] = {"webhook": {}, "scheduler": {"intervalMinutes": 15}, "email": MAILBOX}


def change(client: FlaskClient, person: Person, trigger_id: str, **parts: Any) -> Any:
    return client.put(f"{TRIGGERS}/{trigger_id}", json=parts, headers=person.headers)


def lay_back(engine: Engine, trigger_id: str, **columns: Any) -> None:
    with engine.begin() as connection:
        connection.execute(
            update(TriggerRegistration).where(TriggerRegistration.id == UUID(trigger_id)).values(**columns)
        )


@pytest.fixture
def flow(client: FlaskClient, owner: Person) -> str:
    return str(workflow(client, owner)["id"])


class TestEveryType:
    @pytest.mark.parametrize("kind", CONFIGURATIONS)
    def test_has_the_contracts_fields_first(self, client: FlaskClient, owner: Person, flow: str, kind: str) -> None:
        names = ["id", "workflowId", "userId", "triggerType", "configuration", "enabled"]
        names += ["webhookUrl", "webhookToken", "createdAt", "updatedAt"]

        made = trigger(client, owner, flow, kind, configuration=CONFIGURATIONS[kind])

        assert list(made)[: len(names)] == names
        assert (made["workflowId"], made["userId"], made["triggerType"]) == (flow, str(owner.id), kind)

    @pytest.mark.parametrize("kind", CONFIGURATIONS)
    def test_is_listed(self, client: FlaskClient, owner: Person, flow: str, kind: str) -> None:
        made = trigger(client, owner, flow, kind, configuration=CONFIGURATIONS[kind])

        assert client.get(TRIGGERS, headers=owner.headers).json == [made]
        assert triggers_of(client, owner, flow) == [made]
        assert triggers_of(client, owner, str(uuid4())) == []

    def test_the_type_may_be_written_in_any_case(self, client: FlaskClient, owner: Person, flow: str) -> None:
        assert trigger(client, owner, flow, "WebHook")["triggerType"] == "webhook"

    def test_is_enabled_unless_it_says_otherwise(self, client: FlaskClient, owner: Person, flow: str) -> None:
        assert trigger(client, owner, flow)["enabled"] is True
        assert trigger(client, owner, flow, enabled=False)["enabled"] is False

    def test_what_is_the_servers_is_ignored(self, client: FlaskClient, owner: Person, flow: str) -> None:
        theirs = {"id": str(UUID(int=1)), "userId": str(UUID(int=2)), "webhookToken": "mine", "webhookUrl": "x"}

        made = trigger(client, owner, flow, **theirs, createdAt="never")

        assert all(made[name] != value for name, value in theirs.items())

    def test_can_be_deleted_once(self, client: FlaskClient, owner: Person, flow: str) -> None:
        address = f"{TRIGGERS}/{trigger(client, owner, flow)['id']}"

        assert client.delete(address, headers=owner.headers).status_code == 204
        assert client.delete(address, headers=owner.headers).status_code == 404
        assert triggers_of(client, owner, flow) == []


class TestChanging:
    def test_keeps_what_is_left_out(self, client: FlaskClient, owner: Person, flow: str) -> None:
        made = trigger(client, owner, flow, "scheduler", configuration={"intervalMinutes": 15}, enabled=False)

        after = change(client, owner, made["id"]).json

        assert (after["configuration"], after["enabled"]) == ({"intervalMinutes": 15}, False)

    def test_workflow_and_type_never_change(self, client: FlaskClient, owner: Person, flow: str) -> None:
        made = trigger(client, owner, flow)

        after = change(client, owner, made["id"], workflowId=str(uuid4()), triggerType="email").json

        assert (after["workflowId"], after["triggerType"]) == (flow, "webhook")

    def test_a_webhook_keeps_its_token(self, client: FlaskClient, owner: Person, flow: str) -> None:
        made = trigger(client, owner, flow)

        after = change(client, owner, made["id"], configuration={"method": "POST"}, enabled=False).json

        assert after["webhookToken"] == made["webhookToken"]

    def test_a_webhooks_address_follows_the_setting(
        self, client: FlaskClient, owner: Person, flow: str, engine: Engine, backends: Backends
    ) -> None:
        made = trigger(client, owner, flow)
        lay_back(engine, made["id"], webhook_url="http://old.example/webhook/x", webhook_token="x")

        after = change(client, owner, made["id"], enabled=True).json

        assert after["webhookUrl"] == f"{backends.settings.public_webhook_base}/webhook/x"

    def test_an_adopted_type_gets_lower_case(
        self, client: FlaskClient, owner: Person, flow: str, engine: Engine
    ) -> None:
        made = trigger(client, owner, flow, "scheduler")
        lay_back(engine, made["id"], trigger_type="SCHEDULER")

        change(client, owner, made["id"], enabled=True)

        assert stored_trigger(engine, made["id"]).trigger_type == "scheduler"


def test_a_webhooks_token_is_a_random_uuid(client: FlaskClient, owner: Person, flow: str, backends: Backends) -> None:
    first, second = trigger(client, owner, flow), trigger(client, owner, flow)

    assert UUID(first["webhookToken"]).version == 4
    assert first["webhookToken"] != second["webhookToken"]
    assert first["webhookUrl"] == f"{backends.settings.public_webhook_base}/webhook/{first['webhookToken']}"


class TestSchedules:
    @pytest.fixture
    def made(self, client: FlaskClient, owner: Person, flow: str) -> dict[str, Any]:
        return trigger(client, owner, flow, "scheduler", configuration={"intervalMinutes": 15})

    def test_the_first_time_is_one_interval_away(self, made: dict[str, Any], engine: Engine) -> None:
        row = stored_trigger(engine, made["id"])

        assert row.next_scheduled_at is not None
        assert abs(row.next_scheduled_at - row.created_at - timedelta(minutes=15)) < timedelta(seconds=10)

    def test_the_next_five_times_are_told(self, made: dict[str, Any]) -> None:
        times = [jsonio.parse_time(one) for one in made["nextFireTimes"]]

        assert len(times) == 5
        assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=15)}

    def test_cron_keeps_to_the_clock_of_its_zone(self, client: FlaskClient, owner: Person, flow: str) -> None:
        configuration = {"cron": "30 8 * * *", "timeZone": "Asia/Kolkata"}  # half past eight there is three in UTC

        made = trigger(client, owner, flow, "scheduler", configuration=configuration)

        assert {one[11:16] for one in made["nextFireTimes"]} == {"03:00"}

    @pytest.mark.parametrize(
        "parts",
        [
            {"configuration": {"intervalMinutes": 15}},
            {"configuration": {"intervalMinutes": "15"}},
            {"configuration": {"intervalMinutes": 15, "catchUp": "all", "note": "x"}},
            {"enabled": True},
            {},
        ],
    )
    def test_an_unrelated_edit_never_moves_it(
        self, client: FlaskClient, owner: Person, made: dict[str, Any], engine: Engine, parts: dict[str, Any]
    ) -> None:
        soon = datetime.now(UTC) + timedelta(minutes=1)
        lay_back(engine, made["id"], next_scheduled_at=soon)

        assert change(client, owner, made["id"], **parts).status_code == 200
        assert stored_trigger(engine, made["id"]).next_scheduled_at == soon

    def test_another_interval_starts_from_now(
        self, client: FlaskClient, owner: Person, made: dict[str, Any], engine: Engine
    ) -> None:
        change(client, owner, made["id"], configuration={"intervalMinutes": 600})

        next_time = stored_trigger(engine, made["id"]).next_scheduled_at
        assert next_time is not None
        assert next_time > datetime.now(UTC) + timedelta(minutes=590)

    def test_switching_it_on_again_starts_from_now(
        self, client: FlaskClient, owner: Person, made: dict[str, Any], engine: Engine
    ) -> None:
        assert change(client, owner, made["id"], enabled=False).json["nextFireTimes"] == []
        lay_back(engine, made["id"], next_scheduled_at=datetime(2020, 1, 1, tzinfo=UTC))

        change(client, owner, made["id"], enabled=True)

        next_time = stored_trigger(engine, made["id"]).next_scheduled_at
        assert next_time is not None
        assert next_time > datetime.now(UTC)

    def test_one_that_cannot_be_read_can_be_switched_off(
        self, client: FlaskClient, owner: Person, made: dict[str, Any], engine: Engine
    ) -> None:
        lay_back(engine, made["id"], configuration={"intervalMinutes": "often"})

        assert change(client, owner, made["id"], enabled=False).status_code == 200
        assert pointers(change(client, owner, made["id"], enabled=True).json) == {"/configuration/intervalMinutes"}


class TestMailboxes:
    def test_the_password_is_sealed_and_masked(
        self, client: FlaskClient, owner: Person, flow: str, engine: Engine, backends: Backends
    ) -> None:
        made = trigger(client, owner, flow, "email", configuration=MAILBOX)

        stored = stored_trigger(engine, made["id"]).configuration
        assert made["configuration"] == {**MAILBOX, "password": MASK}
        assert stored is not None
        assert "mail-pass" not in str(stored)
        assert backends.vault.open(stored["password"]) == "mail-pass"

    def test_a_mask_keeps_it(
        self, client: FlaskClient, owner: Person, flow: str, engine: Engine, backends: Backends
    ) -> None:
        made = trigger(client, owner, flow, "email", configuration=MAILBOX)

        change(client, owner, made["id"], configuration={**made["configuration"], "folder": "Bills"})

        stored = stored_trigger(engine, made["id"]).configuration
        assert stored is not None
        assert stored["folder"] == "Bills"
        assert backends.vault.open(stored["password"]) == "mail-pass"

    def test_a_mask_of_nothing_is_refused(self, client: FlaskClient, owner: Person, flow: str) -> None:
        wanted = {"workflowId": flow, "triggerType": "email", "configuration": {**MAILBOX, "password": MASK}}

        refused = client.post(TRIGGERS, json=wanted, headers=owner.headers)

        assert pointers(refused.json) == {"/configuration/password"}

    def test_is_looked_into_at_once(self, client: FlaskClient, owner: Person, flow: str, engine: Engine) -> None:
        made = trigger(client, owner, flow, "email", configuration=MAILBOX)

        due = stored_trigger(engine, made["id"]).next_scheduled_at
        assert due is not None
        assert due <= datetime.now(UTC)


def test_health_is_told(client: FlaskClient, owner: Person, flow: str, engine: Engine) -> None:
    made = trigger(client, owner, flow, "email", configuration=MAILBOX)
    moment = datetime(2026, 3, 4, 5, 6, 7, 89000, UTC)
    lay_back(engine, made["id"], last_success_at=moment, last_error_at=moment, last_error="wrong password")

    (shown,) = triggers_of(client, owner, flow)

    assert shown["health"] == {
        "lastTriggeredAt": None,
        "lastSuccessAt": "2026-03-04T05:06:07.089Z",
        "lastErrorAt": "2026-03-04T05:06:07.089Z",
        "lastError": "wrong password",
    }


class TestRefusing:
    @pytest.mark.parametrize(
        ("kind", "configuration", "fields"),
        [
            ("scheduler", {"intervalMinutes": 0}, {"/configuration/intervalMinutes"}),
            ("scheduler", {"intervalMinutes": -5}, {"/configuration/intervalMinutes"}),
            ("scheduler", {"intervalMinutes": "soon"}, {"/configuration/intervalMinutes"}),
            ("scheduler", {"intervalMinutes": True}, {"/configuration/intervalMinutes"}),
            ("scheduler", {"intervalMinutes": 1e300}, {"/configuration/intervalMinutes"}),
            ("scheduler", {"cron": "* * * *"}, {"/configuration/cron"}),
            ("scheduler", {"cron": "0 0 30 2 *"}, {"/configuration/cron"}),
            ("scheduler", {"cron": 7}, {"/configuration/cron"}),
            ("scheduler", {"cron": "0 8 * * *", "timeZone": "Mars/Olympus"}, {"/configuration/timeZone"}),
            ("scheduler", {"catchUp": "some"}, {"/configuration/catchUp"}),
            ("email", {}, {"/configuration/username", "/configuration/password"}),
            ("email", {**MAILBOX, "port": 99999}, {"/configuration/port"}),
            ("email", {**MAILBOX, "secure": "perhaps"}, {"/configuration/secure"}),
            ("email", {**MAILBOX, "folder": "a\r\nb"}, {"/configuration/folder"}),
            ("webhook", [], {"/configuration"}),
            ("webhook", "x", {"/configuration"}),
            ("carrier pigeon", {}, {"/triggerType"}),
            (None, {}, {"/triggerType"}),
            (["webhook"], {}, {"/triggerType"}),
        ],
    )
    def test_names_the_field(
        self, client: FlaskClient, owner: Person, flow: str, kind: Any, configuration: Any, fields: set[str]
    ) -> None:
        wanted = {"workflowId": flow, "triggerType": kind, "configuration": configuration}

        refused = client.post(TRIGGERS, json=wanted, headers=owner.headers)

        assert refused.status_code == 400
        assert pointers(refused.json) == fields

    @pytest.mark.parametrize("workflow_id", [None, "", "17", 17, {}])
    def test_a_workflow_id_that_is_none(self, client: FlaskClient, owner: Person, workflow_id: Any) -> None:
        wanted = {"workflowId": workflow_id, "triggerType": "webhook"}

        refused = client.post(TRIGGERS, json=wanted, headers=owner.headers)

        assert pointers(refused.json) == {"/workflowId"}

    def test_lists_every_problem_at_once(self, client: FlaskClient, owner: Person) -> None:
        refused = client.post(TRIGGERS, json={"enabled": "x"}, headers=owner.headers)

        assert pointers(refused.json) == {"/workflowId", "/triggerType", "/enabled"}

    def test_a_workflow_that_is_not_there(self, client: FlaskClient, owner: Person) -> None:
        wanted = {"workflowId": str(uuid4()), "triggerType": "webhook"}

        assert client.post(TRIGGERS, json=wanted, headers=owner.headers).status_code == 404

    def test_a_change_that_cannot_be_used_changes_nothing(self, client: FlaskClient, owner: Person, flow: str) -> None:
        made = trigger(client, owner, flow, "scheduler", configuration={"intervalMinutes": 15})

        assert change(client, owner, made["id"], configuration={"intervalMinutes": "x"}).status_code == 400
        assert change(client, owner, made["id"], enabled="x").status_code == 400
        assert triggers_of(client, owner, flow) == [made]


@pytest.mark.parametrize("stored", ["text", 7, [], ["x"]])
@pytest.mark.parametrize("kind", ["webhook", "SCHEDULER", "Email", "other"])
def test_an_adopted_row_that_holds_anything_is_listed_and_changed(
    client: FlaskClient, owner: Person, engine: Engine, kind: str, stored: Any
) -> None:
    made = workflow(client, owner)
    with Session(engine) as session:
        row = TriggerRegistration(
            workflow_id=UUID(made["id"]), user_id=owner.id, trigger_type=kind, configuration=stored
        )
        session.add(row)
        session.commit()
        trigger_id = row.id
    listed = client.get(TRIGGERS, headers=owner.headers)
    assert [one["configuration"] for one in listed.json] == [{}]
    answer = client.put(f"{TRIGGERS}/{trigger_id}", json={"enabled": False}, headers=owner.headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("definition", ["text", 7, {"type": "webhook", "config": [1]}, {"type": 7}, {"type": None}])
def test_a_workflow_whose_adopted_trigger_is_anything_is_switched_on(
    client: FlaskClient, owner: Person, engine: Engine, definition: Any
) -> None:
    made = workflow(client, owner)
    with Session(engine) as session:
        session.get_one(Workflow, UUID(made["id"])).trigger_definition = definition
        session.commit()
    answer = client.put(f"{WORKFLOWS}/{made['id']}", json={"enabled": True}, headers=owner.headers)
    assert answer.status_code == 200, answer.text


def test_the_list_can_be_that_of_one_workflow(client: FlaskClient, owner: Person, stranger: Person, flow: str) -> None:
    wanted = trigger(client, owner, flow)
    other = workflow(client, owner)["id"]
    trigger(client, owner, other)

    def listed(person: Person, workflow_id: str) -> list[str]:
        found = client.get(TRIGGERS, query_string={"workflowId": workflow_id}, headers=person.headers)
        return [one["id"] for one in found.json]

    assert listed(owner, flow) == [wanted["id"]]
    assert listed(stranger, flow) == []
