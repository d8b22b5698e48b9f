"""Liveness, readiness and metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from rq import Queue, Worker
from sqlalchemy import Engine

from flowforge.events import TRIGGER_EVENTS
from flowforge.wiring import Backends
from tests.api.test_webhooks import elsewhere
from tests.api.things import execution, trigger, workflow
from tests.people import Person

PARTS = {"postgresql", "redis", "bus", "logbook"}
CONSUMERS = ("orchestrator", "executor", "log-sink")


def test_a_living_process_says_so_whatever_is_down(backends: Backends) -> None:
    with elsewhere(backends, redis_url="redis://127.0.0.1:1/0") as lost:
        assert lost.get("/health/live").json == {"status": "up"}


@pytest.fixture
def registered_workers(backends: Backends) -> Iterator[None]:
    """As RQ knows them; their processes are none of this test's business."""
    workers = [Worker([name], name=f"{name}-of-a-test", connection=backends.redis) for name in CONSUMERS]
    for worker in workers:
        worker.register_birth()
        backends.redis.sadd(Queue.redis_queues_keys, *worker.queue_keys())
    yield
    for worker in workers:
        worker.register_death()


@pytest.mark.usefixtures("registered_workers")
def test_it_is_ready_when_everything_answers(client: FlaskClient) -> None:
    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json == {"status": "up", "checks": dict.fromkeys([*PARTS, "workers"], "up")}


def test_it_says_that_no_worker_is_alive_and_takes_calls_all_the_same(client: FlaskClient) -> None:
    answer: Any = client.get("/health/ready")

    assert (answer.status_code, answer.json["status"]) == (200, "up")
    assert answer.json["checks"]["workers"] == "down"
    assert "orchestrator, executor, log-sink" in answer.json["problems"]["workers"]


@pytest.mark.parametrize(
    ("setting", "address", "down"),
    [
        ("redis_url", "redis://127.0.0.1:1/0", {"redis", "bus"}),
        ("postgres_url_setting", "postgresql://nobody@127.0.0.1:1/nothing", {"postgresql", "logbook"}),
    ],
)
def test_what_is_down_is_named(backends: Backends, setting: str, address: str, down: set[str]) -> None:
    with elsewhere(backends, **{setting: address}) as lost:
        answer = lost.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json["status"] == "down"
    checks = {part: word for part, word in answer.json["checks"].items() if part in PARTS}
    assert checks == {part: "down" if part in down else "up" for part in PARTS}
    assert all("does not answer" in answer.json["problems"][part] for part in down)


def metrics(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


class TestMetrics:
    def test_count_requests_by_route(self, client: FlaskClient) -> None:
        client.get("/health/live")
        client.get("/nowhere/1")
        client.open("/nowhere/2", method="MADEUP")

        seen = metrics(client)

        assert seen["flowforge_http_requests_total", "GET", "/health/live", "200"] == 1
        assert seen["flowforge_http_requests_total", "(none)", "(none)", "404"] == 2
        assert seen["flowforge_http_request_seconds_count", "/health/live"] == 1

    def test_count_accepted_events_and_what_is_owed(
        self, client: FlaskClient, owner: Person, backends: Backends
    ) -> None:
        group = backends.settings.group_orchestrator
        backends.bus.subscribe([TRIGGER_EVENTS], group, "one").close()
        hook = trigger(client, owner, workflow(client, owner)["id"])
        client.post(f"/webhook/{hook['webhookToken']}", headers={"Idempotency-Key": "k"})
        client.post(f"/webhook/{hook['webhookToken']}", headers={"Idempotency-Key": "k"})

        seen = metrics(client)

        assert seen["flowforge_events_accepted_total", "webhook"] == 1
        assert seen["flowforge_work", "events"] == 1
        assert seen["flowforge_bus_lag", group, TRIGGER_EVENTS] == 1

    def test_count_what_has_just_ended(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        for status in ("COMPLETED", "COMPLETED", "FAILED"):
            execution(engine, owner, status=status, finished_at="now()")

        seen = metrics(client)

        assert seen["flowforge_executions_finished_last_minute", "COMPLETED"] == 2
        assert seen["flowforge_executions_finished_last_minute", "FAILED"] == 1

    def test_say_what_could_not_be_asked(self, backends: Backends) -> None:
        with elsewhere(backends, redis_url="redis://127.0.0.1:1/0") as lost:
            seen = metrics(lost)

        assert seen["flowforge_up", "bus"] == 0
        assert seen["flowforge_up", "postgresql"] == 1


SCRAPER = {"Authorization": "Bearer a-token-of-the-scraper"}
FROM_ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


class TestMetricsAreNotPublic:
    @pytest.fixture
    def with_token(self, backends: Backends) -> Iterator[FlaskClient]:
        with elsewhere(backends, metrics_token=SecretStr("a-token-of-the-scraper")) as client:
            yield client

    def test_only_loopback_reads_them_where_there_is_no_token(self, client: FlaskClient) -> None:
        assert client.get("/metrics", environ_overrides={"REMOTE_ADDR": "::1"}).status_code == 200
        assert client.get("/metrics", environ_overrides=FROM_ELSEWHERE).status_code == 403

    def test_the_token_opens_them_from_anywhere(self, with_token: FlaskClient) -> None:
        assert with_token.get("/metrics", headers=SCRAPER, environ_overrides=FROM_ELSEWHERE).status_code == 200

    @pytest.mark.parametrize(
        "sent", [{}, {"Authorization": "Bearer another-token-of-mine"}, {"Authorization": "Basic YTpi"}]
    )
    def test_without_it_they_are_closed_on_loopback_too(self, with_token: FlaskClient, sent: dict[str, str]) -> None:
        assert with_token.get("/metrics", headers=sent).status_code == 401

    @pytest.mark.parametrize("added", ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"])
    def test_a_proxy_never_gets_them(self, client: FlaskClient, with_token: FlaskClient, added: str) -> None:
        assert client.get("/metrics", headers={added: "127.0.0.1"}).status_code == 403
        assert with_token.get("/metrics", headers={added: "127.0.0.1", **SCRAPER}).status_code == 403
