"""Lists that are worked on page by page: no row holds all of them, and where they go on is kept sealed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug import Request, Response

from flowforge import jsonio
from flowforge.db.tables import FrameRow
from flowforge.secrets import is_sealed
from flowforge.settings import Settings
from tests.actions import transform
from tests.engine.pipeline import Pipeline, working

PAGES, SIZE = 4, 3


def serve(httpserver: HTTPServer, pages: int = PAGES) -> None:
    """Some pages of three items each, by cursor, page or offset; the cursor is a secret."""

    def answer(request: Request) -> Response:
        number = int(request.args.get("cursor", "token-1").removeprefix("token-"))
        number = int(request.args.get("page", number))
        items = [{"n": number * 10 + n} for n in range(SIZE)] if number <= pages else []
        page = {"items": items, "next": f"token-{number + 1}" if number < pages else None}
        return Response(jsonio.dumps(page), mimetype="application/json")

    httpserver.expect_request("/list").respond_with_handler(answer)


def pages(httpserver: HTTPServer, *actions: Any, by: str = "cursor", **paging: Any) -> dict[str, Any]:
    at = {"at": "body.next"} if by == "cursor" else {}
    config = {"url": httpserver.url_for("/list"), "paging": {"by": by, **at, **paging}}
    call = {"id": "list", "type": "HTTP_REQUEST", "config": config}
    return {"id": "pages", "type": "FOR_EACH_PAGE", "config": {}, "actions": [call, *actions]}


def run(pipeline: Pipeline, action: dict[str, Any]) -> Any:
    with working(pipeline.backends):
        return pipeline.finished(pipeline.accept(pipeline.workflow(action).id).event_id)


def frames(pipeline: Pipeline, execution_id: UUID) -> list[FrameRow]:
    with Session(pipeline.backends.engine) as session:
        wanted = select(FrameRow).where(FrameRow.execution_id == execution_id).order_by(FrameRow.number)
        return list(session.scalars(wanted))


def requested(httpserver: HTTPServer, parameter: str) -> list[str | None]:
    return [request.args.get(parameter) for request, _ in httpserver.log]


def test_each_page_is_a_frame_with_its_items_and_the_next_is_read_from_where_it_ended(
    pipeline: Pipeline, httpserver: HTTPServer
) -> None:
    serve(httpserver)
    done = run(pipeline, {**pages(httpserver), "config": {"collect": "{{ steps.list['items'] | map('n') }}"}})
    assert done.error is None
    numbers = [[number * 10 + n for n in range(SIZE)] for number in range(1, PAGES + 1)]
    assert done.step_outputs["step_0"] == {"count": PAGES, "complete": True, "results": numbers}
    assert requested(httpserver, "cursor") == [None, "token-2", "token-3", "token-4"]
    read = [frame.outputs["step_1"] for frame in frames(pipeline, done.id)]
    assert [(len(page["items"]), page["pages"], page["complete"]) for page in read] == [
        (SIZE, number, number == PAGES) for number in range(1, PAGES + 1)
    ]


def test_where_a_page_ends_is_sealed(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    serve(httpserver)
    done = run(pipeline, pages(httpserver))
    read = [frame.outputs["step_1"]["next"] for frame in frames(pipeline, done.id)]
    assert [is_sealed(place) for place in read] == [True] * (PAGES - 1) + [False]
    assert "token-" not in "".join(map(str, read))


def test_every_item_of_every_page_is_worked_on(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    serve(httpserver)
    config = {"items": "{{ steps.list['items'] }}", "concurrency": 2}
    each = {"id": "each", "type": "FOR_EACH", "config": config, "actions": [transform(n="{{ item.n + page.number }}")]}
    loop = pages(httpserver, each)
    loop["config"] = {"collect": "{{ steps.each.results | map('n') }}"}
    done = run(pipeline, loop)
    assert done.error is None
    assert done.step_outputs["step_0"]["results"] == [
        [number * 10 + n + number for n in range(SIZE)] for number in range(1, PAGES + 1)
    ]


@pytest.mark.parametrize(
    ("paging", "parameter", "expected"),
    [
        ({"by": "page"}, "page", ["1", "2", "3", "4", "5"]),
        ({"by": "offset", "total": "body.total"}, "offset", ["0", "3", "6"]),
    ],
)
def test_numbers_count_up_over_the_pages(
    pipeline: Pipeline, httpserver: HTTPServer, paging: Any, parameter: str, expected: list[str]
) -> None:
    if paging["by"] == "page":
        serve(httpserver)
    else:

        def answer(request: Request) -> Response:
            first = int(request.args["offset"])
            page = {"items": list(range(first, min(first + SIZE, 8))), "total": 8}
            return Response(jsonio.dumps(page), mimetype="application/json")

        httpserver.expect_request("/list").respond_with_handler(answer)
    done = run(pipeline, pages(httpserver, **paging))
    assert done.error is None
    assert requested(httpserver, parameter) == expected
    assert done.step_outputs["step_0"]["complete"] is True


def test_limits_hold_over_all_pages(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    serve(httpserver)
    done = run(pipeline, pages(httpserver, maxItems=SIZE + 1))
    assert done.step_outputs["step_0"] == {"count": 2, "complete": False}
    read = [frame.outputs["step_1"]["items"] for frame in frames(pipeline, done.id)]
    assert [len(items) for items in read] == [SIZE, 1]


def test_pages_that_lead_in_a_circle_are_an_error(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        number = int(request.args.get("cursor", 1))
        return Response(jsonio.dumps({"items": [number], "next": number % 3 + 1}), mimetype="application/json")

    httpserver.expect_request("/list").respond_with_handler(answer)
    done = run(pipeline, pages(httpserver))
    assert done.status == "FAILED"
    assert "the next page is one that was read already" in done.error["message"]
    assert len(httpserver.log) < 10


def test_a_list_that_answers_the_same_again_is_an_error(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/list").respond_with_json([1, 2])
    done = run(pipeline, pages(httpserver, by="page"))
    assert (done.status, done.error["page"]) == ("FAILED", 2)
    assert "its items are those of the page before" in done.error["message"]


class TestSmallOutputs:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"step_output_max_bytes": 20_000})

    def test_a_list_may_be_larger_than_what_a_step_gives(self, pipeline: Pipeline, httpserver: HTTPServer) -> None:
        def answer(request: Request) -> Response:
            number = int(request.args["page"])
            items = ["x" * 9_000 + str(number)] if number < 6 else []
            return Response(jsonio.dumps(items), mimetype="application/json")

        httpserver.expect_request("/list").respond_with_handler(answer)
        done = run(pipeline, pages(httpserver, by="page"))
        assert done.error is None
        assert done.step_outputs["step_0"] == {"count": 6, "complete": True}


def test_an_answer_that_is_no_page_is_an_error_that_says_so(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/list").respond_with_json([1])
    loop = pages(httpserver)
    del loop["actions"][0]["config"]["paging"]
    done = run(pipeline, loop)
    assert (done.status, done.error["message"]) == (
        "FAILED",
        "step 'pages': 'list' has read no page of a list: give it paging",
    )
