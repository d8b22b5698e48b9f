"""Lists of many pages: what was read is kept in PostgreSQL until the step ends, and is not read again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import text
from werkzeug import Request, Response

from flowforge import jsonio
from flowforge.db import parts_store
from flowforge.db.attempt_rows import AttemptKey
from flowforge.db.parts_store import StoredPart
from flowforge.engine.pruning import prune
from flowforge.secrets import MASK, is_sealed
from flowforge.wiring import Backends
from tests.engine.pipeline import Pipeline, working
from tests.engine.test_credentials import connect, keep
from tests.statements import counting_statements
from tests.waiting import eventually

SIZE, PAGES = 2, 5
RETRIED = {"attempts": 2, "delay": 0.01, "on": "any"}


def serve(httpserver: HTTPServer, before: Callable[[int], Response | None] = lambda _: None) -> None:
    """Five pages, with `before` given the number of each; it may answer in their stead."""

    def answer(request: Request) -> Response:
        number = int(request.args.get("cursor", 1))
        items = [{"z": number, "a": n} for n in range(SIZE)]
        page = {"items": items, "next": number + 1 if number < PAGES else None}
        return before(number) or Response(jsonio.dumps(page), mimetype="application/json")

    httpserver.expect_request("/list").respond_with_handler(answer)


def action(httpserver: HTTPServer, **config: Any) -> dict[str, Any]:
    paging = {"by": "cursor", "at": "body.next"}
    return {"type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/list"), "paging": paging, **config}}


def rows(backends: Backends) -> list[Any]:
    with backends.engine.connect() as connection:
        return list(connection.execute(text("SELECT * FROM orchestrator.step_parts ORDER BY number")))


def numbers(httpserver: HTTPServer) -> list[int]:
    """The pages that were requested."""
    return [int(request.args.get("cursor", 1)) for request, _ in httpserver.log]


def test_another_attempt_goes_on_with_the_page_that_failed(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    kept: list[Any] = []

    def fail_once(number: int) -> Response | None:
        if number == 3 and not kept:
            kept.extend(rows(pipeline.backends))
            return Response("later", 503)
        return None

    serve(httpserver, fail_once)
    with working(pipeline.backends):
        event = pipeline.accept(pipeline.workflow({**action(httpserver), "retry": RETRIED}).id)
        done = pipeline.finished(event.event_id)
    assert done.status == "COMPLETED", done.error
    output = done.step_outputs["step_0"]
    assert output["items"] == [{"z": number, "a": n} for number in range(1, PAGES + 1) for n in range(SIZE)]
    assert (output["pages"], output["complete"]) == (PAGES, True)
    assert numbers(httpserver) == [1, 2, 3, 3, 4, 5]
    assert [row.items for row in kept] == ['[{"z":1,"a":0},{"z":1,"a":1}]', '[{"z":2,"a":0},{"z":2,"a":1}]']
    assert rows(pipeline.backends) == [], "the step is over"


def test_secrets_are_neither_in_what_is_kept_nor_in_where_it_goes_on(
    pipeline: Pipeline, httpserver: HTTPServer
) -> None:
    connect(pipeline, "shop", "bearer", token="hush-hush-token")
    keep(pipeline, KEY="kept-under-lock")

    def answer(request: Request) -> Response:
        if request.args.get("cursor"):
            return Response("out", 400)
        page = {"items": [request.headers["Authorization"], request.args["key"]], "next": "kept-under-lock"}
        return Response(jsonio.dumps(page), mimetype="application/json")

    httpserver.expect_request("/list").respond_with_handler(answer)
    config = {"connection": "shop", "query": {"key": "{{ secrets.KEY }}"}}
    with working(pipeline.backends):
        pipeline.finished(pipeline.accept(pipeline.workflow(action(httpserver, **config)).id).event_id)
    [row] = rows(pipeline.backends)
    assert jsonio.loads(row.items) == [f"Bearer {MASK}", MASK]
    assert is_sealed(row.next)


def test_who_has_lost_the_step_keeps_nothing_more(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    def take_away(number: int) -> Response | None:
        if number == 2:
            pipeline.change_attempts("lease_owner = 'another'")
        return None

    serve(httpserver, take_away)
    with working(pipeline.backends):
        pipeline.accept(pipeline.workflow(action(httpserver)).id)
        eventually(lambda: numbers(httpserver) == [1, 2])
    assert numbers(httpserver) == [1, 2]
    assert len(rows(pipeline.backends)) == 1


def test_a_step_without_pages_costs_no_statement_more(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/plain").respond_with_data("ok")
    plain = {"type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/plain")}}
    with counting_statements(pipeline.backends.engine) as statements, working(pipeline.backends):
        pipeline.finished(pipeline.accept(pipeline.workflow(plain).id).event_id)
    assert not [statement for statement in statements if "step_parts" in statement]


@pytest.mark.parametrize("attempt", [1, 2])
def test_what_a_failed_step_leaves_is_deleted_when_its_execution_is_over(
    pipeline: Pipeline, httpserver: HTTPServer, attempt: int
) -> None:
    serve(httpserver, lambda number: Response("no", 400) if number == 2 else None)
    retry = {"attempts": attempt, "delay": 0.01, "on": "any"}
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(pipeline.workflow({**action(httpserver), "retry": retry}).id).event_id)
    assert done.error["message"].startswith("page 2: the receiver answered 400")
    assert numbers(httpserver) == [1, *[2] * attempt]
    assert len(rows(pipeline.backends)) == 1
    assert prune(pipeline.backends, datetime.now(UTC))["parts of ended steps"] == 1
    assert rows(pipeline.backends) == []


def test_a_part_is_kept_once(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    event = pipeline.held_by_a_dead_executor(action(httpserver), claims=1)
    execution = pipeline.execution(event.event_id)
    assert execution is not None
    key, part = AttemptKey(execution.id, 0, 0, 1), StoredPart(1, "[]", None, complete=True)
    with pipeline.backends.engine.begin() as connection:
        assert parts_store.add(connection, "dead", key, part)
        assert not parts_store.add(connection, "dead", key, part)
        assert not parts_store.add(connection, "another", key, StoredPart(2, "[]", None, complete=True))
        assert parts_store.parts(connection, key) == [part]
