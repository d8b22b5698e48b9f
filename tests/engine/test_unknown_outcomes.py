"""Calls of which nobody knows whether they were done: their answers were lost, or their executor died."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.orm import Session

from flowforge.engine.intake import NewEvent
from flowforge.executions import replays
from flowforge.executions.replay_requests import ReplayRequest
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
NOTHING = b""
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\nConnection: close\r\n\r\nok"


def status(code: int) -> bytes:
    return b"HTTP/1.1 %d Reason\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % code


class Receiver:
    """Answers each call with the next of its answers, and notes their Idempotency-Keys. None: with silence."""

    def __init__(self, *answers: bytes | None) -> None:
        self.keys: list[str] = []
        self._answers = iter(answers)
        self._ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def serve(self) -> None:
        while not self._ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._ending.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            head = connection.recv(65536).decode()
            [key] = [line.split(": ")[1] for line in head.splitlines() if line.startswith("Idempotency-Key")]
            self.keys.append(key)
            answer = next(self._answers, OK)
            if answer is None:
                self._ending.wait(10)
            else:
                connection.sendall(answer)


@contextmanager
def receiving(*answers: bytes | None) -> Iterator[Receiver]:
    receiver = Receiver(*answers)
    threading.Thread(target=receiver.serve, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.close()


def call(receiver: Receiver, **more: Any) -> dict[str, Any]:
    retry = {"attempts": 5, "delay": 0.05, "jitter": False}
    return {"type": "HTTP_REQUEST", "config": {"url": receiver.url}, "retry": retry, "timeout": 1, **more}


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ([NOTHING, NOTHING, OK], [1, 1, 1]),
        ([HALF, OK], [1, 1]),
        ([None, OK], [1, 1]),
        ([status(504), status(502), OK], [1, 1, 1]),
        ([status(500), OK], [1, 2]),
        ([status(503), NOTHING, OK], [1, 2, 2]),
        ([NOTHING, status(500), NOTHING, OK], [1, 1, 3, 3]),
    ],
    ids=["reset", "half an answer", "silence", "gateways", "an answer", "answer, then reset", "reset, answer, reset"],
)
def test_a_call_has_another_key_only_after_a_definite_answer(
    pipeline: Pipeline, answers: list[bytes | None], calls: list[int]
) -> None:
    with receiving(*answers) as receiver, working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(pipeline.workflow(call(receiver)).id).event_id)
    assert done.status == "COMPLETED"
    assert receiver.keys == [f"{done.id}-0-0-{number}" for number in calls]


def test_each_item_of_a_loop_keeps_its_own_key(pipeline: Pipeline) -> None:
    with receiving(NOTHING, OK, NOTHING, OK) as receiver, working(pipeline.backends):
        loop = {"type": "FOR_EACH", "config": {"items": [1, 2], "concurrency": 1}, "actions": [call(receiver)]}
        done = pipeline.finished(pipeline.accept(pipeline.workflow(loop).id).event_id)
    assert done.status == "COMPLETED"
    assert receiver.keys == [f"{done.id}-1-{frame}-1" for frame in (1, 1, 2, 2)]


def test_a_replay_by_a_person_takes_new_keys(pipeline: Pipeline) -> None:
    with receiving() as receiver, working(pipeline.backends):
        workflow = pipeline.workflow(call(receiver))
        first = pipeline.finished(pipeline.accept(workflow.id).event_id)
        with Session(pipeline.backends.engine) as session:
            replayed = replays.replay(session, pipeline.backends, OWNER, first.id, ReplayRequest()).execution_id
        eventually(lambda: len(receiver.keys) == 2)
    assert receiver.keys == [f"{id_}-0-0-1" for id_ in (first.id, replayed)]


class TestAfterTheExecutorDied:
    @pytest.mark.parametrize(
        ("action", "after_crash", "ends"),
        [
            (transform(a=1), None, "COMPLETED"),
            (transform(a=1), "fail", "FAILED"),
            ({"type": "SEND_EMAIL", "config": {"to": "a@example.com", "subject": "s", "body": "b"}}, None, "FAILED"),
        ],
        ids=["repeatable", "fail", "not repeatable"],
    )
    def test_a_step_is_done_again_or_has_failed_as_its_policy_says(
        self, pipeline: Pipeline, action: dict[str, Any], after_crash: str | None, ends: str
    ) -> None:
        policy = {"afterCrash": after_crash} if after_crash else {}
        event = pipeline.held_by_a_dead_executor({**action, **policy}, claims=1)
        with working(pipeline.backends):
            done = self._brought_to_its_end(pipeline, event)
        assert done.status == ends
        if ends == "FAILED":
            assert done.error is not None
            assert "nobody knows whether its call was done" in done.error["message"]

    def test_one_that_has_failed_is_not_tried_again_whatever_its_retry_says(self, pipeline: Pipeline) -> None:
        policy = {"afterCrash": "fail", "retry": {"on": "any", "delay": 0}}
        event = pipeline.held_by_a_dead_executor({**transform(a=1), **policy}, claims=1)
        with working(pipeline.backends):
            done = self._brought_to_its_end(pipeline, event)
        assert (done.status, len(pipeline.attempts(done.id))) == ("FAILED", 1)

    def test_a_step_that_may_be_done_twice_only_on_demand_is_done_again(self, pipeline: Pipeline) -> None:
        mail = {"type": "SEND_EMAIL", "config": {"to": "a@example.com", "subject": "s", "body": "b"}}
        event = pipeline.held_by_a_dead_executor({**mail, "afterCrash": "again", "retry": {"attempts": 1}}, claims=1)
        with working(pipeline.backends):
            done = self._brought_to_its_end(pipeline, event)
        assert done.error is not None
        assert "SMTP" in done.error["message"]  # it was tried: this instance has no mail server

    def test_one_that_only_waited_in_the_executor_is_no_part_of_that(self, pipeline: Pipeline) -> None:
        event = pipeline.held_by_a_dead_executor({**transform(a=1), "afterCrash": "fail"}, claims=0)
        with working(pipeline.backends):
            done = self._brought_to_its_end(pipeline, event)
        assert done.status == "COMPLETED"
        assert [attempt.claims for attempt in pipeline.attempts(done.id)] == [1]

    def _brought_to_its_end(self, pipeline: Pipeline, event: NewEvent) -> Any:
        return eventually(lambda: pipeline.resend() and pipeline.over(event.event_id))
