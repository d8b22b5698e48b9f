"""Workflows over the API: written, replaced, read, listed, deleted, started by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow, WorkflowVersion
from tests.api.things import (
    EXECUTIONS,
    WORKFLOWS,
    accepted_events,
    change,
    execution,
    http,
    pointers,
    trigger,
    workflow,
)
from tests.people import Person


def test_a_workflow_comes_back_as_it_was_written(client: FlaskClient, owner: Person) -> None:
    written = {
        "name": "Orders",
        "enabled": True,
        "trigger": {"type": "webhook", "config": {"method": "POST"}},
        "actions": [http(method="POST", body={"order": "{{ trigger.body.order }}"}), {**http(), "id": "second"}],
    }

    created = client.post(WORKFLOWS, json=written, headers=owner.headers)
    shown = client.get(f"{WORKFLOWS}/{created.json['id']}", headers=owner.headers)

    assert created.status_code == 201
    assert shown.status_code == 200
    assert created.json == shown.json
    assert {name: shown.json[name] for name in written} == written
    assert shown.json["userId"] == str(owner.id)
    assert shown.json["createdAt"].endswith("Z")


def test_the_contracts_fields_come_first(client: FlaskClient, owner: Person) -> None:
    names = ["id", "name", "userId", "enabled", "trigger", "actions", "createdAt", "updatedAt"]

    assert list(workflow(client, owner))[: len(names)] == names


def test_what_is_omitted_gets_a_harmless_default(client: FlaskClient, owner: Person) -> None:
    created = workflow(client, owner)

    assert created["enabled"] is True
    assert created["trigger"] is None
    assert created["actions"] == []


def test_fields_nobody_knows_and_ids_of_the_clients_are_ignored(client: FlaskClient, owner: Person) -> None:
    created = workflow(client, owner, id=str(UUID(int=7)), userId=str(UUID(int=8)), colour="red")

    assert created["id"] != str(UUID(int=7))
    assert created["userId"] == str(owner.id)
    assert "colour" not in created


class TestReplacing:
    def test_replaces_what_is_given(self, client: FlaskClient, owner: Person) -> None:
        before = workflow(client, owner, actions=[http(), http()])

        after = change(client, owner, before["id"], name="Bills", enabled=False, actions=[http(method="PUT")])

        assert after.status_code == 200
        assert (after.json["name"], after.json["enabled"]) == ("Bills", False)
        assert after.json["actions"] == [http(method="PUT")]
        assert after.json["createdAt"] == before["createdAt"]

    @pytest.mark.parametrize("left_out", ["name", "enabled", "trigger", "actions"])
    def test_keeps_what_is_left_out(self, client: FlaskClient, owner: Person, left_out: str) -> None:
        before = workflow(client, owner, enabled=False, trigger={"type": "webhook"}, actions=[http()])
        wanted = {"name": "Bills", "enabled": True, "trigger": {"type": "manual"}, "actions": []}
        del wanted[left_out]

        after = change(client, owner, before["id"], **wanted).json

        assert after[left_out] == before[left_out]
        assert {name: after[name] for name in wanted} == wanted

    @pytest.mark.parametrize("nothing", [{}, {"actions": None}, {"name": None}, {"enabled": None}])
    def test_null_is_the_same_as_leaving_out(self, client: FlaskClient, owner: Person, nothing: Any) -> None:
        before = workflow(client, owner, enabled=False, actions=[http()])

        after = change(client, owner, before["id"], **nothing).json

        assert (after["name"], after["enabled"], after["actions"]) == ("Orders", False, [http()])

    def test_a_trigger_of_null_takes_it_away(self, client: FlaskClient, owner: Person) -> None:
        before = workflow(client, owner, trigger={"type": "webhook"})

        assert change(client, owner, before["id"], trigger=None).json["trigger"] is None

    def test_a_refused_change_changes_nothing(self, client: FlaskClient, owner: Person) -> None:
        before = workflow(client, owner, actions=[http()])

        refused = change(client, owner, before["id"], name="Bills", enabled=False, actions=[{"type": "NONSENSE"}])

        assert refused.status_code == 400
        assert client.get(f"{WORKFLOWS}/{before['id']}", headers=owner.headers).json == before


class TestVersions:
    def test_every_save_is_one(self, client: FlaskClient, owner: Person) -> None:
        created = workflow(client, owner, actions=[http()])
        change(client, owner, created["id"], name="Bills")
        saved = change(client, owner, created["id"], actions=[]).json

        versions = client.get(f"{WORKFLOWS}/{created['id']}/versions", headers=owner.headers).json

        assert [(one["number"], one["name"], len(one["actions"])) for one in versions] == [
            (3, "Bills", 0),
            (2, "Bills", 1),
            (1, "Orders", 1),
        ]
        assert versions[0]["id"] == saved["versionId"]
        assert {one["createdBy"] for one in versions} == {str(owner.id)}

    def test_switching_on_and_off_is_none(self, client: FlaskClient, owner: Person) -> None:
        created = workflow(client, owner)

        assert change(client, owner, created["id"], enabled=False).json["versionId"] == created["versionId"]

    def test_an_adopted_workflow_stays_literal_until_it_is_saved_here(
        self, client: FlaskClient, owner: Person, engine: Engine
    ) -> None:
        with Session(engine) as session:
            row = Workflow(name="Old", user_id=owner.id, enabled=True, actions_definition=[http(body="{{ x")])
            session.add(row)
            session.commit()
            adopted = str(row.id)

        switched = change(client, owner, adopted, enabled=False)
        refused = change(client, owner, adopted, name="Older")
        saved = change(client, owner, adopted, actions=[http(body="{{ trigger }}")])

        assert (switched.status_code, switched.json["versionId"]) == (200, None)
        assert pointers(refused.json) == {"/actions/0/config/body"}
        with Session(engine) as session:
            assert session.get_one(WorkflowVersion, UUID(saved.json["versionId"])).templated

    def test_what_n_left_of_an_action_is_shown(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        with Session(engine) as session:
            row = Workflow(
                name="Old",
                user_id=owner.id,
                trigger_definition={"type": "webhook"},
                actions_definition=[{"type": "SLACK_MESSAGE"}],
            )
            session.add(row)
            session.commit()
            adopted = str(row.id)

        shown = client.get(f"{WORKFLOWS}/{adopted}", headers=owner.headers).json

        assert shown["trigger"] == {"type": "webhook"}
        assert shown["actions"] == [{"type": "SLACK_MESSAGE"}]


class TestListing:
    def test_newest_first_as_summaries(self, client: FlaskClient, owner: Person) -> None:
        made = [workflow(client, owner, name=name) for name in ("a", "b", "c")]

        listed = client.get(WORKFLOWS, headers=owner.headers).json

        assert listed == [{key: one[key] for key in ("id", "name", "enabled", "createdAt")} for one in reversed(made)]

    def test_only_the_callers(self, client: FlaskClient, owner: Person, stranger: Person) -> None:
        workflow(client, owner)

        assert client.get(WORKFLOWS, headers=stranger.headers).json == []

    def test_a_window_of_a_long_list(self, client: FlaskClient, owner: Person) -> None:
        for name in "abc":
            workflow(client, owner, name=name)

        second = client.get(f"{WORKFLOWS}?size=2&page=1", headers=owner.headers).json

        assert [one["name"] for one in second] == ["a"]


class TestDeleting:
    def test_takes_its_triggers_along_and_keeps_its_executions(
        self, client: FlaskClient, owner: Person, engine: Engine
    ) -> None:
        made = workflow(client, owner, trigger={"type": "webhook"})
        hook = trigger(client, owner, made["id"], "scheduler")
        run = execution(engine, owner, workflow_id=UUID(made["id"]))

        deleted = client.delete(f"{WORKFLOWS}/{made['id']}", headers=owner.headers)

        assert (deleted.status_code, deleted.data) == (204, b"")
        assert client.get(f"{WORKFLOWS}/{made['id']}", headers=owner.headers).status_code == 404
        assert client.get("/api/v1/triggers", headers=owner.headers).json == []
        assert hook["id"]
        assert client.get(f"{EXECUTIONS}/{run}", headers=owner.headers).json["workflowId"] == made["id"]

    def test_twice_is_a_404(self, client: FlaskClient, owner: Person) -> None:
        address = f"{WORKFLOWS}/{workflow(client, owner)['id']}"
        client.delete(address, headers=owner.headers)

        assert client.delete(address, headers=owner.headers).status_code == 404


class TestStartingByHand:
    def test_promises_the_execution_by_its_id(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        made = workflow(client, owner)

        started = client.post(f"{WORKFLOWS}/{made['id']}/run", json={"order": 17}, headers=owner.headers)

        (event,) = accepted_events(engine)
        assert started.status_code == 202
        assert started.json == {"executionId": str(event.execution_id), "eventId": str(event.id)}
        assert (event.trigger_type, event.payload, event.workflow_id) == ("manual", {"order": 17}, UUID(made["id"]))

    def test_needs_no_body(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        made = workflow(client, owner)

        assert client.post(f"{WORKFLOWS}/{made['id']}/run", headers=owner.headers).status_code == 202
        assert accepted_events(engine)[0].payload == {}

    def test_refuses_a_disabled_one(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        made = workflow(client, owner, enabled=False)

        refused = client.post(f"{WORKFLOWS}/{made['id']}/run", json={}, headers=owner.headers)

        assert refused.status_code == 409
        assert "disabled" in refused.json["message"]
        assert accepted_events(engine) == []

    @pytest.mark.parametrize("body", ["[]", '"x"', "7", "null", "{"])
    def test_takes_an_object_only(self, client: FlaskClient, owner: Person, body: str) -> None:
        address = f"{WORKFLOWS}/{workflow(client, owner)['id']}/run"

        refused = client.post(address, data=body, content_type="application/json", headers=owner.headers)

        assert refused.status_code == 400


class TestRefusing:
    @pytest.mark.parametrize(
        ("parts", "fields"),
        [
            ({"name": None}, {"/name"}),
            ({"name": "   "}, {"/name"}),
            ({"name": "a\x00b"}, {"/name"}),
            ({"name": 7}, {"/name"}),
            ({"name": "x" * 300}, {"/name"}),
            ({"enabled": "yes"}, {"/enabled"}),
            ({"enabled": 1}, {"/enabled"}),
            ({"trigger": "webhook"}, {"/trigger"}),
            ({"trigger": {}}, {"/trigger/type"}),
            ({"trigger": {"type": "carrier pigeon"}}, {"/trigger/type"}),
            ({"trigger": {"type": "webhook", "config": []}}, {"/trigger/config"}),
            ({"trigger": {"type": "scheduler", "config": {"intervalMinutes": 0}}}, {"/trigger/config/intervalMinutes"}),
            ({"trigger": {"type": "scheduler", "config": {"cron": "0 0 30 2 *"}}}, {"/trigger/config/cron"}),
            (
                {"trigger": {"type": "email", "config": {}}},
                {"/trigger/config/username", "/trigger/config/password"},
            ),
            ({"actions": {}}, {"/actions"}),
            ({"actions": [7]}, {"/actions/0"}),
            ({"actions": [{"config": {}}]}, {"/actions/0/type"}),
            ({"actions": [{"type": "HTTP_REQUST", "config": {}}]}, {"/actions/0/type"}),
            ({"actions": [{"type": "HTTP_REQUEST", "config": {}}]}, {"/actions/0/config/url"}),
            ({"actions": [http(body="{{ trigger.")]}, {"/actions/0/config/body"}),
            ({"actions": [http(body="{{ steps.nobody.x }}")]}, {"/actions/0/config/body"}),
            ({"actions": [http(body="{% for x in y %}")]}, {"/actions/0/config/body"}),
        ],
    )
    def test_names_the_field(self, client: FlaskClient, owner: Person, parts: Any, fields: set[str]) -> None:
        refused = client.post(WORKFLOWS, json={"name": "Orders", **parts}, headers=owner.headers)

        assert refused.status_code == 400
        assert pointers(refused.json) == fields
        assert all(detail["message"] for detail in refused.json["details"])

    def test_lists_every_problem_at_once(self, client: FlaskClient, owner: Person) -> None:
        parts = {
            "name": "Orders",
            "enabled": "x",
            "trigger": {"type": "scheduler", "config": {"cron": "never"}},
            "actions": [{"type": "HTTP_REQUEST"}, http(body="{{ nobody }}")],
        }

        refused = client.post(WORKFLOWS, json=parts, headers=owner.headers)

        assert pointers(refused.json) == {
            "/enabled",
            "/trigger/config/cron",
            "/actions/0/config/url",
            "/actions/1/config/body",
        }

    def test_the_nearest_name_is_offered(self, client: FlaskClient, owner: Person) -> None:
        actions = [{**http(), "id": "fetch"}, http(body="{{ steps.fetsh.body }}")]

        refused = client.post(WORKFLOWS, json={"name": "x", "actions": actions}, headers=owner.headers)

        assert "fetch" in refused.json["details"][0]["message"]

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            ("{", "application/json", 400),
            ("", "application/json", 400),
            ("[]", "application/json", 400),
            ("null", "application/json", 400),
            ('{"name": "x"}', "text/plain", 415),
            ('{"name": "x", "actions": ' + "[" * 300 + "]" * 300 + "}", "application/json", 400),
            ("[" * 100_000, "application/json", 400),
            ('{"name": "\ud83d"}'.encode("utf-8", "surrogatepass"), "application/json", 400),
        ],
    )
    def test_bodies_that_are_none(
        self, client: FlaskClient, owner: Person, body: Any, content_type: str, status: int
    ) -> None:
        refused = client.post(WORKFLOWS, data=body, content_type=content_type, headers=owner.headers)

        assert refused.status_code == status
        assert refused.json["statusCode"] == status

    def test_a_body_beyond_all_measure(self, client: FlaskClient, owner: Person) -> None:
        body = b'{"name": "' + b"x" * 5_000_000 + b'"}'

        refused = client.post(WORKFLOWS, data=body, content_type="application/json", headers=owner.headers)

        assert refused.status_code == 413

    def test_an_id_that_is_none(self, client: FlaskClient, owner: Person) -> None:
        assert client.get(f"{WORKFLOWS}/17", headers=owner.headers).status_code == 400
