"""Lists and formats in the real pipeline: a table that is downloaded is worked on, and goes out as a file of another
kind."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from openpyxl import load_workbook
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.engine.pipeline import Pipeline, working

ORDERS = "customer;total\n" + "\n".join(f"{'Ada' if number % 3 else 'Bob'};{number}" for number in range(5_000))
SUM_UP = {"do": "aggregate", "groupBy": ["customer"], "measures": [{"name": "spent", "how": "sum", "field": "total"}]}


def step(id_: str, type_: str, **config: Any) -> dict[str, Any]:
    return {"id": id_, "type": type_, "config": config}


def test_a_table_is_read_summed_up_written_and_packed(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    sent: list[bytes] = []

    def take(request: Request) -> Response:
        sent.append(request.get_data())
        return Response("ok")

    httpserver.expect_request("/orders.csv").respond_with_data(ORDERS, content_type="application/octet-stream")
    httpserver.expect_request("/in").respond_with_handler(take)
    workflow = pipeline.workflow(
        step("get", "HTTP_REQUEST", url=httpserver.url_for("/orders.csv")),
        step("read", "READ_SPREADSHEET", file="{{ steps.get.body }}"),
        step("sums", "LIST", list="{{ steps.read.rows }}", operations=[SUM_UP, {"do": "sort", "fields": ["customer"]}]),
        step("book", "WRITE_SPREADSHEET", rows="{{ steps.sums.items }}", format="xlsx", name="sums.xlsx"),
        step("pack", "ZIP", files=["{{ steps.book.file }}", "{{ steps.get.body }}"]),
        step("put", "HTTP_REQUEST", url=httpserver.url_for("/in"), method="POST", body="{{ steps.pack.file }}"),
    )
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert done.status == "COMPLETED", done.error
    with zipfile.ZipFile(io.BytesIO(sent[0])) as archive:
        assert archive.read("orders.csv").decode() == ORDERS
        rows = load_workbook(io.BytesIO(archive.read("sums.xlsx"))).active.iter_rows(values_only=True)
    totals = {name: sum(n for n in range(5_000) if bool(n % 3) is (name == "Ada")) for name in ("Ada", "Bob")}
    assert [*rows] == [("customer", "spent"), *totals.items()]


def test_a_file_that_is_made_to_harm_fails_its_own_step_alone(pipeline: Pipeline) -> None:
    hostile = pipeline.workflow(step("read", "READ_XML", source="<a>" * 5_000 + "</a>" * 5_000))
    endless = "[% for a in range(99999) %][% for b in range(99999) %][% endfor %][% endfor %]"
    forever = pipeline.workflow({**step("text", "TEMPLATE", template=endless), "timeout": 2, "retry": {"attempts": 1}})
    innocent = pipeline.workflow(step("text", "TEMPLATE", template="[[ who ]]", data={"who": "{{ trigger.name }}"}))
    with working(pipeline.backends):
        events = [pipeline.accept(workflow.id, {"name": "Ada"}).event_id for workflow in (hostile, forever, innocent)]
        broken, late, well = (pipeline.finished(event) for event in events)
    assert broken.status == late.status == "FAILED"
    assert "nested more than 100 levels deep" in broken.error["message"]
    assert "time limit" in late.error["message"]
    assert (well.status, well.step_outputs["step_0"]) == ("COMPLETED", {"text": "Ada"})
