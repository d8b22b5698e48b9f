"""Secrets in workflows: sealed in the tables, masked in every answer, kept where a mask comes back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import Workflow
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.api.things import SLACK_URL, WORKFLOWS, change, http, pointers, slack, workflow
from tests.people import Person

MAIL = {"type": "email", "config": {"username": "me@example.test", "password": "mail-pass"}}


@pytest.fixture
def opened(engine: Engine, backends: Backends) -> Any:
    """The configs of a workflow's actions as the executor will use them."""

    def configs(workflow_id: str) -> list[dict[str, Any]]:
        with Session(engine) as session:
            actions = session.get_one(Workflow, UUID(workflow_id)).actions_definition or []
        return [load_catalog().open(one["type"], one["config"], backends.vault) for one in actions]

    return configs


def test_no_answer_and_no_table_shows_one(client: FlaskClient, owner: Person, engine: Engine) -> None:
    made = workflow(client, owner, trigger=MAIL, actions=[slack(), http(secretHeaders={"X-Key": "hidden-key"})])
    address = f"{WORKFLOWS}/{made['id']}"
    read = client.get(address, headers=owner.headers)
    versions = client.get(f"{address}/versions", headers=owner.headers)
    triggers = client.get("/api/v1/triggers", headers=owner.headers)

    tables = "workflow.workflows", "workflow.workflow_versions", "trigger_service.trigger_registrations"
    with engine.connect() as connection:
        stored = [str(connection.execute(text(f"SELECT to_jsonb(t) FROM {table} t")).all()) for table in tables]

    assert made["actions"][0]["config"]["webhookUrl"] == MASK
    assert made["actions"][1]["config"]["secretHeaders"] == {"X-Key": MASK}
    assert made["trigger"]["config"]["password"] == MASK
    for place in [read.text, versions.text, triggers.text, *stored]:
        assert "very-secret" not in place
        assert "hidden-key" not in place
        assert "mail-pass" not in place


def test_a_name_says_what_is_one(client: FlaskClient, owner: Person, engine: Engine, opened: Any) -> None:
    config = {
        "url": "https://x.test/?token=hidden-u&n=1",
        "headers": {"Authorization": "Bearer hidden-h", "X-Plain": "seen"},
        "query": {"api_key": "hidden-q", "page": "2"},
    }
    made = workflow(client, owner, actions=[http(**config)])
    shown = made["actions"][0]["config"]
    assert shown["url"] == f"https://x.test/?token={MASK}&n=1"
    assert shown["headers"] == {"Authorization": MASK, "X-Plain": "seen"}
    assert shown["query"] == {"api_key": MASK, "page": "2"}
    with engine.connect() as connection:
        for table in ("workflows", "workflow_versions"):
            rows = connection.execute(text(f"SELECT to_jsonb(t) FROM workflow.{table} t")).all()
            assert "hidden" not in str(rows)
    saved = change(client, owner, made["id"], actions=[{**made["actions"][0], "config": {**shown, "method": "POST"}}])
    assert saved.status_code == 200
    assert opened(made["id"])[0] == {**opened(made["id"])[0], **config, "method": "POST"}


def test_a_masked_name_needs_something_stored(client: FlaskClient, owner: Person) -> None:
    config = {"url": f"https://x.test/?token={MASK}", "headers": {"Authorization": MASK}}
    refused = client.post(WORKFLOWS, json={"name": "w", "actions": [http(**config)]}, headers=owner.headers)
    assert refused.status_code == 400
    assert pointers(refused.json) == {"/actions/0/config/headers/Authorization", "/actions/0/config/url"}


def test_an_expression_is_none(client: FlaskClient, owner: Person) -> None:
    made = workflow(client, owner, actions=[slack(webhookUrl="{{ trigger.body.url }}")])

    assert made["actions"][0]["config"]["webhookUrl"] == "{{ trigger.body.url }}"


