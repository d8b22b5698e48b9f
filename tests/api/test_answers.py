"""Webhooks whose callers wait for an answer of the workflow's."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient

from flowforge import jsonio
from flowforge.wiring import Backends
from tests.actions import transform
from tests.api.things import pointers, triggers_of, workflow
from tests.engine.pipeline import working
from tests.people import Person
from tests.waiting import eventually
from webapp import create_app

RESPOND = {
    "type": "RESPOND",
    "config": {
        "status": 201,
        "headers": {"X-Order": "{{ trigger.body.id }}", "Content-Length": "999"},
        "body": {"id": "{{ trigger.body.id }}"},
    },
}


def hook(client: FlaskClient, owner: Person, *actions: dict[str, Any], **config: Any) -> str:
    trigger = {"type": "webhook", "config": config}
    made = workflow(client, owner, trigger=trigger, actions=list(actions))
    (registered,) = triggers_of(client, owner, made["id"])
    return f"/webhook/{registered['webhookToken']}"


def test_a_respond_step_answers_with_status_headers_and_body(
    client: FlaskClient, owner: Person, backends: Backends
) -> None:
    url = hook(client, owner, RESPOND, respond="by a RESPOND step")
    with working(backends):
        answer = client.post(url, json={"id": 7})
    assert (answer.status_code, answer.json) == (201, {"id": 7})
    assert (answer.headers["X-Order"], answer.content_type) == ("7", "application/json")
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_the_end_of_the_execution_answers_with_its_result(
    client: FlaskClient, owner: Person, backends: Backends
) -> None:
    url = hook(client, owner, transform(n="{{ trigger.body.n + 1 }}"), respond="when finished")
    with working(backends):
        answer = client.post(url, json={"n": 1})
    assert (answer.status_code, answer.json) == (200, {"n": 2})


@pytest.mark.parametrize("respond", ["when finished", "by a RESPOND step"])
def test_a_failed_execution_is_answered_with_its_id_and_not_with_its_error(
    client: FlaskClient, owner: Person, backends: Backends, respond: str
) -> None:
    url = hook(client, owner, {"id": "inside", **transform(n="{{ trigger.body.missing }}")}, respond=respond)
    with working(backends):
        answer = client.post(url, json={})
    assert (answer.status_code, answer.json["success"]) == (500, False)
    assert "missing" not in answer.text
    assert "inside" not in answer.text
    execution = client.get(f"/api/v1/executions/{answer.json['executionId']}", headers=owner.headers)
    assert "missing" in execution.json["error"]["message"]


def test_past_its_time_the_caller_gets_a_link_to_the_answer(
    client: FlaskClient, owner: Person, backends: Backends
) -> None:
    url = hook(client, owner, RESPOND, respond="by a RESPOND step", respondTimeout=1)
    late = client.post(url, json={"id": 8})  # nobody works on it
    assert (late.status_code, late.json["success"]) == (202, True)
    path = late.json["statusUrl"].split("8080", 1)[-1] if "8080" in late.json["statusUrl"] else late.json["statusUrl"]
    path = "/webhook-answers/" + path.rsplit("/", 1)[-1]
    assert client.get(path).status_code == 202
    with working(backends):
        again = client.post(url, json={"id": 8}, headers={"Idempotency-Key": "k"})
        assert again.status_code == 201
    assert (client.get(path).status_code, client.get(path).json) == (201, {"id": 8})


@contextmanager
def measured_memory() -> Iterator[Callable[[], int]]:
    """Tells the bytes that Python holds more than at the beginning."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    try:
        yield lambda: tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def with_threads(backends: Backends, threads: int) -> FlaskClient:
    """A client of a web process that has so many."""
    backends.settings.web_threads = threads
    return create_app(backends=backends).test_client()


def test_half_of_the_threads_stay_free_of_callers_who_wait(owner: Person, backends: Backends) -> None:
    client = with_threads(backends, 4)
    url = hook(client, owner, RESPOND, respond="by a RESPOND step")
    with ThreadPoolExecutor(2) as callers:
        waiting = [callers.submit(client.post, url, json={"id": id_}) for id_ in (1, 2)]
        eventually(lambda: blocked_clients(backends) == 2)
        assert client.post(url, json={"id": 3}).status_code == 202
        with working(backends):
            assert sorted(one.result().json["id"] for one in waiting) == [1, 2]


def test_callers_who_wait_hold_nothing_of_what_they_sent(owner: Person, backends: Backends) -> None:
    client, sent = with_threads(backends, 16), jsonio.dumps({"id": 9, "text": "x" * 1_000_000})
    url = hook(client, owner, RESPOND, respond="by a RESPOND step")
    with ThreadPoolExecutor(4) as callers, measured_memory() as held:
        waiting = [callers.submit(client.post, url, data=sent, content_type="application/json") for _ in range(4)]
        eventually(lambda: blocked_clients(backends) == 4)
        assert held() < 2 * len(sent)
        with working(backends):
            assert [one.result().status_code for one in waiting] == [201] * 4


def test_callers_of_one_workflow_leave_places_for_those_of_others(
    owner: Person, stranger: Person, backends: Backends
) -> None:
    client = with_threads(backends, 16)
    greedy, *modest = (hook(client, one, RESPOND, respond="by a RESPOND step") for one in (owner, owner, stranger))
    with ThreadPoolExecutor(20) as callers:
        many = [callers.submit(client.post, greedy, json={"id": 1}) for _ in range(13)]
        eventually(lambda: sum(one.done() for one in many) == 8)
        few = [callers.submit(client.post, url, json={"id": 2}) for url in modest]
        eventually(lambda: blocked_clients(backends) == 7)
        with working(backends):
            assert [one.result().status_code for one in few] == [201, 201]
            assert Counter(one.result().status_code for one in many) == {201: 5, 202: 8}


