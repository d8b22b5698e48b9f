"""What steps hold beyond their messages is counted: that of one workflow leaves room for others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.in_thread import SMALL_BYTES
from flowforge.connectors.sdk import ConnectorConfig, StepContext, connector
from flowforge.ids import uuid7
from flowforge.wiring import Backends
from tests.engine.lone_steps import LoneSteps, lone_steps
from tests.waiting import eventually

MOST_BYTES = 800_000
"""Of which a first workflow has three eighths before it must not take more."""
MESSAGE_BYTES = 1_000


class Receiver:
    """Answers as many bytes as it is asked for, and says that they are all once it is let go."""

    def __init__(self, server: HTTPServer) -> None:
        self.let_go = threading.Event()
        self.url = server.url_for("/")
        server.expect_request("/").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        return Response(self._pieces(int(request.args["bytes"])), content_type="text/plain")

    def _pieces(self, size: int) -> Iterator[bytes]:
        yield b"x" * size
        self.let_go.wait(30)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with HTTPServer(threaded=True) as server:
        receiver = Receiver(server)
        yield receiver
        receiver.let_go.set()


@pytest.fixture
def steps(backends: Backends) -> Iterator[LoneSteps]:
    with lone_steps(backends, most_bytes=MOST_BYTES) as steps:
        yield steps


def test_an_answer_that_finds_no_room_any_more_is_asked_for_again_later(steps: LoneSteps, receiver: Receiver) -> None:
    workflow = uuid7()
    steps.running.submit([steps.claimed("HTTP_REQUEST", asking(receiver, 280_000), workflow=workflow)])
    eventually(lambda: held_beside_messages(steps, 1) >= 280_000)
    steps.running.submit([steps.claimed("HTTP_REQUEST", asking(receiver, 280_000), workflow=workflow)])
    eventually(lambda: len(steps.errors()) == 1)
    [refused] = steps.collected.results
    assert refused.outcome.failure is not None
    assert "the step's answer is large" in refused.outcome.failure.message
    assert not refused.outcome.failure.permanent
    assert not refused.outcome.failure.answered
    receiver.let_go.set()
    steps.running.submit([steps.claimed("HTTP_REQUEST", asking(receiver, 80_000))])
    eventually(lambda: sorted(steps.errors()) == ["", "", refused.outcome.failure.message])


def test_a_small_answer_is_not_counted(steps: LoneSteps, receiver: Receiver) -> None:
    receiver.let_go.set()
    steps.running.submit([steps.claimed("HTTP_REQUEST", asking(receiver, SMALL_BYTES // 2))])
    eventually(lambda: steps.errors() == [""])
    assert held_beside_messages(steps, 1) == 0


def test_a_config_that_is_large_once_it_is_computed_finds_room_or_is_tried_later(
    steps: LoneSteps, receiver: Receiver
) -> None:
    config, workflow = {**asking(receiver, 100), "method": "POST", "body": "x" * 350_000}, uuid7()
    steps.running.submit([steps.claimed("HTTP_REQUEST", config, workflow=workflow)])
    eventually(lambda: held_beside_messages(steps, 1) >= 350_000)
    steps.running.submit([steps.claimed("HTTP_REQUEST", config, workflow=workflow)])
    eventually(lambda: len(steps.errors()) == 1)
    assert "the step's config is large" in steps.errors()[0]


def test_an_output_counts_until_it_is_handed_in_and_is_never_refused(backends: Backends) -> None:
    @connector("LARGE", ConnectorConfig, title="Large", help="Makes much.", icon="alert")
    def large(config: ConnectorConfig, context: StepContext) -> dict[str, Any]:
        return {"text": "x" * 300_000}

    with lone_steps(backends, Catalog({large.type: large}, {}), MOST_BYTES) as steps:
        steps.running.submit([steps.claimed("LARGE", {}) for _ in range(3)])
        eventually(lambda: steps.errors() == [""] * 3)
        assert held_beside_messages(steps, 3) >= 900_000
        assert steps.held.bytes_left < 0
        for finished in steps.collected.results:
            steps.held.remove(finished.key)
        assert steps.held.bytes_left == MOST_BYTES


def asking(receiver: Receiver, bytes_: int) -> dict[str, Any]:
    return {"url": f"{receiver.url}?bytes={bytes_}"}


def held_beside_messages(steps: LoneSteps, messages: int) -> int:
    return MOST_BYTES - messages * MESSAGE_BYTES - steps.held.bytes_left
