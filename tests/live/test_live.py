"""The live stream of an execution, from a real server: nothing twice, nothing missing, to the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import requests
from sqlalchemy import delete
from sqlalchemy.orm import Session

from flowforge.accounts import credentials
from flowforge.db.tables import ExecutionRow, User
from tests.people import PASSWORD, registered
from tests.services.stream_readers import WITHIN_SECONDS, Watched, ask, cursors, lines, watching
from tests.services.web_server import THREADS, VIEWER_SLOTS, Stage
from tests.ui.conftest import Browser
from tests.waiting import eventually
from webapp import create_app

NEVER_SEEN = "1700000000000-" + "0" * 24


@pytest.fixture
def watched(stage: Stage) -> Watched:
    return Watched(stage)


def test_what_is_stored_comes_first_then_what_happens(stage: Stage, watched: Watched) -> None:
    stored = watched.write(3)
    with watching(stage, watched) as events:
        assert lines(events, 3) == cursors(stored)
        happening = watched.write(2)
        assert lines(events, 2) == cursors(happening)


def test_a_line_is_told_as_the_log_has_it(stage: Stage, watched: Watched) -> None:
    (entry,) = watched.write()
    log = stage.client.get(f"/api/v1/logs/executions/{watched.id}", headers=stage.owner.headers).json["content"]
    with watching(stage, watched) as events:
        event = next(events)
    assert (event.kind, event.id, event.data | {"truncated": False}) == ("log", entry.cursor, log[0])


def test_what_a_step_is_writing_is_shown_and_never_stored(stage: Stage, watched: Watched) -> None:
    """A draft has no id: nobody goes on behind it."""
    (stored,) = watched.write()
    with watching(stage, watched) as events:
        assert lines(events, 1) == [stored.cursor]
        watched.draft("Tea")
        draft = next(event for event in events if event.kind == "draft")
        watched.end()
        assert [event.kind for event in events if event.kind != "status"] == ["log", "end"]
    assert (draft.id, draft.data) == (None, {"stepIndex": 1, "iteration": 0, "attempt": 1, "text": "Tea"})
    with watching(stage, watched) as events:
        assert "draft" not in [event.kind for event in events]


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_viewer_who_comes_back_goes_on_behind_its_last_event(stage: Stage, watched: Watched, way: str) -> None:
    _, second, third = cursors(watched.write(3))
    asked = {"headers": {"Last-Event-ID": second}} if way == "header" else {"params": {"lastEventId": second}}
    with watching(stage, watched, **asked) as events:
        assert lines(events, 1) == [third]


def test_nothing_falls_between_replay_and_following_and_nothing_comes_twice(stage: Stage, watched: Watched) -> None:
    written = cursors(watched.write(700))  # more than a page

    def write() -> None:
        for _ in range(60):
            written.extend(cursors(watched.write(5)))
        watched.end()

    writing = threading.Thread(target=write)
    writing.start()
    with watching(stage, watched) as events:
        seen = list(events)
    writing.join()
    told = [event.id for event in seen if event.kind == "log"]
    assert told[:-1] == written
    assert [event.kind for event in seen][-3:] == ["log", "status", "end"]


def test_many_who_come_and_go_miss_nothing(stage: Stage, watched: Watched) -> None:
    """Each takes some lines and comes back behind the last of them."""
    written: list[str] = []

    def write() -> None:
        for _ in range(100):
            written.extend(cursors(watched.write()))
        watched.end()

    writing = threading.Thread(target=write)
    writing.start()
    seen: list[str] = []
    while len(seen) < 100:
        with watching(stage, watched, headers={"Last-Event-ID": seen[-1]} if seen else {}) as events:
            seen += lines(events, min(7, 100 - len(seen)))
    writing.join()
    assert seen == written


@pytest.mark.parametrize("gone", [False, True], ids=["signed out everywhere", "account deleted"])
def test_the_stream_ends_with_the_credentials_of_its_viewer(stage: Stage, gone: bool) -> None:
    leaving = replace(stage, owner=registered(stage.client, f"leaver-{gone}"))
    watched = Watched(leaving)
    with watching(leaving, watched) as events, Session(stage.backends.engine) as session:
        assert next(events).data == {"status": "RUNNING"}
        credentials.end_all(session, leaving.owner.id)
        if gone:
            session.execute(delete(User).where(User.id == leaving.owner.id))
        session.commit()
        assert list(events) == []


def personal_token(stage: Stage) -> tuple[dict[str, Any], str]:
    """Headers by which somebody watches, and the address at which that is ended."""
    made = stage.client.post(
        "/api/v1/tokens", json={"name": "Script", "password": PASSWORD}, headers=stage.owner.headers
    ).json
    return {"Authorization": f"Bearer {made['token']}"}, f"/api/v1/tokens/{made['id']}"


def client_elsewhere(stage: Stage) -> tuple[dict[str, Any], str]:
    signed_in = stage.client.post("/auth/login", json={"username": "owner", "password": PASSWORD}).json
    return {"Authorization": f"Bearer {signed_in['access_token']}"}, _latest_session(stage)


def browser(stage: Stage) -> tuple[dict[str, Any], str]:
    visitor = Browser(create_app(backends=stage.backends).test_client())
    visitor.send("/sign-in", "/sign-in", username="owner", password=PASSWORD)
    cookie = visitor.client.get_cookie(f"flowforge_{stage.backends.settings.port}")
    assert cookie is not None
    return {"Authorization": None, "Cookie": f"{cookie.key}={cookie.value}"}, _latest_session(stage)


def _latest_session(stage: Stage) -> str:
    latest, *_ = stage.client.get("/api/v1/sessions", headers=stage.owner.headers).json
    return f"/api/v1/sessions/{latest['id']}"


@pytest.mark.parametrize("watch_by", [personal_token, client_elsewhere, browser])
def test_the_stream_ends_with_the_one_token_or_session_that_it_was_opened_by(
    stage: Stage, watched: Watched, watch_by: Callable[[Stage], tuple[dict[str, Any], str]]
) -> None:
    headers, credential = watch_by(stage)
    with watching(stage, watched) as others, watching(stage, watched, headers=headers) as own:
        assert next(own).data == next(others).data == {"status": "RUNNING"}
        assert stage.client.delete(credential, headers=stage.owner.headers).status_code == 204
        assert list(own) == []
        watched.end()
        assert [event.kind for event in others][-1] == "end"


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED"])
def test_the_stream_ends_with_the_execution(stage: Stage, watched: Watched, status: str) -> None:
    with watching(stage, watched) as events:
        assert next(events).data == {"status": "RUNNING"}
        watched.end(status)
        rest = [(event.kind, event.data.get("status")) for event in events]
    assert rest == [("log", status), ("status", status), ("end", status)]


def test_of_an_execution_that_is_over_everything_comes_at_once(stage: Stage) -> None:
    watched = Watched(stage, status="FAILED")
    watched.write(2)
    watched.end("FAILED")
    with watching(stage, watched) as events:
        assert [event.kind for event in events] == ["log", "log", "log", "status", "end"]


def test_lines_whose_announcement_is_lost_come_all_the_same(stage: Stage, watched: Watched) -> None:
    with watching(stage, watched) as events:
        next(events)
        silent = watched.write(2, announced=False)
        watched.end(announced=False)
        assert [event.id for event in events if event.kind == "log"][:2] == cursors(silent)


def test_a_lost_subscription_is_made_good(stage: Stage, watched: Watched) -> None:
    with watching(stage, watched) as events:
        next(events)
        silent = watched.write(announced=False)
        stage.backends.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        assert lines(events, 1) == cursors(silent)
        announced = watched.write()
        assert lines(events, 1) == cursors(announced)


def test_a_deleted_execution_ends_its_stream(stage: Stage, watched: Watched) -> None:
    with watching(stage, watched) as events:
        next(events)
        with stage.backends.engine.begin() as connection:
            connection.execute(delete(ExecutionRow).where(ExecutionRow.id == watched.id))
        assert [(event.kind, event.data["status"]) for event in events] == [("end", None)]


class TestWhoMayWatch:
    def test_nobody_else_learns_that_there_is_such_an_execution(self, stage: Stage, watched: Watched) -> None:
        assert ask(stage, watched.id, stage.stranger).status_code == 404
        assert ask(stage, uuid4()).status_code == 404

    def test_nobody_who_is_not_signed_in(self, stage: Stage, watched: Watched) -> None:
        answer = requests.get(f"{stage.url}/api/v1/executions/{watched.id}/live", timeout=WITHIN_SECONDS)
        assert (answer.status_code, answer.json()["status"]) == (401, 401)

    def test_a_position_that_is_none_is_refused(self, stage: Stage, watched: Watched) -> None:
        answer = ask(stage, watched.id, headers={"Last-Event-ID": "yesterday"})
        assert answer.status_code == 400
        assert [problem["pointer"] for problem in answer.json()["details"]] == ["/lastEventId"]

    def test_a_head_request_gets_the_head_and_takes_no_slot(self, stage: Stage, watched: Watched) -> None:
        for _ in range(VIEWER_SLOTS + 1):
            url = f"{stage.url}/api/v1/executions/{watched.id}/live"
            answer = requests.head(url, headers=stage.owner.headers, timeout=WITHIN_SECONDS)
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")


class TestViewerSlots:
    def test_more_viewers_than_threads_leave_the_server_free(self, stage: Stage, watched: Watched) -> None:
        assert VIEWER_SLOTS > THREADS
        with ExitStack() as viewers:
            streams = [viewers.enter_context(watching(stage, watched)) for _ in range(VIEWER_SLOTS)]
            assert [next(events).kind for events in streams] == ["status"] * VIEWER_SLOTS
            assert requests.get(f"{stage.url}/health/ready", timeout=WITHIN_SECONDS).status_code == 200
            written = cursors(watched.write(2))
            assert [lines(events, 2) for events in streams] == [written] * VIEWER_SLOTS

    def test_one_more_is_told_to_come_later_and_finds_the_slot_of_one_who_left(
        self, stage: Stage, watched: Watched
    ) -> None:
        with ExitStack() as viewers:
            first, *_ = [viewers.enter_context(ask(stage, watched.id)) for _ in range(VIEWER_SLOTS)]
            turned_away = ask(stage, watched.id)
            assert (turned_away.status_code, turned_away.headers["Retry-After"]) == (503, "2")
            assert turned_away.json()["message"] == "too many people are watching; try again in a moment"
            first.close()
            eventually(lambda: _is_let_in(stage, watched))

    def test_viewers_of_one_account_leave_slots_for_those_of_others(self, stage: Stage, watched: Watched) -> None:
        modest = replace(stage, owner=stage.stranger)
        with ExitStack() as viewers:
            greedy = [viewers.enter_context(ask(stage, watched.id)).status_code for _ in range(VIEWER_SLOTS + 1)]
            assert greedy == [200] * VIEWER_SLOTS + [503]
            assert _is_let_in(modest, Watched(modest))

    def test_streams_that_ended_give_their_slots_back(self, stage: Stage, watched: Watched) -> None:
        watched.end()
        for _ in range(2 * VIEWER_SLOTS):
            with watching(stage, watched, headers={"Last-Event-ID": NEVER_SEEN}) as events:
                assert [event.kind for event in events][-1] == "end"


def _is_let_in(stage: Stage, watched: Watched) -> bool:
    with ask(stage, watched.id) as answer:
        return answer.status_code == 200
