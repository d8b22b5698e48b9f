"""What belongs to one user does not exist for another: every route, 404 and nothing changed; and 401 for nobody."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge.db.tables import FrameRow, OpenBlockRow
from tests.api.described import OPERATIONS
from tests.api.things import EXECUTIONS, TRIGGERS, WORKFLOWS, dead_letter, execution, trigger, workflow
from tests.descriptions import as_file, petstore
from tests.people import PASSWORD, Person

STEP = {"id": "first", "type": "TRANSFORM", "config": {"output": {}}}
SLACK = {"name": "team", "type": "slack", "config": {"webhookUrl": "https://hooks.example.test/"}}
PETS = {"file": as_file(petstore())}
BODIES: dict[str, Any] = {
    "apis.choose_actions": {"actions": []},
    "apis.add_version": PETS,
    "tables.replace": {"name": "stolen", "columns": [{"name": "a"}]},
    "tables.add_rows": {"rows": [{"a": "stolen"}]},
    "tables.find_rows": {},
    "tables.import_rows": "a",
    "tables.change_row": {"values": {"a": "stolen"}},
    "connections.replace": {"config": {}},
    "workflows.replace": {"name": "Stolen"},
    "workflows.run": {},
    "triggers.replace": {"enabled": False},
    "finding.set_tags": {"tags": ["stolen"]},
    "folders.place": {"folder": "stolen"},
    "list_fields.choose": {"listField": "stolen"},
    "versions.save_draft": {"definition": {"name": "Stolen", "actions": [STEP]}},
    "versions.restore": {},
    "versions.duplicate": {"name": "Stolen"},
    "versions.publish": {"overwrite": True},
    "trials.pin": {"stolen": True},
    "trials.test_step": {},
    "trials.preview": {"text": "{{ trigger }}"},
    "administration.change_role": {"role": "member"},
    "administration.change_quotas": {},
    "administration.remove_second_factor": {"password": PASSWORD},
}
LISTS_OF_NOTHING = {"triggers.list_of_workflow", "logs.of_execution", "logs.of_workflow"}
"""Asked about a stranger's thing these answer that there is nothing, as the contract has it."""


@pytest.fixture
def ids(client: FlaskClient, owner: Person, stranger: Person, engine: Engine) -> dict[str, str]:
    made, deleted = workflow(client, owner, actions=[STEP]), workflow(client, owner)
    client.delete(f"{WORKFLOWS}/{deleted['id']}", headers=owner.headers)
    table = client.post("/api/v1/tables", json={"name": "t", "columns": [{"name": "a"}]}, headers=owner.headers).json
    rows = client.post(f"/api/v1/tables/{table['id']}/rows", json={"rows": [{"a": "mine"}]}, headers=owner.headers).json
    api = client.post("/api/v1/apis", json=PETS, headers=owner.headers).json
    return {
        "workflow_id": made["id"],
        "deleted_workflow_id": deleted["id"],
        "version_id": made["versionId"],
        "step_id": "first",
        "trigger_id": trigger(client, owner, made["id"])["id"],
        "execution_id": in_a_block(
            engine,
            execution(engine, owner, workflow_id=UUID(made["id"]), status="RUNNING", step_outputs={"step_0": {}}),
        ),
        "key": "step_0",
        "number": "1",
        "token_id": client.post("/api/v1/tokens", json={"name": "Mine"}, headers=owner.headers).json["id"],
        "session_id": client.get("/api/v1/sessions", headers=owner.headers).json[0]["id"],
        "letter_id": dead_letter(engine, owner),
        "account_id": str(stranger.id),
        "invitation_id": client.post("/api/v1/admin/invitations", json={}, headers=owner.headers).json["id"],
        "table_id": table["id"],
        "row_id": rows[0]["row"]["id"],
        "api_id": api["id"],
        "api_version_id": api["versions"][0]["id"],
        "connection_id": client.post("/api/v1/connections", json=SLACK, headers=owner.headers).json["id"],
    }


def in_a_block(engine: Engine, execution_id: UUID) -> str:
    """The execution's first step is a block with one frame."""
    block = {
        "frame": 0,
        "step_index": 0,
        "first_frame": 1,
        "total": 1,
        "at_once": 1,
        "begun": 1,
        "ended": 0,
        "failed": 0,
    }
    frame = {"number": 1, "block_frame": 0, "block_step": 0, "position": 0, "status": "RUNNING", "current_step": 1}
    with Session(engine) as session:
        session.add(OpenBlockRow(execution_id=execution_id, closure={}, **block))
        session.add(FrameRow(execution_id=execution_id, outputs={}, **frame))
        session.commit()
    return str(execution_id)


def routes_to_one_thing(app: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, rule) of everything that needs a sign-in and names a thing."""
    return [
        (rule.endpoint, method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if rule.endpoint in OPERATIONS and not OPERATIONS[rule.endpoint].public and "<uuid:" in rule.rule
    ]


def test_a_stranger_finds_nothing_and_changes_nothing(
    app: Flask, client: FlaskClient, owner: Person, stranger: Person, ids: dict[str, str]
) -> None:
    def everything() -> list[str]:
        places = [f"{WORKFLOWS}/{ids['workflow_id']}", TRIGGERS, f"{EXECUTIONS}/{ids['execution_id']}"]
        return [client.get(place, headers=owner.headers).text for place in places]

    before = everything()
    routes = routes_to_one_thing(app)
    for endpoint, method, rule in routes:
        path = re.sub(r"<(?:uuid:|int:)?(\w+)>", lambda found: ids[found.group(1)], rule)
        answer = client.open(path, method=method, json=BODIES.get(endpoint), headers=stranger.headers)
        if endpoint in LISTS_OF_NOTHING:
            assert answer.json == [] or answer.json["totalElements"] == 0, rule
        elif endpoint.startswith("administration."):
            assert answer.status_code == 403, (method, rule)
        else:
            assert answer.status_code == 404, (method, rule)
            assert answer.json["message"].startswith("there is no such"), (method, rule)

    assert len(routes) > 10
    assert everything() == before


def test_the_owner_finds_everything(app: Flask, client: FlaskClient, owner: Person, ids: dict[str, str]) -> None:
    for endpoint, method, rule in routes_to_one_thing(app):
        if method != "DELETE" and endpoint not in {"live.live", "trigger_checks.try_out"}:
            path = re.sub(r"<(?:uuid:|int:)?(\w+)>", lambda found: ids[found.group(1)], rule)
            answer = client.open(path, method=method, json=BODIES.get(endpoint), headers=owner.headers)
            assert answer.status_code in {200, 201, 202, 204, 409}, (method, rule)  # 409: found, but in no state for it


def test_a_trigger_for_a_strangers_workflow_is_not_made(
    client: FlaskClient, owner: Person, stranger: Person, ids: dict[str, str]
) -> None:
    wanted = {"workflowId": ids["workflow_id"], "triggerType": "webhook"}

    assert client.post(TRIGGERS, json=wanted, headers=stranger.headers).status_code == 404
    assert len(client.get(TRIGGERS, headers=owner.headers).json) == 1


def test_a_strangers_posted_trigger_takes_nothing_over(client: FlaskClient, owner: Person, stranger: Person) -> None:
    made = workflow(client, owner, trigger={"type": "webhook"})
    (before,) = client.get(TRIGGERS, headers=owner.headers).json

    client.post(TRIGGERS, json={"workflowId": made["id"], "triggerType": "webhook"}, headers=stranger.headers)

    assert client.get(TRIGGERS, headers=owner.headers).json == [before]
