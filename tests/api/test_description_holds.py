"""The application against its own OpenAPI document: whatever is asked, no 5xx, and every answer as described."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from tests.api.described import OPERATIONS
from tests.api.things import EXECUTIONS, WORKFLOWS, execution, slack, trigger, workflow
from tests.conftest import MigratedDatabase, lasting_backends
from tests.engine.pipeline import working
from tests.people import Person, registered
from tests.waiting import eventually
from webapp import create_app

EXAMPLES = 5
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SLOW = {"auth.register", "auth.login"}
"""Each hashes a password."""
ENDS_CREDENTIALS = {"account.end_all_sessions"}
"""Asked by somebody whom no other test needs."""
LOOP = {
    "type": "FOR_EACH",
    "config": {"items": [1, 2]},
    "actions": [{"type": "TRANSFORM", "config": {"output": {"n": "{{ item }}"}}}],
}
APPROVAL = {"type": "WAIT", "config": {"for": "approval", "message": "Ship it?"}}


@dataclass(frozen=True, slots=True)
class Stage:
    """An application that all these tests share: to start one for each would take most of the time."""

    client: FlaskClient
    engine: Engine
    owner: Person
    waiting: dict[str, str]
    """What has run through a loop and waits now, by the names of the path parameters."""
    described: dict[str, list[Any]]
    """Endpoint -> its operations in the document."""


@pytest.fixture(scope="module")
def stage(
    migrated_database: MigratedDatabase, valkey_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with lasting_backends(migrated_database, valkey_server, tmp_path_factory.mktemp("home")) as backends:
        app = create_app(backends=backends)
        client = app.test_client(use_cookies=False)
        owner = registered(client, "owner")
        with working(backends):
            waiting = played(client, owner)
        yield Stage(client, backends.engine, owner, waiting, operations(app))


def played(client: FlaskClient, owner: Person) -> dict[str, str]:
    made = workflow(client, owner, actions=[LOOP, APPROVAL])
    started = client.post(f"{WORKFLOWS}/{made['id']}/run", json={}, headers=owner.headers).json["executionId"]

    def open_wait() -> Any:
        answer = client.get(f"{EXECUTIONS}/{started}/waits", headers=owner.headers)
        return answer.status_code == 200 and answer.json

    (wait,) = eventually(open_wait)
    token = urlsplit(wait["url"]).path.rsplit("/", 1)[-1]
    names = {"executionId": started, "number": "1", "key": "step_0", "token": token}
    return names | {"eventId": unanswered(client, owner, made["id"])}


def unanswered(client: FlaskClient, owner: Person, workflow_id: str) -> str:
    """An event whose caller had to leave without an answer."""
    asked = {"respond": "by a RESPOND step", "respondTimeout": 1}
    hook = trigger(client, owner, workflow_id, configuration=asked)
    return str(client.post(f"/webhook/{hook['webhookToken']}", json={}).json["eventId"])


def operations(app: Flask) -> dict[str, list[Any]]:
    document = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    found: dict[str, list[Any]] = {endpoint: [] for endpoint in OPERATIONS}
    for operation in (result.ok() for result in document.get_all_operations()):
        name = operation.definition.raw["operationId"].rpartition("_")[0]
        endpoint = next(endpoint for endpoint in OPERATIONS if endpoint.replace(".", "_") == name)
        found[endpoint].append(operation)
    return found


@pytest.fixture
def things(stage: Stage) -> dict[str, str]:
    """Things there are, by the names of the path parameters; made for one test, which may delete them."""
    made = workflow(stage.client, stage.owner, trigger={"type": "scheduler"}, actions=[slack()])
    hook = trigger(stage.client, stage.owner, made["id"])
    run = execution(stage.engine, stage.owner, workflow_id=UUID(made["id"]), error={"message": "away"}, status="FAILED")
    return {"workflowId": made["id"], "triggerId": hook["id"], "executionId": str(run), "token": hook["webhookToken"]}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("endpoint", sorted(OPERATIONS))
def test_every_answer_is_as_described(
    stage: Stage, things: dict[str, str], endpoint: str, mode: GenerationMode
) -> None:
    leaves = endpoint in ENDS_CREDENTIALS
    person = registered(stage.client, f"{endpoint}-{mode.value}") if leaves else stage.owner
    for operation in stage.described[endpoint]:
        if mode is GenerationMode.NEGATIVE and not can_be_wrong(operation.definition.raw):
            continue
        examples = 2 if endpoint in SLOW else EXAMPLES
        ask(operation, mode, person, {}, examples)
        if endpoint.startswith(("webhooks.", "workflows.", "triggers.", "executions.cancel")):
            ask(operation, mode, person, things, examples)
        elif operation.path_parameters and endpoint != "live.live":  # a stream that goes on while there is no end
            ask(operation, mode, person, things | stage.waiting, examples)


def can_be_wrong(described: dict[str, Any]) -> bool:
    """Whether there is anything that the description forbids: of free text and of any body, nothing."""
    bodies = described.get("requestBody", {"content": {}})["content"].values()
    schemas = [part["schema"] for part in (*described["parameters"], *bodies)]
    return any(schema.get("type", "string") != "string" or schema.keys() - {"type", "minLength"} for schema in schemas)


def ask(operation: Any, mode: GenerationMode, owner: Person, known: dict[str, str], examples: int) -> None:
    """With ids of things there are where `known` has them, else with any."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def as_described(case: Any) -> None:
        case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
        case.call_and_validate(checks=CHECKS, headers=owner.headers | {"Accept-Encoding": "identity"})

    as_described()
