"""Trying before trusting: a step alone, a draft as a whole, with what is pinned or known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer

from flowforge.wiring import Backends
from tests.engine.pipeline import working
from tests.people import Person
from tests.waiting import eventually

DEFINITION = {
    "name": "Trial",
    "trigger": {"type": "webhook"},
    "actions": [
        {"id": "first", "type": "TRANSFORM", "config": {"output": {"n": "{{ trigger.n }}"}}},
        {"id": "big", "type": "BRANCH", "branches": [{"name": "big", "when": "{{ steps.first.n > 5 }}"}], "else": []},
        {
            "id": "each",
            "type": "FOR_EACH",
            "config": {"items": "{{ [1, 2] }}"},
            "actions": [{"id": "inner", "type": "TRANSFORM", "config": {"output": {"twice": "{{ item * 2 }}"}}}],
        },
        {"id": "code", "type": "CODE", "config": {"code": "console.warn('seen'); return 1;"}},
    ],
}


@pytest.fixture
def workflow(client: FlaskClient, owner: Person) -> str:
    made = client.post("/api/v1/workflows", json=DEFINITION, headers=owner.headers)
    assert made.status_code == 201, made.text
    return f"/api/v1/workflows/{made.json['id']}"


@pytest.fixture
def tried(client: FlaskClient, owner: Person, workflow: str) -> Any:
    def try_it(step: str, **given: Any) -> Any:
        answer = client.post(f"{workflow}/steps/{step}/test", json=given, headers=owner.headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    return try_it


def test_a_step_is_run_with_what_is_given(tried: Any) -> None:
    done = tried("first", trigger={"n": 7})
    assert (done["output"], done["config"], done["error"]) == ({"n": 7}, {"output": {"n": 7}}, None)


def test_what_a_step_writes_is_told(tried: Any) -> None:
    done = tried("code")
    assert (done["output"], done["log"]) == ({"result": 1}, [{"level": "WARN", "text": "seen"}])


def test_what_goes_wrong_is_told(tried: Any) -> None:
    assert "trigger has no 'n'" in tried("first", trigger={})["error"]


def test_a_branch_says_which_way_it_would_go(tried: Any) -> None:
    assert tried("big", steps={"first": {"n": 9}})["output"] == {"branch": "big"}
    assert tried("big", steps={"first": {"n": 1}})["output"] == {"branch": "else"}


def test_a_step_in_a_loop_takes_an_item(tried: Any) -> None:
    assert tried("inner", item=21)["output"] == {"twice": 42}


def test_pinned_outputs_stand_for_what_was_not_run(
    client: FlaskClient, owner: Person, workflow: str, tried: Any
) -> None:
    assert client.put(f"{workflow}/pins/first", json={"n": 6}, headers=owner.headers).status_code == 204
    assert tried("big")["output"] == {"branch": "big"}
    assert client.get(f"{workflow}/pins", headers=owner.headers).json == {"first": {"n": 6}}
    assert client.delete(f"{workflow}/pins/first", headers=owner.headers).status_code == 204
    assert client.delete(f"{workflow}/pins/first", headers=owner.headers).status_code == 404
    assert client.put(f"{workflow}/pins/nobody", json={}, headers=owner.headers).status_code == 404


def test_a_draft_is_run_without_being_published_and_gives_the_sample(
    client: FlaskClient, owner: Person, workflow: str, backends: Backends, tried: Any
) -> None:
    draft = json.loads(json.dumps(DEFINITION).replace("trigger.n }}", "trigger.n * 10 }}"))
    client.put(f"{workflow}/draft", json={"definition": draft}, headers=owner.headers)
    client.put(workflow, json={"enabled": False}, headers=owner.headers)
    assert client.post(f"{workflow}/run", json={"n": 3}, headers=owner.headers).status_code == 409
    started = client.post(f"{workflow}/run?draft=true", json={"n": 3}, headers=owner.headers)
    assert started.status_code == 202, started.text

    def ended() -> Any:
        shown = client.get(f"/api/v1/executions/{started.json['executionId']}", headers=owner.headers)
        return shown.json if shown.status_code == 200 and shown.json["finishedAt"] else None

    with working(backends):
        shown = eventually(ended)
    assert shown["stepOutputs"]["step_0"] == {"n": 30}
    assert client.get(f"{workflow}/sample", headers=owner.headers).json == {"trigger": {"n": 3}}
    assert tried("big")["output"] == {"branch": "big"}, "the outputs of the latest execution are known"
    assert tried("inner")["output"] == {"twice": 2}, "and the items of its loops"
    assert [row["number"] for row in _versions(client, owner, workflow)] == [1], "what was tried is no version"


def _versions(client: FlaskClient, owner: Person, workflow: str) -> Any:
    listed = client.get(f"{workflow}/versions", headers=owner.headers).json
    return listed["content"] if isinstance(listed, dict) else listed


def test_a_dry_run_calls_nobody(
    client: FlaskClient, owner: Person, workflow: str, tried: Any, httpserver: HTTPServer
) -> None:
    call = {"id": "call", "type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/{{ trigger.n }}")}}
    client.put(f"{workflow}/draft", json={"definition": {**DEFINITION, "actions": [call]}}, headers=owner.headers)
    assert tried("call", trigger={"n": 4}, dryRun=True)["config"]["url"].endswith("/4")
    assert httpserver.log == []


@pytest.mark.parametrize(
    ("body", "status"), [({"trigger": 1}, 400), ({"dryRun": "yes"}, 400), ({"steps": []}, 400)], ids=str
)
def test_bad_input(client: FlaskClient, owner: Person, workflow: str, body: Any, status: int) -> None:
    assert client.post(f"{workflow}/steps/first/test", json=body, headers=owner.headers).status_code == status


def test_strangers_and_steps_that_are_not_there(
    client: FlaskClient, owner: Person, stranger: Person, workflow: str
) -> None:
    assert client.post(f"{workflow}/steps/nobody/test", json={}, headers=owner.headers).status_code == 404
    for method, path in (("POST", "steps/first/test"), ("GET", "sample"), ("GET", "pins"), ("PUT", "pins/first")):
        assert client.open(f"{workflow}/{path}", method=method, json={}, headers=stranger.headers).status_code == 404
    assert client.post(f"{workflow}/run?draft=true", json={}, headers=stranger.headers).status_code == 404


def test_a_step_is_tried_although_those_around_it_are_half_written(
    client: FlaskClient, owner: Person, workflow: str, tried: Any
) -> None:
    odd: list[Any] = [{"type": 3, "id": "no id", "config": [], "branches": ["x"]}, "text", DEFINITION["actions"][0]]
    answer = client.put(f"{workflow}/draft", json={"definition": {"actions": odd}}, headers=owner.headers)
    assert answer.status_code == 200, answer.text
    assert tried("first", trigger={"n": 1})["output"] == {"n": 1}


def test_an_error_names_its_field(tried: Any) -> None:
    done = tried("first", trigger={"m": 1})
    assert (done["field"], done["output"]) == ("config.output.n", None)
    assert "trigger has no 'n'" in done["error"]


def test_what_nobody_knows_is_said_and_nobody_is_called(
    client: FlaskClient, owner: Person, workflow: str, tried: Any, httpserver: HTTPServer
) -> None:
    call = {"id": "call", "type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/")}}
    uses = {"id": "uses", "type": "HTTP_REQUEST", "config": {"url": "{{ steps.call.body.next }}"}}
    client.put(f"{workflow}/draft", json={"definition": {**DEFINITION, "actions": [call, uses]}}, headers=owner.headers)
    done = tried("uses")
    assert "'call' is not known yet" in done["error"]
    assert done["unknown"] == ["/config/url"]
    assert httpserver.log == []
    assert tried("uses", steps={"call": {"body": {"next": httpserver.url_for("/next")}}})["unknown"] == []


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"type": "FOR_EACH", "config": {"items": "{{ trigger.list }}"}, "actions": []}, {"count": 2, "items": [1, 2]}),
        ({"type": "WAIT", "config": {"for": "approval", "message": "{{ trigger.list[1] }}?"}}, {"message": "2?"}),
        ({"type": "WAIT", "config": {"until": "2026-01-01"}}, {"until": "2026-01-01T00:00:00.000Z"}),
        ({"type": "STOP", "config": {"status": "failed"}}, {"status": "failed"}),
        ({"type": "RESPOND", "config": {"status": 201}}, {"status": 201}),
        ({"type": "PARALLEL", "branches": [{"name": "a"}, {}]}, {"branches": ["a", "branch 2"]}),
        (
            {"type": "RUN_WORKFLOW", "config": {"workflowId": "00000000-0000-0000-0000-000000000001"}},
            {"payload": {}, "wait": True},
        ),
    ],
    ids=["loop", "approval", "until", "stop", "respond", "parallel", "call"],
)
def test_blocks_say_what_they_would_do(
    client: FlaskClient, owner: Person, workflow: str, tried: Any, block: Any, told: Any
) -> None:
    definition = {**DEFINITION, "actions": [{"id": "block", **block}]}
    client.put(f"{workflow}/draft", json={"definition": definition}, headers=owner.headers)
    output = tried("block", trigger={"list": [1, 2]})["output"]
    assert {key: output[key] for key in told} == told
