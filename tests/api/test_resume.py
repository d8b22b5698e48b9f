"""Links that resume a wait, for programs and for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from flowforge.wiring import Backends
from tests.actions import transform
from tests.api.things import EXECUTIONS, WORKFLOWS, workflow
from tests.engine.pipeline import working
from tests.people import Person
from tests.waiting import eventually


@pytest.fixture
def workers(backends: Backends) -> Iterator[None]:
    with working(backends):
        yield


def started(client: FlaskClient, owner: Person, *actions: dict[str, Any]) -> str:
    made = workflow(client, owner, actions=list(actions))
    answer = client.post(f"{WORKFLOWS}/{made['id']}/run", json={}, headers=owner.headers)
    return str(answer.json["executionId"])


def link(client: FlaskClient, owner: Person, execution: str) -> str:
    """The path of the link of the wait that is open."""

    def open_wait() -> Any:
        answer = client.get(f"{EXECUTIONS}/{execution}/waits", headers=owner.headers)
        return answer.json[0] if answer.status_code == 200 and answer.json else None

    return urlsplit(eventually(open_wait)["url"]).path


def finished(client: FlaskClient, owner: Person, execution: str) -> Any:
    def over() -> Any:
        shown = client.get(f"{EXECUTIONS}/{execution}", headers=owner.headers).json
        return shown if shown["finishedAt"] else None

    return eventually(over)


WAIT = {"type": "WAIT", "id": "wait", "config": {"for": "resume"}}
APPROVAL = {
    "type": "WAIT",
    "id": "ok",
    "config": {"for": "approval", "message": "Ship order {{ trigger.n | default(7) }}?"},
}


def test_a_call_goes_on_with_its_body(client: FlaskClient, owner: Person, workers: None) -> None:
    execution = started(client, owner, WAIT)
    path = link(client, owner, execution)
    assert client.post(path, json={"paid": True}).json == {"success": True}
    done = finished(client, owner, execution)
    assert (done["status"], done["stepOutputs"]["step_0"]["body"]) == ("COMPLETED", {"paid": True})


def test_a_slash_at_the_end_is_no_part_of_a_link(client: FlaskClient, owner: Person, workers: None) -> None:
    path = link(client, owner, started(client, owner, WAIT)) + "/"
    assert client.get(path).status_code == 200
    assert client.post(path, json={}).json == {"success": True}


def test_a_link_works_once(client: FlaskClient, owner: Person, workers: None) -> None:
    path = link(client, owner, started(client, owner, WAIT))
    assert client.post(path, json={}).status_code == 200
    assert client.post(path, json={}).status_code == 409


def test_looking_at_a_link_resumes_nothing(client: FlaskClient, owner: Person, workers: None) -> None:
    path = link(client, owner, started(client, owner, APPROVAL))
    page = client.get(f"{path}?approve")
    assert page.status_code == 200
    assert "Ship order 7?" in page.text
    assert client.head(path).status_code == 200
    assert client.post(path, data={"approved": "false", "comment": "too late"}).status_code == 200


@pytest.mark.parametrize("approved", [True, False])
def test_a_person_approves_or_rejects(client: FlaskClient, owner: Person, workers: None, approved: bool) -> None:
    decide = {
        "type": "BRANCH",
        "branches": [{"name": "yes", "when": "{{ steps.ok.approved }}", "actions": []}],
    }
    execution = started(client, owner, {**APPROVAL, "onReject": "continue"}, decide)
    path = link(client, owner, execution)
    client.post(path, data={"approved": str(approved).lower()}, headers={"Accept": "text/html"})
    done = finished(client, owner, execution)
    assert done["stepOutputs"]["step_1"] == {"branch": "yes" if approved else None}


def test_what_is_done_about_a_rejection_sees_what_was_said(client: FlaskClient, owner: Person, workers: None) -> None:
    tell = transform(said="{{ steps.ok.comment }}")
    execution = started(client, owner, {**APPROVAL, "onReject": [tell]}, transform(shipped=True))
    client.post(link(client, owner, execution), data={"approved": "false", "comment": "too late"})
    done = finished(client, owner, execution)
    assert (done["status"], list(done["stepOutputs"])) == ("COMPLETED", ["step_0", "step_1"])
    assert done["stepOutputs"]["step_1"] == {"said": "too late"}


def test_a_rejected_execution_has_failed_and_says_why(client: FlaskClient, owner: Person, workers: None) -> None:
    execution = started(client, owner, APPROVAL, transform(shipped=True))
    client.post(link(client, owner, execution), data={"approved": "false", "comment": "too late"})
    done = finished(client, owner, execution)
    assert (done["status"], list(done["stepOutputs"])) == ("FAILED", ["step_0"])
    assert done["error"]["message"] == "rejected by somebody who had the link: too late"
    assert done["stepOutputs"]["step_0"]["approved"] is False


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"approved": "perhaps"},
        {"approved": None},
        ["approved"],
        {"approved": []},
        {"approved": {}},
        {"approved": 1},
    ],
)
def test_an_approval_needs_an_answer(client: FlaskClient, owner: Person, workers: None, body: Any) -> None:
    path = link(client, owner, started(client, owner, APPROVAL))
    assert client.post(path, json=body).status_code == 400


@pytest.mark.parametrize("token", ["x", "AAAA", "A" * 51, "%00", "é"])
def test_a_link_that_was_never_given_out_is_not_there(client: FlaskClient, token: str) -> None:
    assert client.post(f"/resume/{token}", json={}).status_code == 404
    assert client.get(f"/resume/{token}").status_code == 404


def test_steps_before_the_wait_can_send_its_link(client: FlaskClient, owner: Person, workers: None) -> None:
    send = {"type": "TRANSFORM", "config": {"output": {"url": "{{ resume.ok.approveUrl }}"}}}
    execution = started(client, owner, send, APPROVAL)
    path = link(client, owner, execution)
    shown = client.get(f"{EXECUTIONS}/{execution}", headers=owner.headers).json
    assert urlsplit(shown["stepOutputs"]["step_0"]["url"]).path == path


def test_a_wait_may_time_out_and_go_on(client: FlaskClient, owner: Person, workers: None) -> None:
    wait = {"type": "WAIT", "config": {"for": "resume", "timeout": 0.1, "onTimeout": "continue"}}
    done = finished(client, owner, started(client, owner, wait))
    assert done["stepOutputs"]["step_0"] == {"timedOut": True}


def test_a_strangers_waits_are_not_shown(client: FlaskClient, owner: Person, stranger: Person, workers: None) -> None:
    execution = started(client, owner, WAIT)
    assert client.get(f"{EXECUTIONS}/{execution}/waits", headers=stranger.headers).status_code == 404
