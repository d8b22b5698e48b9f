"""Workflows, triggers and executions for the tests: made as clients make them, or laid into the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from flowforge.db.tables import DeadLetter, ExecutionRow, TriggerEventRow, TriggerRegistration
from flowforge.ids import uuid7
from tests.people import Person

WORKFLOWS, TRIGGERS, EXECUTIONS = "/api/v1/workflows", "/api/v1/triggers", "/api/v1/executions"
SLACK_URL = "https://hooks.slack.example/services/T0/B0/very-secret"


def slack(**config: Any) -> dict[str, Any]:
    return {"type": "SLACK_MESSAGE", "config": {"webhookUrl": SLACK_URL, "message": "hello", **config}}


def http(**config: Any) -> dict[str, Any]:
    return {"type": "HTTP_REQUEST", "config": {"url": "https://example.test/", **config}}


def workflow(client: FlaskClient, person: Person, **parts: Any) -> dict[str, Any]:
    answer = client.post(WORKFLOWS, json={"name": "Orders", **parts}, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def change(client: FlaskClient, person: Person, workflow_id: str, **parts: Any) -> Any:
    return client.put(f"{WORKFLOWS}/{workflow_id}", json=parts, headers=person.headers)


def trigger(
    client: FlaskClient, person: Person, workflow_id: str, kind: str = "webhook", **parts: Any
) -> dict[str, Any]:
    wanted = {"workflowId": workflow_id, "triggerType": kind, **parts}
    answer = client.post(TRIGGERS, json=wanted, headers=person.headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def triggers_of(client: FlaskClient, person: Person, workflow_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"{TRIGGERS}/workflow/{workflow_id}", headers=person.headers)
    assert answer.status_code == 200
    return list(answer.json)


def execution(engine: Engine, person: Person, **columns: Any) -> UUID:
    """As the orchestrator leaves it in the table."""
    values = {"workflow_id": UUID(int=1), "status": "COMPLETED", "current_step": 1, "trigger_payload": {}} | columns
    with Session(engine) as session:
        row = ExecutionRow(user_id=person.id, step_outputs=values.pop("step_outputs", {}), **values)
        session.add(row)
        session.commit()
        return row.id


def dead_letter(engine: Engine, person: Person, value: bytes = b"{}") -> str:
    """As a worker buries it."""
    with Session(engine) as session:
        row = DeadLetter(
            topic="execution.result",
            consumer_group="orchestrator",
            position=uuid7().hex,
            key="key",
            value=value,
            reason="it is not JSON",
            user_id=person.id,
        )
        session.add(row)
        session.commit()
        return str(row.id)


def stored_trigger(engine: Engine, trigger_id: str) -> TriggerRegistration:
    with Session(engine, expire_on_commit=False) as session:
        return session.get_one(TriggerRegistration, UUID(trigger_id))


def accepted_events(engine: Engine) -> list[TriggerEventRow]:
    with Session(engine, expire_on_commit=False) as session:
        return list(session.scalars(select(TriggerEventRow).order_by(TriggerEventRow.id)))


def pointers(error: Mapping[str, Any]) -> set[str]:
    """The fields that a 400 names."""
    return {detail["pointer"] for detail in error["details"]}