def blocked_clients(backends: Backends) -> int:
    """Who waits in Redis for word of an answer."""
    clients: Any = backends.redis.info("clients")
    return int(clients["blocked_clients"])


def test_a_repeat_with_the_same_key_gets_the_first_answer(
    client: FlaskClient, owner: Person, backends: Backends
) -> None:
    url = hook(client, owner, RESPOND, respond="by a RESPOND step")
    with working(backends):
        first, repeat = (client.post(url, json={"id": 1}, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json == repeat.json == {"id": 1}


def test_text_is_answered_as_it_is(client: FlaskClient, owner: Person, backends: Backends) -> None:
    config = {"body": "<b>hello</b>", "headers": {"Content-Type": "text/html; charset=utf-8"}}
    url = hook(client, owner, {"type": "RESPOND", "config": config}, respond="by a RESPOND step")
    with working(backends):
        answer = client.post(url)
    assert (answer.text, answer.content_type) == ("<b>hello</b>", "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"respond": "soon"}, "respond"),
        ({"respondTimeout": 0}, "respondTimeout"),
        ({"respondTimeout": "5"}, "respondTimeout"),
    ],
)
def test_what_cannot_be_meant_is_refused(client: FlaskClient, owner: Person, config: Any, field: str) -> None:
    raw = {"name": "w", "trigger": {"type": "webhook", "config": config}}
    refused = client.post("/api/v1/workflows", json=raw, headers=owner.headers)
    assert refused.status_code == 400
    assert pointers(refused.json) == {f"/trigger/config/{field}"}


def test_an_event_nobody_waits_for_has_no_answer(client: FlaskClient) -> None:
    assert client.get("/webhook-answers/00000000-0000-0000-0000-000000000001").status_code == 404


def test_a_page_that_a_workflow_answers_with_is_a_stranger_to_the_dashboard(
    client: FlaskClient, owner: Person, backends: Backends
) -> None:
    headers = {"Content-Type": "text/html", "Content-Security-Policy": "default-src *"}
    page = {"type": "RESPOND", "config": {"headers": headers, "body": "<script src='/webhook/x'></script>"}}
    url = hook(client, owner, page, respond="by a RESPOND step")
    with working(backends):
        answer = client.post(url, json={})
    policy = answer.headers["Content-Security-Policy"]
    assert answer.content_type == "text/html"
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy
    assert answer.headers.getlist("Content-Security-Policy") == [policy]


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "a\r\nSet-Cookie: b=1"}, {"X-A": "é🙂"}, {"X A": "b"}, {"": "b"}, {"X-A\n": "b"}],
    ids=["two lines", "beyond Latin-1", "blank", "no name", "name with a line's end"],
)
def test_headers_that_are_none_fail_the_step_and_not_the_caller(
    client: FlaskClient, owner: Person, backends: Backends, headers: dict[str, str]
) -> None:
    """They come from data: nobody can see them when the workflow is saved."""
    respond = {"type": "RESPOND", "config": {"headers": "{{ trigger.body }}", "body": "ok"}}
    url = hook(client, owner, respond, respond="by a RESPOND step")
    with working(backends):
        answer = client.post(url, json=headers)
    assert answer.status_code == 500
    assert answer.json["status"] == "FAILED"
    execution = client.get(f"/api/v1/executions/{answer.json['executionId']}", headers=owner.headers)
    assert "headers" in execution.json["error"]["message"].lower()


_OF_THE_ORIGIN = {
    "Clear-Site-Data": '"cookies"',
    "NEL": '{"report_to":"x","max_age":9}',
    "Alt-Svc": 'h2=":9"',
    "Strict-Transport-Security": "max-age=9; includeSubDomains",
    "Service-Worker-Allowed": "/",
    "Set-Cookie": "flowforge_8080=x; Path=/",
    "Refresh": "0;url=https://evil.example/",
    "WWW-Authenticate": 'Basic realm="FlowForge"',
    "Cross-Origin-Opener-Policy": "unsafe-none",
    "X-Content-Type-Options": "none",
    "X-Frame-Options": "ALLOWALL",
    "X-Request-Id": "forged",
    "X-Accel-Redirect": "/internal/",
    "x-sendfile": "/etc/passwd",
}
_OF_THE_ANSWER = {
    "Cache-Control": "max-age=60",
    "Location": "https://example.com/",
    "Access-Control-Allow-Origin": "*",
    "Retry-After": "7",
    "X-Order": "7",
}


def test_an_answer_has_no_header_that_acts_on_more_than_itself(
    client: FlaskClient, owner: Person, backends: Backends
) -> None:
    respond = {"id": "r", "type": "RESPOND", "config": {"headers": {**_OF_THE_ORIGIN, **_OF_THE_ANSWER}, "body": "x"}}
    url = hook(client, owner, respond, respond="by a RESPOND step")
    with working(backends):
        answer = client.post(url)
    assert {name for name in _OF_THE_ORIGIN if answer.headers.get(name) == _OF_THE_ORIGIN[name]} == set()
    assert {name: answer.headers[name] for name in _OF_THE_ANSWER} == _OF_THE_ANSWER
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (execution,) = client.get("/api/v1/executions", headers=owner.headers).json["content"]
    details = client.get(f"/api/v1/executions/{execution['id']}", headers=owner.headers).json
    assert set(details["result"]["leftOut"]) == set(_OF_THE_ORIGIN)
