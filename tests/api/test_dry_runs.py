"""What would happen, worked out without calling anybody: a whole workflow, what is known at a place, one expression."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer

from flowforge.secrets import MASK
from tests.people import Person

Json = dict[str, Any]
SHAPE: Json = {"id": "shape", "type": "TRANSFORM", "config": {"output": {"rows": "{{ trigger.rows }}"}}}
SLACK: Json = {
    "id": "tell",
    "type": "SLACK_MESSAGE",
    "config": {"webhookUrl": "https://hooks.example.test/s3cret", "message": "{{ item }} of {{ steps.fetch.total }}"},
}
WAY: Json = {
    "id": "way",
    "type": "BRANCH",
    "branches": [{"name": "many", "when": "{{ steps.shape.rows | length > 1 }}", "actions": []}],
    "else": [{"id": "never", "type": "TRANSFORM", "config": {"output": {}}}],
}


@pytest.fixture
def fetch(httpserver: HTTPServer) -> Json:
    return {"id": "fetch", "type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/{{ trigger.rows[0] }}")}}


@pytest.fixture
def workflow(client: FlaskClient, owner: Person, fetch: Json) -> str:
    loop = {"id": "each", "type": "FOR_EACH", "config": {"items": "{{ steps.shape.rows }}"}, "actions": [SLACK]}
    definition = {"name": "Dry", "actions": [fetch, SHAPE, WAY, loop], "enabled": False}
    made = client.post("/api/v1/workflows", json=definition, headers=owner.headers)
    assert made.status_code == 201, made.text
    return f"/api/v1/workflows/{made.json['id']}"


@pytest.fixture
def dry(client: FlaskClient, owner: Person, workflow: str) -> Any:
    def run(payload: Json | None = None, query: str = "dryRun=true") -> Any:
        answer = client.post(f"{workflow}/run?{query}", json=payload, headers=owner.headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    return run


def by_id(told: Any) -> dict[str, Any]:
    return {row["id"]: row for row in told["steps"]}


def test_everything_is_resolved_and_nobody_is_called(dry: Any, httpserver: HTTPServer) -> None:
    told = dry({"rows": ["a", "b"]})
    rows = by_id(told)
    assert rows["fetch"]["config"]["url"].endswith("/a")
    assert (rows["shape"]["output"], rows["shape"]["source"]) == ({"rows": ["a", "b"]}, "computed")
    assert rows["way"]["would"] == {"branch": "many"}
    assert "never" not in rows
    assert rows["each"]["would"] == {"count": 2, "items": ["a", "b"]}
    assert rows["tell"]["config"] == {"webhookUrl": MASK, "message": "(not known: fetch)"}
    assert (rows["tell"]["pointer"], rows["tell"]["unknown"]) == ("/actions/3/actions/0", ["/config/message"])
    assert (told["errors"], told["unknown"], told["complete"]) == (0, 1, True)
    assert httpserver.log == []


def test_what_is_pinned_makes_known_what_was_not(client: FlaskClient, owner: Person, workflow: str, dry: Any) -> None:
    client.put(f"{workflow}/pins/fetch", json={"total": 7}, headers=owner.headers)
    client.put(f"{workflow}/pins/trigger", json={"rows": ["pinned"]}, headers=owner.headers)
    rows = by_id(dry())
    assert rows["tell"]["config"]["message"] == "pinned of 7"
    assert rows["fetch"]["source"] == "pinned"


def test_all_errors_are_told_at_once(client: FlaskClient, owner: Person, workflow: str, dry: Any, fetch: Json) -> None:
    wrong = {"id": "wrong", "type": "HTTP_REQUEST", "config": {"url": "{{ trigger.url }}"}}
    unset = {"id": "unset", "type": "TRANSFORM", "config": {"output": {"a": ["{{ trigger.nope }}"]}}}
    definition = {"name": "Dry", "actions": [wrong, unset]}
    client.put(f"{workflow}/draft", json={"definition": definition}, headers=owner.headers)
    told = dry({"url": ""}, "dryRun=true&draft=true")
    rows = by_id(told)
    assert told["errors"] == 2
    assert rows["unset"]["field"] == "config.output.a[0]"
    assert "'nope'" in rows["unset"]["error"]
    assert "url" in rows["wrong"]["error"]
    assert set(by_id(dry({"rows": [1]}))) >= {"fetch", "shape"}, "without draft, what is published"


def test_secrets_and_connections_are_believed_and_never_looked_at(
    client: FlaskClient, owner: Person, workflow: str, dry: Any
) -> None:
    client.put("/api/v1/secrets/HOOK", json={"value": "https://hooks.example.test/s3cret"}, headers=owner.headers)
    slack = {"name": "team", "type": "slack", "config": {"webhookUrl": "https://hooks.example.test/s3cret"}}
    assert client.post("/api/v1/connections", json=slack, headers=owner.headers).status_code == 201
    actions = [
        {"id": "call", "type": "HTTP_REQUEST", "config": {"url": "{{ secrets.HOOK }}"}},
        {"id": "tell", "type": "SLACK_MESSAGE", "config": {"connection": "team", "message": "{{ trigger.who }}"}},
    ]
    client.put(f"{workflow}/draft", json={"definition": {"name": "Dry", "actions": actions}}, headers=owner.headers)
    answer = client.post(f"{workflow}/run?dryRun=true&draft=true", json={"who": "Ada"}, headers=owner.headers)
    rows = by_id(answer.json)
    assert [row["error"] for row in rows.values()] == [None, None]
    assert rows["tell"]["config"] == {"connection": "team", "message": "Ada"}
    assert "s3cret" not in answer.text


def test_a_draft_that_is_not_whole_is_refused(client: FlaskClient, owner: Person, workflow: str) -> None:
    draft = {"name": "Dry", "actions": [{"type": "HTTP_REQUEST"}]}
    client.put(f"{workflow}/draft", json={"definition": draft}, headers=owner.headers)
    answer = client.post(f"{workflow}/run?dryRun=true&draft=true", headers=owner.headers)
    assert answer.status_code == 400
    assert [detail["pointer"] for detail in answer.json["details"]] == ["/actions/0/config/url"]


def test_stops_handlers_and_ways_nobody_knows(
    client: FlaskClient, owner: Person, workflow: str, dry: Any, fetch: Json
) -> None:
    unknown_way = {
        "id": "unknown",
        "type": "BRANCH",
        "branches": [{"name": "yes", "when": "{{ steps.fetch.ok }}", "actions": [{"id": "stop1", "type": "STOP"}]}],
        "else": [{"id": "other", "type": "TRANSFORM", "config": {"output": {}}}],
    }
    handled = {
        **SHAPE,
        "onError": [{"id": "handle", "type": "TRANSFORM", "config": {"output": {"was": "{{ error.step }}"}}}],
    }
    off = {**SHAPE, "id": "off", "when": "{{ trigger.rows | length > 5 }}"}
    stop = {"id": "stop", "type": "STOP", "config": {"message": "enough"}}
    actions = [fetch, unknown_way, handled, off, stop, {"id": "late", "type": "TRANSFORM", "config": {"output": {}}}]
    client.put(f"{workflow}/draft", json={"definition": {"name": "Dry", "actions": actions}}, headers=owner.headers)
    told = dry({"rows": [1]}, "dryRun=true&draft=true")
    rows = by_id(told)
    assert [(rows[name]["runs"]) for name in ("stop1", "other", "shape", "off")] == [None, None, True, False]
    assert (rows["handle"]["onError"], rows["handle"]["output"]) == (True, {"was": "shape"})
    assert told["stoppedBy"] == {"step": "stop", "status": "completed", "message": "enough", "output": None}
    assert "late" not in rows


def test_the_data_at_a_place_says_where_it_comes_from(client: FlaskClient, owner: Person, workflow: str) -> None:
    client.put(f"{workflow}/pins/trigger", json={"rows": ["x" * 5_000]}, headers=owner.headers)
    found = client.get(f"{workflow}/data?at=/actions/3/actions/0", headers=owner.headers).json
    assert (found["trigger"], found["steps"]["fetch"], found["steps"]["shape"]) == ("pinned", "unknown", "computed")
    assert found["roots"]["item"].endswith("… (3,000 more characters)")
    assert client.get(f"{workflow}/data?at=/actions/9", headers=owner.headers).status_code == 400


def test_an_expression_is_previewed_on_the_whole_data(client: FlaskClient, owner: Person, workflow: str) -> None:
    def preview(text: str, at: str = "/actions/3/actions/0") -> Any:
        return client.post(f"{workflow}/preview", json={"text": text, "pointer": at}, headers=owner.headers).json

    client.put(f"{workflow}/pins/trigger", json={"rows": ["x" * 5_000]}, headers=owner.headers)
    assert preview("{{ item | length }}") == {"value": 5_000}
    assert preview("{{ workflow.name }} {{ loop.number }}") == {"value": "Dry 1"}
    assert "'fetch' is not known yet" in preview("{{ steps.fetch.body }}")["error"]
    assert "did you mean 'trigger'" in preview("{{ triger.x }}")["error"]
    assert "error" in preview("{{ broken")


def test_steps_that_only_steer_cannot_be_pinned(client: FlaskClient, owner: Person, workflow: str) -> None:
    assert client.put(f"{workflow}/pins/way", json={}, headers=owner.headers).status_code == 409
    assert client.put(f"{workflow}/pins/step_0", json={}, headers=owner.headers).status_code == 404


@pytest.mark.parametrize("query", ["dryRun=maybe", "draft=1", "draft=true&pinned=yes"])
def test_flags_are_read_strictly(client: FlaskClient, owner: Person, workflow: str, query: str) -> None:
    answer = client.post(f"{workflow}/run?{query}", json={}, headers=owner.headers)
    assert answer.status_code == 400


def test_strangers_see_nothing(client: FlaskClient, stranger: Person, workflow: str) -> None:
    for method, path in (("POST", "run?dryRun=true"), ("GET", "data"), ("POST", "preview")):
        answer = client.open(f"{workflow}/{path}", method=method, json={"text": ""}, headers=stranger.headers)
        assert answer.status_code == 404
