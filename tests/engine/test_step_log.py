"""Lines that steps write into the log of their execution while they run."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from flowforge import jsonio
from flowforge.connectors.sdk import LogLine
from flowforge.engine.executor import Executor
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.engine.step_log import LONGEST_LINE, MOST_LINES, PublishedLog
from flowforge.events import EXECUTION_EVENTS, ExecutionEvent, ExecutionStart
from flowforge.secrets import MASK
from tests.engine.pipeline import Pipeline, working
from tests.logged_data import logged_data
from tests.waiting import eventually


def written(pipeline: Pipeline) -> list[str]:
    """The texts of the lines that steps have written."""
    with pipeline.backends.engine.connect() as connection:
        return [data["message"] for data in logged_data(connection, "LOG")]


def published(pipeline: Pipeline) -> list[ExecutionEvent]:
    stream = pipeline.backends.redis.xrange(f"flowforge:{EXECUTION_EVENTS}")
    return [ExecutionEvent.decode(fields[b"v"]) for _, fields in stream]


@pytest.fixture
def log(pipeline: Pipeline) -> PublishedLog:
    ids = dict.fromkeys(("executionId", "workflowId", "userId"), "00000000-0000-4000-8000-000000000000")
    start = ExecutionStart.model_validate({**ids, "stepIndex": 3, "actionType": "HTTP_REQUEST"})
    return PublishedLog(pipeline.backends.bus, start, ["hush-hush"])


def test_each_page_of_a_list_is_a_line_while_the_step_runs(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    """The second page is answered when the line about the first one can be read."""

    def answer(request: Request) -> Response:
        number = int(request.args.get("page", 1))
        if number > 1:
            eventually(lambda: len(written(pipeline)) == number - 1)
        items = [number] * 2 if number < 3 else []
        return Response(jsonio.dumps(items), mimetype="application/json")

    httpserver.expect_request("/list").respond_with_handler(answer)
    config = {"url": httpserver.url_for("/list"), "paging": {"by": "page"}}
    with working(pipeline.backends, Orchestrator, Executor, LogSink):
        event = pipeline.accept(pipeline.workflow({"type": "HTTP_REQUEST", "config": config}).id)
        assert pipeline.finished(event.event_id).status == "COMPLETED"
        eventually(lambda: len(written(pipeline)) == 3)
    assert written(pipeline) == [
        "page 1: 2 items, 2 so far",
        "page 2: 2 items, 4 so far",
        "page 3: 0 items, 4 so far",
    ]


def test_lines_name_their_step_and_hide_secrets(log: PublishedLog, pipeline: Pipeline) -> None:
    log.add([LogLine("token hush-hush"), LogLine("so long", "WARN")])
    lines = published(pipeline)
    assert [(line.message, line.status, line.step_index) for line in lines] == [
        (f"token {MASK}", "INFO", 3),
        ("so long", "WARN", 3),
    ]
    assert len({line.line_id for line in lines}) == 2


def test_lines_are_bounded_in_number_and_length(log: PublishedLog, pipeline: Pipeline) -> None:
    for _ in range(3):
        log.add([LogLine("x" * (LONGEST_LINE + 1))] * (MOST_LINES // 2))
    log.add([LogLine("more")])
    *lines, last = [line.message or "" for line in published(pipeline)]
    assert (len(lines), {len(line) for line in lines}) == (MOST_LINES, {LONGEST_LINE})
    assert "further ones are left out" in last


def test_a_batch_behind_the_last_line_is_left_out(log: PublishedLog, pipeline: Pipeline) -> None:
    log.add([LogLine("x")] * (MOST_LINES + 1))
    log.add([LogLine("more")] * 50)
    assert len(published(pipeline)) == MOST_LINES + 1, "the lines, and the word that there is no room for more"
