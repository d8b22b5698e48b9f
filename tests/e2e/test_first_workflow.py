"""The way of the data, through real processes, on both stacks: webhook -> two actions -> COMPLETED -> logs -> live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from kafka import KafkaConsumer

from bench.product import Product, running
from tests.e2e.receiver import Receiver, receiving
from tests.waiting import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "embedded":
        return {}
    mongo = request.getfixturevalue("mongo_server")
    return {
        "KAFKA_BROKERS": request.getfixturevalue("kafka_brokers"),
        "MONGO_URI": f"{mongo}/flowforge_logs_{uuid4().hex[:6]}",
    }


@pytest.fixture
def product(environment: dict[str, str], tmp_path: Path) -> Iterator[Product]:
    with running(tmp_path / "home", environment) as product:
        yield product


@pytest.mark.parametrize(
    "environment", ["embedded", pytest.param("kafka and mongo", marks=pytest.mark.kafka)], indirect=True
)
def test_a_webhook_becomes_a_delivered_action(product: Product, environment: dict[str, str]) -> None:
    with receiving() as receiver:
        headers = product.register("ada")
        workflow_id, path = product.webhook_workflow(headers, _actions(receiver))
        accepted = requests.post(product.url + path, json={"order": 17}, timeout=10).json()
        execution = eventually(lambda: _finished(product, headers, workflow_id))
    assert accepted["success"] is True
    assert [(call.path, call.body) for call in receiver.calls] == [
        ("/create", {"order": 17}),
        ("/slack", {"text": "Order 17 is record 42"}),
    ]
    assert execution["status"] == "COMPLETED"
    assert execution["currentStep"] == 2
    assert execution["stepOutputs"]["step_0"]["body"] == {"id": 42}
    assert execution["stepOutputs"]["step_1"] == {"delivered": True, "statusCode": 200, "sent": True}
    expected = {"STARTED", "SUCCESS", "COMPLETED"}
    eventually(lambda: expected <= {entry["status"] for entry in _log(product, headers, execution["id"])})
    events = list(_live(product, headers, execution["id"]))
    assert [name for name, _ in events][-2:] == ["status", "end"]
    assert {data["eventType"] for name, data in events if name == "log"} == {"START", "RESULT", "EXECUTION"}
    if environment:
        _topics_hold_the_contracts_messages(environment["KAFKA_BROKERS"], workflow_id, execution["id"])


def _actions(receiver: Receiver) -> list[dict[str, Any]]:
    return [
        {
            "id": "create",
            "type": "HTTP_REQUEST",
            "config": {
                "method": "POST",
                "url": f"{receiver.url}/create",
                "body": {"order": "{{ trigger.body.order }}"},
            },
        },
        {
            "type": "SLACK_MESSAGE",
            "config": {
                "webhookUrl": f"{receiver.url}/slack",
                "message": "Order {{ trigger.body.order }} is record {{ steps.create.body.id }}",
            },
        },
    ]


def _finished(product: Product, headers: dict[str, str], workflow_id: str) -> dict[str, Any] | None:
    query = {"workflowId": workflow_id}
    page = requests.get(f"{product.url}/api/v1/executions", params=query, headers=headers, timeout=10).json()
    return next((row for row in page["content"] if row["finishedAt"]), None)


def _log(product: Product, headers: dict[str, str], execution_id: str) -> list[dict[str, Any]]:
    url = f"{product.url}/api/v1/logs/executions/{execution_id}"
    content: list[dict[str, Any]] = requests.get(url, headers=headers, timeout=10).json()["content"]
    return content


def _live(product: Product, headers: dict[str, str], execution_id: str) -> Iterator[tuple[str, Any]]:
    url = f"{product.url}/api/v1/executions/{execution_id}/live"
    with requests.get(url, headers=headers, stream=True, timeout=30) as stream:
        name = ""
        for line in stream.iter_lines(decode_unicode=True):
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                yield name, json.loads(line.removeprefix("data: "))


def _topics_hold_the_contracts_messages(brokers: str, workflow_id: str, execution_id: str) -> None:
    """Other tests write into the topics of the same broker."""
    consumer = KafkaConsumer(
        "trigger.events",
        "execution.start",
        "execution.result",
        bootstrap_servers=[brokers],
        auto_offset_reset="earliest",
        consumer_timeout_ms=5000,
    )
    found: dict[str, list[Any]] = {}
    for record in consumer:
        if workflow_id.encode() not in (record.value or b""):
            continue
        assert record.headers == []
        found.setdefault(record.topic, []).append((record.key.decode(), json.loads(record.value)))
        if sum(map(len, found.values())) >= 5:
            break
    consumer.close()
    [(key, event)] = found["trigger.events"]
    assert key == event["workflowId"]
    assert {"eventId", "triggerId", "workflowId", "userId", "triggerType", "timestamp", "payload", "metadata"} <= set(
        event
    )
    for topic, fields in {
        "execution.start": {"actionType", "actionConfig", "triggerPayload", "context"},
        "execution.result": {"status", "output"},
    }.items():
        assert [message["stepIndex"] for _, message in found[topic]] == [0, 1]
        for key, message in found[topic]:
            assert key == message["executionId"] == execution_id
            assert UUID(message["userId"])
            assert fields <= set(message)
