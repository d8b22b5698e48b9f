"""Limits of a connection, shared by all executors and learned from receivers: who has to wait gives its place back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer
from redis import Redis
from sqlalchemy import text
from werkzeug import Request, Response

from flowforge.connectors.http_client.client import OwnRequest
from flowforge.connectors.http_client.pace import StepDeferred
from flowforge.connectors.sdk import ConnectorError
from flowforge.connectors.tools import make_loop_transport, on_loop
from flowforge.db.credentials_store import CredentialsStore
from flowforge.engine.connection_pace import ConnectionPace, PaceLimits
from flowforge.ids import uuid7
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.connectors.step_loop import in_fair_thread
from tests.connectors.test_http import Adding
from tests.engine.pipeline import Pipeline, working
from tests.engine.test_credentials import connect
from tests.statements import counting_statements
from tests.waiting import eventually

T = TypeVar("T")
MakePace = Callable[..., ConnectionPace]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"executor_calls": 1, "executor_threads": 1})


@pytest.fixture
def make_pace(backends: Backends) -> MakePace:
    """A pace as an executor has it; all are of one connection."""
    shared = uuid7()

    def make(per_second: float = 0.0, at_once: int = 0, *, may_defer: bool = True) -> ConnectionPace:
        limits = PaceLimits(per_second, at_once)
        store = CredentialsStore(backends.engine)
        return ConnectionPace(shared, "shop", limits, backends.redis, store, None, may_defer)

    return make


def soon(seconds: float = 5) -> float:
    return time.monotonic() + seconds


@contextmanager
def turn_of(pace: ConnectionPace, call: str) -> Iterator[None]:
    """Waits for the turn of a call, which lasts for the block."""
    while (seconds := pace.take_turn(call, soon())) > 0:
        time.sleep(seconds)
    yield
    pace.end_turn(call)


class TestTurns:
    def test_come_one_after_the_other_for_all_executors(self, make_pace: MakePace) -> None:
        with turn_of(make_pace(0.1), "a"):
            pass
        waits = []
        for call in ("b", "c", "d"):
            with (
                pytest.raises(StepDeferred, match="'shop' has to wait: its limit") as caught,
                turn_of(make_pace(0.1), call),
            ):
                pass
            waits.append(round(caught.value.seconds, -1))
        assert waits == [10, 20, 30]

    def test_a_place_is_kept_for_who_comes_again(self, make_pace: MakePace) -> None:
        for call in ("a", "b", "c", "b"):
            try:
                with turn_of(make_pace(0.1), call):
                    pass
            except StepDeferred as wait:
                last = call, round(wait.seconds, -1)
        assert last == ("b", 10)

    def test_that_come_soon_are_awaited(self, make_pace: MakePace) -> None:
        for call in ("a", "b", "c"):
            with turn_of(make_pace(20), call):
                pass

    def test_of_a_call_that_has_begun_are_awaited_or_fail(self, make_pace: MakePace) -> None:
        pace = make_pace(0.1)
        with turn_of(pace, "a"):
            pass
        with pytest.raises(ConnectorError, match="has to wait") as caught, turn_of(pace, "a"):
            pass
        assert not caught.value.permanent
        assert caught.value.retry_after

    def test_of_who_only_tries_out_are_not_deferred(self, make_pace: MakePace) -> None:
        with turn_of(make_pace(0.1), "a"):
            pass
        with pytest.raises(ConnectorError, match="has to wait"), turn_of(make_pace(0.1, may_defer=False), "b"):
            pass

    def test_so_many_run_at_once(self, make_pace: MakePace) -> None:
        with ExitStack() as running:
            for call in ("a", "b"):
                running.enter_context(turn_of(make_pace(at_once=2), call))
            waits = [make_pace(at_once=2)._take("c", soon()) for _ in range(4)]
            assert 0 < waits[0] < waits[-1], "who finds no room looks more and more seldom"
        assert make_pace(at_once=2)._take("c", soon()) == 0

    def test_a_place_of_a_dead_executor_is_free_after_its_time(self, make_pace: MakePace, backends: Backends) -> None:
        assert make_pace(at_once=1)._take("dead", soon()) == 0
        assert make_pace(at_once=1)._take("next", soon()) > 0
        [running] = backends.redis.keys("pace:*:running")
        backends.redis.zadd(running, {"dead": time.time() - 1})
        assert make_pace(at_once=1)._take("next", soon()) == 0

    def test_are_not_held_up_where_valkey_is_away(self, make_pace: MakePace) -> None:
        pace = replace(make_pace(0.1, 1), redis=Redis(port=1))
        for call in ("a", "b"):
            with turn_of(pace, call):
                pass


@dataclass
class Threads:
    """Does what coroutines do in threads. `works`: of what kind each piece was."""

    works: list[str] = field(default_factory=list)

    async def __call__(self, work: Callable[[], T], /, *, computes: bool = False, signs: bool = False) -> T:
        self.works.append("computes" if computes else "signs" if signs else "asks")
        return await asyncio.to_thread(work)


class TestThreads:
    """A thread is taken only where somebody is asked: an account has few of them."""

    @pytest.mark.parametrize(
        ("limits", "signs_at_once", "answer", "works"),
        [
            ({}, True, {}, []),
            ({}, False, {}, ["signs"]),
            ({"at_once": 1}, True, {}, ["asks", "asks"]),
            ({}, True, {"status": 429, "headers": {"Retry-After": "300"}}, ["asks"]),
        ],
        ids=["without limits", "with a token", "with limits", "with a pause"],
    )
    def test_a_call_by_a_connection(
        self,
        make_pace: MakePace,
        backends: Backends,
        httpserver: HTTPServer,
        limits: dict[str, int],
        signs_at_once: bool,
        answer: dict[str, Any],
        works: list[str],
    ) -> None:
        httpserver.expect_request("/").respond_with_data("ok", **answer)
        threads = Threads()
        attempt = OwnRequest(soon(30), "call-1", threads)
        signer = Adding({}, pace=make_pace(**limits), signs_at_once=signs_at_once)

        async def work() -> None:
            transport = make_loop_transport(backends.settings, in_fair_thread)
            tools: Any = on_loop(backends.tools, transport, backends.settings)
            await tools.async_http.send(attempt, "GET", httpserver.url_for("/"), signed_by=signer)
            await transport.close()

        asyncio.run(work())
        assert threads.works == works


def call(httpserver: HTTPServer, **more: Any) -> dict[str, Any]:
    config = {"url": httpserver.url_for("/"), "connection": "shop"}
    return {"type": "HTTP_REQUEST", "config": config, "retry": {"attempts": 1}, **more}


def end_waits(pipeline: Pipeline) -> None:
    with pipeline.backends.engine.begin() as connection:
        connection.execute(text("UPDATE workflow.connections SET paused_until = NULL"))
    pipeline.backends.redis.delete(*pipeline.backends.redis.keys("pace:*") or ["none"])
    pipeline.change_attempts("due_at = CASE WHEN state = 'QUEUED' THEN now() ELSE due_at END")


def deferred(pipeline: Pipeline, event_id: UUID) -> Any:
    """The attempt that waits for its turn."""
    execution = pipeline.execution(event_id)
    attempts = pipeline.attempts(execution.id) if execution else []
    return next((one for one in attempts if one.state == "QUEUED" and one.sent_at is None), None)


class TestSteps:
    def test_a_step_that_waits_for_its_turn_gives_its_place_back(
        self, pipeline: Pipeline, httpserver: HTTPServer
    ) -> None:
        httpserver.expect_request("/").respond_with_data("ok")
        connect(pipeline, "shop", "bearer", token="t-1", requestsPerSecond=0.01)
        limited, free = (
            pipeline.workflow(call(httpserver)),
            pipeline.workflow({"type": "TRANSFORM", "config": {"output": {}}}),
        )
        with working(pipeline.backends):
            pipeline.finished(pipeline.accept(limited.id).event_id)
            waiting = pipeline.accept(limited.id).event_id
            attempt = eventually(lambda: deferred(pipeline, waiting))
            assert (attempt.attempt, attempt.claims, attempt.started_at, attempt.lease_owner) == (1, 0, None, None)
            assert attempt.due_at > datetime.now(UTC) + timedelta(seconds=60)
            pipeline.finished(pipeline.accept(free.id).event_id)
            assert len(httpserver.log) == 1
            end_waits(pipeline)
            done = pipeline.finished(waiting)
        assert done.status == "COMPLETED", done.error
        assert [one.attempt for one in pipeline.attempts(done.id)] == [1], "waiting is no attempt"

    def test_what_a_receiver_asks_for_holds_for_the_steps_after(
        self, pipeline: Pipeline, httpserver: HTTPServer
    ) -> None:
        def answer(_: Request) -> Response:
            return Response("slow", 429, {"Retry-After": "300"}) if len(httpserver.log) == 0 else Response("ok")

        httpserver.expect_request("/").respond_with_handler(answer)
        connect(pipeline, "shop", "bearer", token="t-1")
        workflow = pipeline.workflow(call(httpserver))
        with working(pipeline.backends):
            refused = pipeline.accept(workflow.id).event_id
            again = eventually(lambda: deferred(pipeline, refused))
            assert (again.attempt, again.pauses) == (2, 1), "a pause uses up none of the attempts"
            assert "answered 429" in pipeline.attempts(again.execution_id)[0].error["message"]
            waiting = pipeline.accept(workflow.id).event_id
            assert eventually(lambda: deferred(pipeline, waiting))
            assert len(httpserver.log) == 1, "nobody calls as long as it asks to be left alone"
            end_waits(pipeline)
            assert [pipeline.finished(each).status for each in (refused, waiting)] == ["COMPLETED"] * 2

    def test_a_connection_without_limits_costs_nothing(self, pipeline: Pipeline, httpserver: HTTPServer) -> None:
        httpserver.expect_request("/").respond_with_data("ok", headers={"X-RateLimit-Remaining": "7"})
        connect(pipeline, "shop", "bearer", token="t-1")
        workflow = pipeline.workflow(call(httpserver))
        with counting_statements(pipeline.backends.engine) as statements, working(pipeline.backends):
            pipeline.finished(pipeline.accept(workflow.id).event_id)
        assert len([one for one in statements if "workflow.connections" in one]) == 1
        assert not pipeline.backends.redis.keys("pace:*")

    @pytest.mark.parametrize(
        "wrong", [{"requestsPerSecond": 0}, {"requestsPerSecond": "fast"}, {"concurrentRequests": -1}]
    )
    def test_limits_are_checked_where_they_come_in(self, pipeline: Pipeline, wrong: dict[str, Any]) -> None:
        kind = pipeline.workflows.catalog.connection_kinds["bearer"]
        [problem] = kind.problems({"token": "t-1", **wrong}, "/config")
        assert problem.pointer == f"/config/{next(iter(wrong))}"
