"""Workflows as code: a bundle is applied as a whole or not at all, and applying it again changes nothing."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from flowforge.db.tables import TriggerRegistration, Workflow, WorkflowVersion
from flowforge.secrets import MASK
from tests.api.things import SLACK_URL, WORKFLOWS, http, pointers, slack, workflow
from tests.people import Person

APPLY, EXPORT, SCHEMA = f"{WORKFLOWS}/apply", f"{WORKFLOWS}/export", "/api/schema/workflow.json"
Json = dict[str, Any]


def document(name: str = "Orders", key: str | None = None, **parts: Any) -> Json:
    enabled = {"enabled": parts.pop("enabled")} if "enabled" in parts else {}
    return {"key": key, **enabled, "definition": {"name": name, "actions": [http()], **parts}}


def call(key: str) -> Json:
    return {"type": "RUN_WORKFLOW", "config": {"workflowId": f"key:{key}"}}


def apply(client: FlaskClient, person: Person, *documents: Json, **more: Any) -> Any:
    return client.post(APPLY, json={"workflows": documents, **more}, headers=person.headers)


def outcomes(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["outcome"] for one in answer.json["workflows"]]


def exported(client: FlaskClient, person: Person, *names: str) -> list[Json]:
    answer = client.get(EXPORT, query_string={"name": names}, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json["workflows"])


def shown(client: FlaskClient, person: Person, workflow_id: str) -> Json:
    return dict(client.get(f"{WORKFLOWS}/{workflow_id}", headers=person.headers).json)


def versions(engine: Engine) -> int:
    with Session(engine) as session:
        return len(session.scalars(select(WorkflowVersion.id)).all())


def test_new_workflows_are_created_and_known_ones_left_alone(
    client: FlaskClient, owner: Person, engine: Engine
) -> None:
    bundle = [document("Orders", "orders", trigger={"type": "webhook"}), document("Mail", actions=[slack()])]
    first = apply(client, owner, *bundle)
    before = versions(engine)

    again = apply(client, owner, *bundle)

    assert outcomes(first) == ["created", "created"]
    assert outcomes(again) == ["unchanged", "unchanged"]
    assert versions(engine) == before == 2
    assert again.json["workflows"] == [one | {"outcome": "unchanged"} for one in first.json["workflows"]]
    for one in first.json["workflows"]:
        assert shown(client, owner, one["id"])["versionId"] == one["versionId"]


def test_what_changed_gets_a_version_with_its_note(client: FlaskClient, owner: Person, engine: Engine) -> None:
    (made,) = apply(client, owner, document("Orders", "orders")).json["workflows"]

    answer = apply(client, owner, document("All orders", "orders", actions=[http(method="POST")]), note="from Git")

    assert outcomes(answer) == ["changed"]
    assert answer.json["workflows"][0]["id"] == made["id"]
    assert answer.json["workflows"][0]["versionId"] != made["versionId"]
    saved = client.get(f"{WORKFLOWS}/{made['id']}/versions", headers=owner.headers).json
    assert [(one["name"], one["note"]) for one in saved] == [("All orders", "from Git"), ("Orders", None)]


def test_switching_one_off_is_a_change_without_a_version(client: FlaskClient, owner: Person, engine: Engine) -> None:
    apply(client, owner, document(key="orders", trigger={"type": "webhook"}))

    answer = apply(client, owner, document(key="orders", trigger={"type": "webhook"}, enabled=False))

    assert outcomes(answer) == ["changed"]
    assert versions(engine) == 1
    with Session(engine) as session:
        assert session.scalars(select(Workflow.enabled)).all() == [False]
        assert session.scalars(select(TriggerRegistration.enabled)).all() == [False]
    assert outcomes(apply(client, owner, document(key="orders", trigger={"type": "webhook"}))) == ["unchanged"]


def test_a_workflow_made_by_hand_is_found_by_its_name_and_takes_the_key(
    client: FlaskClient, owner: Person, engine: Engine
) -> None:
    made = workflow(client, owner, name="Orders", actions=[http()])

    assert outcomes(apply(client, owner, document("Orders"))) == ["unchanged"]
    adopted = apply(client, owner, document("Orders", "orders"))

    assert outcomes(adopted) == ["changed"]
    assert adopted.json["workflows"][0] == {
        "key": "orders",
        "name": "Orders",
        "outcome": "changed",
        "id": made["id"],
        "versionId": made["versionId"],
    }
    assert outcomes(apply(client, owner, document("Renamed", "orders"))) == ["changed"]
    assert versions(engine) == 2


def test_a_name_that_two_workflows_have_does_not_say_which_is_meant(client: FlaskClient, owner: Person) -> None:
    workflow(client, owner, name="Orders")
    workflow(client, owner, name="Orders")

    for key in (None, "orders"):
        answer = apply(client, owner, document("Orders", key))

        assert answer.status_code == 400
        assert answer.json["details"][0]["pointer"] == "/workflows/0/definition/name"
        assert "is the name of 2 workflows" in answer.json["message"]


def test_the_problems_of_all_workflows_come_at_once_and_nothing_is_written(
    client: FlaskClient, owner: Person, engine: Engine
) -> None:
    bundle = [
        document("Fine", "fine"),
        document("Shape", actions="none"),
        document("Meaning", actions=[{"type": "HTTP_REQUEST", "config": {"url": "{{ steps.x }}", "method": "LOOK"}}]),
        document("Call", "Not A Key", actions=[call("nowhere")], enabled="yes"),
        document("Trigger", trigger={"type": "scheduler", "config": {"cron": "never"}}),
        document("Mask", actions=[slack(webhookUrl=MASK)]),
        document("Again", "fine"),
        document("Twice"),
        document("Twice", "twice"),
    ]

    answer = apply(client, owner, *bundle)

    assert answer.status_code == 400
    assert pointers(answer.json) == {
        "/workflows/1/definition/actions",
        "/workflows/2/definition/actions/0/config/url",
        "/workflows/2/definition/actions/0/config/method",
        "/workflows/3/key",
        "/workflows/3/enabled",
        "/workflows/3/definition/actions/0/config/workflowId",
        "/workflows/4/definition/trigger/config/cron",
        "/workflows/5/definition/actions/0/config/webhookUrl",
        "/workflows/6/key",
        "/workflows/7/definition/name",
    }
    assert versions(engine) == 0
    assert exported(client, owner) == []


def test_the_messages_are_those_of_saving_one(client: FlaskClient, owner: Person) -> None:
    wrong = {"name": " ", "actions": [{"type": "HTTP_REQUEST", "retry": {"attempts": 0}}, {"config": []}]}

    alone = client.post(WORKFLOWS, json=wrong, headers=owner.headers).json["details"]
    bundled = apply(client, owner, {"definition": wrong}).json["details"]

    assert bundled == [{**one, "pointer": f"/workflows/0/definition{one['pointer']}"} for one in alone]


def test_what_it_names_is_looked_for_whatever_else_is_wrong(client: FlaskClient, owner: Person) -> None:
    nowhere = "00000000-0000-0000-0000-00000000000a"
    wrong = {
        "name": "Orders",
        "settings": {"errorWorkflow": nowhere},
        "actions": [
            http(url="{{ steps.x }} {{ secrets.NONE }}", connection="nothing"),
            {"type": "RUN_WORKFLOW", "config": {"workflowId": nowhere}},
            {"type": "HTTP_REQUEST", "config": {"url": "{{ secrets.NONE }}"}, "timeout": "5"},
        ],
    }

    alone = client.post(WORKFLOWS, json=wrong, headers=owner.headers).json["details"]
    bundled = apply(client, owner, {"definition": wrong}).json["details"]

    assert [one["pointer"] for one in alone] == [
        "/actions/2/timeout",
        "/actions/0/config/url",
        "/actions/1/config/workflowId",
        "/settings/errorWorkflow",
        "/actions/0/config/connection",
        "/actions/0/config/url",
        "/actions/2/config/url",
    ]
    assert bundled == [{**one, "pointer": f"/workflows/0/definition{one['pointer']}"} for one in alone]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/workflows"),
        ({"workflows": []}, "/workflows"),
        ({"workflows": "all"}, "/workflows"),
        ({"workflows": [1]}, "/workflows/0/definition"),
        ({"workflows": [{"definition": None}]}, "/workflows/0/definition"),
        ({"workflows": [{"definition": {"name": "x"}}], "dryRun": "no"}, "/dryRun"),
        ({"workflows": [{"definition": {"name": "x"}}], "prune": True}, "/prune"),
        ({"workflows": [{"definition": {"name": "x"}}], "note": 1}, "/note"),
        ({"workflows": [{"definition": {"name": "x"}}] * 201}, "/workflows"),
        ({"workflows": [{"definition": {"name": "x\x00"}}]}, "/workflows/0/definition/name"),
        ({"workflows": [{"definition": {"name": "x" * 300}}]}, "/workflows/0/definition/name"),
    ],
    ids=["none", "empty", "text", "number", "null", "dry-run", "prune", "note", "many", "nul", "long"],
)
def test_bundles_that_cannot_be_meant(client: FlaskClient, owner: Person, body: Json, pointer: str) -> None:
    answer = client.post(APPLY, json=body, headers=owner.headers)

    assert answer.status_code == 400
    assert pointers(answer.json) == {pointer}


def test_a_dry_run_tells_and_does_nothing(client: FlaskClient, owner: Person, engine: Engine) -> None:
    apply(client, owner, document("Orders", "orders", actions=[slack()]))
    wanted = [document("Orders", "orders", actions=[slack(message="new")]), document("More", "more")]

    answer = apply(client, owner, *wanted, dryRun=True)

    assert outcomes(answer) == ["changed", "created"]
    changed, created = answer.json["workflows"]
    assert changed["before"]["definition"]["actions"][0]["config"] == {"webhookUrl": MASK, "message": "hello"}
    assert changed["after"]["definition"]["actions"][0]["config"] == {"webhookUrl": MASK, "message": "new"}
    assert created["before"] is None
    assert created["after"]["key"] == "more"
    assert versions(engine) == 1
    assert [one["key"] for one in exported(client, owner)] == ["orders"]


def test_an_export_applies_as_unchanged_and_keeps_the_secrets(
    client: FlaskClient, owner: Person, engine: Engine
) -> None:
    mailbox = {"type": "email", "config": {"username": "me", "password": "hush"}}
    nested = {"type": "PARALLEL", "branches": [{"name": "a", "actions": [slack()]}]}
    apply(client, owner, document("A", "a", trigger=mailbox, actions=[nested], settings={"timeout": 60}), document("B"))

    out = exported(client, owner)

    assert SLACK_URL not in str(out)
    assert "hush" not in str(out)
    assert outcomes(apply(client, owner, *out)) == ["unchanged", "unchanged"]
    out[0]["definition"]["settings"] = {"timeout": 90}
    assert outcomes(apply(client, owner, *out)) == ["changed", "unchanged"]
    with Session(engine) as session:
        sealed = str(session.scalars(select(Workflow.actions_definition)).all())
        assert MASK not in sealed
        assert "enc:v1:" in sealed


class TestNamesThatSeveralHave:
    def test_an_export_applies_as_it_is(self, client: FlaskClient, owner: Person) -> None:
        for _ in range(2):
            workflow(client, owner, name="Same")
        workflow(client, owner, name="Other")

        out = exported(client, owner)

        assert ["key" in one for one in out] == [False, True, True], "Other, Same, Same"
        assert outcomes(apply(client, owner, *out)) == ["unchanged"] * 3
        assert outcomes(apply(client, owner, *exported(client, owner, "Same"))) == ["unchanged"] * 2
        assert exported(client, owner) == out, "nothing was written"
        out[1]["definition"]["name"] = "Renamed"
        assert outcomes(apply(client, owner, *out)) == ["unchanged", "changed", "unchanged"]
        assert [one["definition"]["name"] for one in exported(client, owner)] == ["Other", "Renamed", "Same"]

    def test_one_with_a_key_beside_one_without(self, client: FlaskClient, owner: Person) -> None:
        apply(client, owner, document("Same", "own"))
        workflow(client, owner, name="Same")

        assert outcomes(apply(client, owner, *exported(client, owner))) == ["unchanged"] * 2

    def test_elsewhere_they_are_made_once(self, client: FlaskClient, owner: Person, stranger: Person) -> None:
        for _ in range(2):
            workflow(client, owner, name="Same")
        out = exported(client, owner)
        apply(client, stranger, document("Same", actions=[]))

        assert outcomes(apply(client, stranger, *out)) == ["created"] * 2
        assert outcomes(apply(client, stranger, *out)) == ["unchanged"] * 2
        assert outcomes(apply(client, owner, *out)) == ["unchanged"] * 2


def test_a_changed_secret_is_a_change(client: FlaskClient, owner: Person) -> None:
    apply(client, owner, document(actions=[slack()]))

    assert outcomes(apply(client, owner, document(actions=[slack()]))) == ["unchanged"]
    assert outcomes(apply(client, owner, document(actions=[slack(webhookUrl=SLACK_URL + "2")]))) == ["changed"]


def test_numbers_stay_what_they_are(client: FlaskClient, owner: Person) -> None:
    def config(value: Any) -> Json:
        return document(actions=[{"type": "TRANSFORM", "config": {"output": {"n": value, "nul": "\x00"}}}])

    for value in (1, 1.0, 1e300, 0.1, -0.0, 2**63 - 1):
        apply(client, owner, config(value))
        assert outcomes(apply(client, owner, config(value))) == ["unchanged"], value
    apply(client, owner, config(1))
    assert outcomes(apply(client, owner, config(True))) == ["changed"]


class TestCalls:
    def test_workflows_of_a_bundle_call_each_other_by_key_in_any_order(
        self, client: FlaskClient, owner: Person
    ) -> None:
        bundle = [
            document("Outer", "outer", actions=[call("inner")], settings={"errorWorkflow": "key:alarm"}),
            document("Inner", "inner"),
            document("Alarm", "alarm"),
        ]

        answer = apply(client, owner, *bundle)

        assert outcomes(answer) == ["created"] * 3
        outer, inner, alarm = answer.json["workflows"]
        stored = shown(client, owner, outer["id"])
        assert stored["actions"][0]["config"]["workflowId"] == inner["id"]
        assert stored["settings"]["errorWorkflow"] == alarm["id"]
        assert outcomes(apply(client, owner, *bundle)) == ["unchanged"] * 3
        (out,) = exported(client, owner, "outer")
        assert out["definition"]["actions"] == [call("inner")]
        assert out["definition"]["settings"] == {"errorWorkflow": "key:alarm"}

    def test_an_unknown_key_names_the_nearest(self, client: FlaskClient, owner: Person) -> None:
        apply(client, owner, document("Inner", "inner"))

        answer = apply(client, owner, document("Outer", actions=[call("iner")]))

        assert answer.status_code == 400
        assert "there is no workflow with the key 'iner'; did you mean 'inner'?" in answer.json["message"]
        assert len(answer.json["details"]) == 1

    def test_a_circle_inside_a_bundle_is_refused(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        answer = apply(client, owner, document("A", "a", actions=[call("b")]), document("B", "b", actions=[call("a")]))

        assert answer.status_code == 400
        assert "in a circle" in answer.json["message"]
        assert versions(engine) == 0

    def test_a_call_may_change_its_direction(self, client: FlaskClient, owner: Person) -> None:
        apply(client, owner, document("A", "a", actions=[call("b")]), document("B", "b"))

        answer = apply(client, owner, document("B", "b", actions=[call("a")]), document("A", "a"))

        assert outcomes(answer) == ["changed", "changed"]

    def test_a_wrong_neighbour_is_no_second_problem(self, client: FlaskClient, owner: Person) -> None:
        answer = apply(client, owner, document("A", "a", actions=[call("b")]), document(" ", "b"))

        assert pointers(answer.json) == {"/workflows/1/definition/name"}


def test_other_peoples_workflows_are_neither_seen_nor_touched(
    client: FlaskClient, owner: Person, stranger: Person
) -> None:
    apply(client, owner, document("Orders", "orders"))

    assert exported(client, stranger) == []
    assert outcomes(apply(client, stranger, document("Orders", "orders"), dryRun=True)) == ["created"]
    assert apply(client, stranger, document("X", actions=[call("orders")])).status_code == 400
    assert outcomes(apply(client, stranger, document("Orders", "orders", actions=[]))) == ["created"]
    assert outcomes(apply(client, owner, document("Orders", "orders"))) == ["unchanged"]


def test_exports_are_chosen_by_key_or_name_and_come_in_pages(client: FlaskClient, owner: Person) -> None:
    apply(client, owner, *[document(f"W{number}", f"k{number}") for number in range(3)])

    assert [one["key"] for one in exported(client, owner, "k2", "W0")] == ["k0", "k2"]
    page = client.get(EXPORT, query_string={"page": 1, "size": 2}, headers=owner.headers).json["workflows"]
    assert [one["key"] for one in page] == ["k2"]


def test_the_schema_is_public_and_valid(client: FlaskClient) -> None:
    answer = client.get(SCHEMA)

    assert answer.status_code == 200
    assert answer.mimetype == "application/schema+json"
    jsonschema.Draft202012Validator.check_schema(answer.json)
    assert not list(jsonschema.Draft202012Validator(answer.json).iter_errors(document()["definition"]))