class TestKeeping:
    def test_what_was_read_can_be_sent_back(self, client: FlaskClient, owner: Person, opened: Any) -> None:
        made = workflow(client, owner, trigger=MAIL, actions=[slack(), http(secretHeaders={"X-Key": "hidden-key"})])

        saved = change(client, owner, made["id"], **made)

        assert saved.status_code == 200
        assert opened(made["id"])[0]["webhookUrl"] == SLACK_URL
        assert opened(made["id"])[1]["secretHeaders"] == {"X-Key": "hidden-key"}

    def test_parts_that_are_left_out_keep_theirs(
        self, client: FlaskClient, owner: Person, opened: Any, engine: Engine, backends: Backends
    ) -> None:
        made = workflow(client, owner, trigger=MAIL, actions=[slack()])

        change(client, owner, made["id"], name="once")
        change(client, owner, made["id"], name="twice")

        assert opened(made["id"])[0]["webhookUrl"] == SLACK_URL
        with Session(engine) as session:
            kept = session.get_one(Workflow, UUID(made["id"])).trigger_definition
        assert kept is not None
        assert backends.vault.open(kept["config"]["password"]) == "mail-pass"

    def test_a_new_secret_replaces_the_old(self, client: FlaskClient, owner: Person, opened: Any) -> None:
        made = workflow(client, owner, actions=[slack()])

        change(client, owner, made["id"], actions=[slack(webhookUrl="https://other.example/hook")])

        assert opened(made["id"])[0]["webhookUrl"] == "https://other.example/hook"

    def test_an_action_that_moved_takes_its_own_along(self, client: FlaskClient, owner: Person, opened: Any) -> None:
        first, second = slack(webhookUrl="https://a.example/1", message="a"), slack(message="b")
        made = workflow(client, owner, actions=[first, second])
        shown = made["actions"]

        change(client, owner, made["id"], actions=[slack(webhookUrl="https://new.example/"), shown[1], shown[0]])

        assert [config["webhookUrl"] for config in opened(made["id"])] == [
            "https://new.example/",
            SLACK_URL,
            "https://a.example/1",
        ]

    def test_an_id_says_which_action_it_is(self, client: FlaskClient, owner: Person, opened: Any) -> None:
        first, second = {**slack(webhookUrl="https://a.example/1"), "id": "a"}, {**slack(), "id": "b"}
        made = workflow(client, owner, actions=[first, second])
        renamed = {**slack(webhookUrl=MASK, message="changed"), "id": "a"}

        change(client, owner, made["id"], actions=[renamed])

        assert opened(made["id"])[0]["webhookUrl"] == "https://a.example/1"

    def test_an_edited_action_at_its_place_keeps_it(self, client: FlaskClient, owner: Person, opened: Any) -> None:
        made = workflow(client, owner, actions=[slack()])

        change(client, owner, made["id"], actions=[slack(webhookUrl=MASK, message="changed")])

        assert opened(made["id"])[0] == {"webhookUrl": SLACK_URL, "message": "changed"}


class TestMasksOfNothing:
    def test_are_refused_when_a_workflow_is_made(self, client: FlaskClient, owner: Person) -> None:
        parts = {"name": "x", "trigger": {**MAIL, "config": {**MAIL["config"], "password": MASK}}}  # type: ignore[dict-item]
        actions = [slack(webhookUrl=MASK), http(secretHeaders={"X-Key": MASK})]

        refused = client.post(WORKFLOWS, json={**parts, "actions": actions}, headers=owner.headers)

        assert refused.status_code == 400
        assert pointers(refused.json) == {
            "/trigger/config/password",
            "/actions/0/config/webhookUrl",
            "/actions/1/config/secretHeaders/X-Key",
        }

    def test_are_refused_where_another_type_was(self, client: FlaskClient, owner: Person) -> None:
        made = workflow(client, owner, actions=[slack()])

        refused = change(client, owner, made["id"], actions=[http(bearerToken=MASK)])

        assert pointers(refused.json) == {"/actions/0/config/bearerToken"}

    def test_are_text_where_nothing_is_secret(self, client: FlaskClient, owner: Person) -> None:
        made = workflow(client, owner, actions=[slack(message=MASK)])

        assert made["actions"][0]["config"]["message"] == MASK


def test_a_secret_that_looks_sealed_is_one_like_any_other(client: FlaskClient, owner: Person, opened: Any) -> None:
    forged = "enc:v1:not-ours"
    made = workflow(client, owner, trigger={**MAIL, "config": {**MAIL["config"], "password": forged}}, actions=[])  # type: ignore[dict-item]
    change(client, owner, made["id"], actions=[slack(webhookUrl=forged)])

    assert opened(made["id"])[0]["webhookUrl"] == forged
