"""Doing executions again over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.api.things import EXECUTIONS, accepted_events, execution, pointers, slack, workflow
from tests.people import Person


def post(client: FlaskClient, person: Person, path: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(f"{EXECUTIONS}/{path}", json=body, headers=person.headers)


def failed(client: FlaskClient, engine: Engine, person: Person, **columns: Any) -> UUID:
    made = workflow(client, person, actions=[slack(), slack()])
    error = {"message": "away", "step": "step_1", "stepIndex": 1}
    known = {"workflow_id": UUID(made["id"]), "version_id": UUID(made["versionId"]), "status": "FAILED", "error": error}
    return execution(engine, person, **known | columns)


def test_a_replay_is_accepted_and_committed(client: FlaskClient, owner: Person, engine: Engine) -> None:
    source = failed(client, engine, owner, trigger_payload={"n": 1})

    answer = post(client, owner, f"{source}/replay", {"from": "failed"})

    (event,) = accepted_events(engine)
    assert answer.status_code == 202
    assert answer.json == {
        "executionId": str(event.execution_id),
        "eventId": str(event.id),
        "replayOf": str(source),
    }
    assert (event.payload, event.trigger_type) == ({"n": 1}, "replay")
    assert (event.replay["executionId"], event.replay["fromStep"]) == (str(source), 1)


def test_without_a_body_it_begins_at_the_start(client: FlaskClient, owner: Person, engine: Engine) -> None:
    source = failed(client, engine, owner)

    assert post(client, owner, f"{source}/replay").status_code == 202
    assert accepted_events(engine)[0].replay["fromStep"] is None


def test_every_unusable_part_is_named(client: FlaskClient, owner: Person, engine: Engine) -> None:
    source = failed(client, engine, owner)

    answer = post(client, owner, f"{source}/replay", {"from": [], "version": "newest", "payload": 7})

    assert answer.status_code == 400
    assert {pointer.split("/")[1] for pointer in pointers(answer.json)} == {"from", "version", "payload"}
    for nowhere in ("nine", True, {}, None):
        assert pointers(post(client, owner, f"{source}/replay", {"from": nowhere}).json) == {"/from"}


def test_what_still_runs_is_a_conflict(client: FlaskClient, owner: Person, engine: Engine) -> None:
    source = failed(client, engine, owner, status="RUNNING")

    assert post(client, owner, f"{source}/replay").status_code == 409
    assert accepted_events(engine) == []


def test_an_execution_shows_what_did_it_again(client: FlaskClient, owner: Person, engine: Engine) -> None:
    source = failed(client, engine, owner)
    again = failed(client, engine, owner, replay_of=source, status="COMPLETED")

    shown = client.get(f"{EXECUTIONS}/{source}", headers=owner.headers).json
    assert [(one["id"], one["status"]) for one in shown["replays"]] == [(str(again), "COMPLETED")]
    assert client.get(f"{EXECUTIONS}/{again}", headers=owner.headers).json["replayOf"] == str(source)


def test_many_at_once_only_touch_ones_own(client: FlaskClient, owner: Person, stranger: Person, engine: Engine) -> None:
    mine, _theirs = failed(client, engine, owner), failed(client, engine, stranger)
    failed(client, engine, owner, status="COMPLETED", error=None)

    answer = post(client, owner, "replay", {"status": "FAILED"})

    assert (answer.status_code, answer.json["count"]) == (202, 1)
    assert [one["replayOf"] for one in answer.json["replayed"]] == [str(mine)]
    assert [event.user_id for event in accepted_events(engine)] == [owner.id]


def test_a_filter_that_cannot_be_read_is_refused(client: FlaskClient, owner: Person) -> None:
    answer = post(client, owner, "replay", {"workflowId": "x", "status": "RUNNING", "limit": 0, "since": "long ago"})

    assert answer.status_code == 400
    assert pointers(answer.json) == {"/workflowId", "/status", "/limit", "/since"}


def test_many_may_be_asked_for_by_a_time_in_any_zone(client: FlaskClient, owner: Person) -> None:
    """PostgreSQL knows none beyond 16 hours."""
    answer = post(client, owner, "replay", {"until": "1283-02-02T19:41:53.49+20:34"})
    assert (answer.status_code, answer.json["replayed"]) == (202, [])


def test_what_cannot_be_done_again_does_not_hold_up_the_rest(
    client: FlaskClient, owner: Person, engine: Engine
) -> None:
    made = workflow(client, owner, actions=[{**slack(), "id": "one"}, {**slack(), "id": "two"}])
    error = {"message": "away", "step": "two", "stepIndex": 1}
    old = {"workflow_id": UUID(made["id"]), "version_id": UUID(made["versionId"]), "status": "FAILED", "error": error}
    gone = execution(engine, owner, **old)
    client.put(f"/api/v1/workflows/{made['id']}", json={"name": "x", "actions": [slack()]}, headers=owner.headers)
    other = failed(client, engine, owner)

    answer = post(client, owner, "replay", {}).json

    assert [one["replayOf"] for one in answer["replayed"]] == [str(other)]
    assert answer["skipped"] == [{"executionId": str(gone), "why": "there is no step 'two' that could run"}]
    assert answer["count"] == 1
