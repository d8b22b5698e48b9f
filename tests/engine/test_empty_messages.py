"""A message that turns out empty is not taken for one that nobody wrote: that would post all the data there are."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy.orm import Session

from flowforge.connections.changes import NewConnection
from flowforge.connections.connections import Connections
from tests.engine.pipeline import OWNER, Pipeline, working

SECRET = {"card": "4111-private"}


def posted(pipeline: Pipeline, httpserver: HTTPServer, note: Any, **config: Any) -> tuple[str | None, list[str]]:
    """How a Slack message failed, and what was posted."""
    httpserver.expect_request("/hook").respond_with_data("ok")
    written = {"webhookUrl": httpserver.url_for("/hook"), **config}
    workflow = pipeline.workflow({"type": "SLACK_MESSAGE", "config": written})
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"body": {"note": note, **SECRET}}).event_id)
    texts = [request.get_json()["text"] for request, _ in httpserver.log]
    return (done.error or {}).get("message"), texts


@pytest.mark.parametrize("note", [None, "", "  \n"])
@pytest.mark.parametrize("key", ["message", "text"])
def test_it_fails_and_posts_nothing(pipeline: Pipeline, httpserver: HTTPServer, note: Any, key: str) -> None:
    error, texts = posted(pipeline, httpserver, note, **{key: "{{ trigger.body.note }}"})
    assert texts == []
    assert error is not None
    assert "message: is empty" in error or "text: is empty" in error


@pytest.mark.parametrize("written", [{}, {"message": ""}, {"message": None}])
def test_one_that_nobody_wrote_is_all_the_data(
    pipeline: Pipeline, httpserver: HTTPServer, written: dict[str, Any]
) -> None:
    """contract.md, section 6."""
    error, texts = posted(pipeline, httpserver, "hello", **written)
    assert error is None
    assert SECRET["card"] in texts[0]


def test_nor_does_a_connection_make_it_one_that_nobody_wrote(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    catalog = pipeline.workflows.catalog
    team = NewConnection("team", catalog.connection_kinds["slack"], {"webhookUrl": httpserver.url_for("/hook")})
    with Session(pipeline.backends.engine) as session:
        Connections(catalog, pipeline.backends.vault).create(session, OWNER, team)
    error, texts = posted(pipeline, httpserver, "", webhookUrl="", connection="team", message="{{ trigger.body.note }}")
    assert (texts, "message: is empty" in str(error)) == ([], True)


@pytest.mark.parametrize(("value", "text"), [(17, "17"), (False, "false"), ({"total": 5}, '{"total":5}')])
def test_a_message_of_any_kind_is_posted_as_text(
    pipeline: Pipeline, httpserver: HTTPServer, value: Any, text: str
) -> None:
    assert posted(pipeline, httpserver, value, message="{{ trigger.body.note }}") == (None, [text])
