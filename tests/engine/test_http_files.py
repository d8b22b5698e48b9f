"""Files over HTTP: an answer that is no text is kept as it came, and goes out again byte for byte."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response
from werkzeug.datastructures import FileStorage

from tests.actions import transform
from tests.engine.pipeline import Pipeline, working

PDF = b"%PDF-1.7\n" + bytes(range(256))
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001")


class Receiver:
    """A server that gives a body and keeps what it is sent."""

    def __init__(self, server: HTTPServer) -> None:
        self.sent: list[Request] = []
        self._server = server
        server.expect_request("/in").respond_with_handler(self._take)

    @property
    def url(self) -> str:
        return self._server.url_for("/in")

    def gives(self, data: bytes, content_type: str | None, path: str = "/file.pdf", **headers: str) -> str:
        answer = Response(data, headers=headers)
        if content_type is None:
            del answer.headers["Content-Type"]
        else:
            answer.headers["Content-Type"] = content_type
        self._server.expect_request(path).respond_with_response(answer)
        return self._server.url_for(path)

    def _take(self, request: Request) -> Response:
        request.get_data(cache=True, parse_form_data="multipart" not in (request.content_type or ""))
        self.sent.append(request)
        return Response("ok")


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Iterator[Receiver]:
    receiver = Receiver(httpserver)
    yield receiver
    for request in receiver.sent:
        request.close()


def fetch(url: str, **config: Any) -> dict[str, Any]:
    return {"id": "get", "type": "HTTP_REQUEST", "config": {"url": url, **config}}


def send(url: str, **config: Any) -> dict[str, Any]:
    return {"id": "put", "type": "HTTP_REQUEST", "config": {"url": url, "method": "POST", **config}}


def run(pipeline: Pipeline, *actions: dict[str, Any], payload: dict[str, Any] | None = None) -> Any:
    workflow = pipeline.workflow(*actions)
    with working(pipeline.backends):
        return pipeline.finished(pipeline.accept(workflow.id, payload).event_id)


def body_of(execution: Any) -> Any:
    return execution.step_outputs["step_0"]["body"]


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (gzip.compress(b"text", mtime=0), "application/gzip"),
        (PDF, None),
        (PNG * 100_000, "binary/octet-stream"),
        (b"plain", "application/octet-stream"),
    ],
)
def test_what_is_downloaded_goes_on_as_it_came(
    pipeline: Pipeline, receiver: Receiver, data: bytes, content_type: str | None
) -> None:
    url = receiver.gives(data, content_type)
    done = run(pipeline, fetch(url), send(receiver.url, body="{{ steps.get.body }}"))
    assert done.status == "COMPLETED", done.error
    assert receiver.sent[0].get_data() == data
    assert receiver.sent[0].content_length == len(data)
    file = body_of(done)
    assert file == {
        "id": file["id"],
        "name": "file.pdf",
        "type": content_type or "application/octet-stream",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert receiver.sent[0].content_type == file["type"]


@pytest.mark.parametrize(
    ("data", "content_type", "body"),
    [
        (b'{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "application/vnd.api+json", {"a": 1}),
        ("Grüße".encode("latin-1"), "text/plain; charset=iso-8859-1", "Grüße"),
        (b"<a/>", "image/svg+xml", "<a/>"),
        (b"a,b", None, "a,b"),
        (b"a: 1", "application/x-whatever", "a: 1"),
        (b"", "application/pdf", ""),
    ],
)
def test_text_stays_text(
    pipeline: Pipeline, receiver: Receiver, data: bytes, content_type: str | None, body: Any
) -> None:
    assert body_of(run(pipeline, fetch(receiver.gives(data, content_type)))) == body


def test_any_answer_is_a_file_where_that_is_wanted(pipeline: Pipeline, receiver: Receiver) -> None:
    url = receiver.gives(
        b"a,b\n1,2\n",
        "text/csv; charset=utf-8",
        "/export",
        **{"Content-Disposition": "attachment; filename*=UTF-8''%C3%9Cbersicht.csv"},
    )
    done = run(pipeline, fetch(url, response="file"), send(receiver.url, body="{{ steps.get.body }}"))
    assert (body_of(done)["name"], body_of(done)["type"]) == ("Übersicht.csv", "text/csv; charset=utf-8")
    assert receiver.sent[0].get_data() == b"a,b\n1,2\n"


def test_files_go_into_a_form(pipeline: Pipeline, receiver: Receiver) -> None:
    files = {"scan": "{{ steps.get.body }}", "both": ["{{ steps.get.body }}", "{{ trigger.small }}"]}
    small = {"name": 'a "quoted"\r\nname.txt', "type": "text/plain", "base64": "aGVsbG8="}
    done = run(
        pipeline,
        fetch(receiver.gives(PDF, "application/pdf")),
        send(receiver.url, files=files, form={"title": "Zähler", "n": "17"}),
        payload={"small": small},
    )
    assert done.status == "COMPLETED", done.error
    form, sent = receiver.sent[0].form, receiver.sent[0].files
    assert dict(form) == {"title": "Zähler", "n": "17"}
    assert parts(sent.getlist("scan")) == [("file.pdf", "application/pdf", PDF)]
    assert parts(sent.getlist("both")) == [
        ("file.pdf", "application/pdf", PDF),
        ('a "quoted"name.txt', "text/plain", b"hello"),
    ]


def parts(files: list[FileStorage]) -> list[tuple[str | None, str, bytes]]:
    """Names as a receiver reads them that undoes what browsers do to quotes and line breaks."""
    undone = {"%22": '"', "%0D": "\r", "%0A": "\n"}
    found = []
    for file in files:
        name = file.filename or ""
        for escape, character in undone.items():
            name = name.replace(escape, character)
        found.append((name, file.mimetype, file.read()))
    return found


def test_a_body_is_sent_again_where_a_redirect_asks_for_it(
    pipeline: Pipeline, receiver: Receiver, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/moved").respond_with_data("", 307, {"Location": receiver.url})
    url = receiver.gives(PDF, "application/pdf")
    run(pipeline, fetch(url), send(httpserver.url_for("/moved"), body="{{ steps.get.body }}"))
    assert receiver.sent[0].get_data() == PDF


def test_an_own_content_type_goes_before_that_of_the_file(pipeline: Pipeline, receiver: Receiver) -> None:
    own = {"Content-Type": "application/x-own"}
    url = receiver.gives(PDF, "application/pdf")
    run(pipeline, fetch(url), send(receiver.url, headers=own, body="{{ steps.get.body }}"))
    assert receiver.sent[0].content_type == "application/x-own"


def test_files_go_through_loops(pipeline: Pipeline, receiver: Receiver) -> None:
    each = {
        "type": "FOR_EACH",
        "config": {"items": ["{{ steps.get.body }}", "{{ steps.get.body }}"]},
        "actions": [send(receiver.url, body="{{ item }}")],
    }
    done = run(pipeline, fetch(receiver.gives(PDF, "application/pdf")), each)
    assert done.status == "COMPLETED", done.error
    assert [request.get_data() for request in receiver.sent] == [PDF, PDF]


def test_a_file_that_is_larger_than_may_be_is_refused(pipeline: Pipeline, receiver: Receiver) -> None:
    pipeline.backends.settings.file_max_bytes = 1_000
    done = run(pipeline, fetch(receiver.gives(PDF * 10, "application/pdf")))
    assert done.status == "FAILED"
    assert done.error["message"] == "localhost answers 2650 bytes; the limit is 1000"


def test_a_file_of_another_execution_is_not_sent(pipeline: Pipeline, receiver: Receiver) -> None:
    file = body_of(run(pipeline, fetch(receiver.gives(PDF, "application/pdf"))))
    quoting = {"url": receiver.url, "method": "POST", "body": json.loads(json.dumps(file))}
    done = run(pipeline, {"id": "put", "type": "HTTP_REQUEST", "config": quoting})
    assert done.status == "FAILED"
    assert "the file file.pdf cannot be read" in done.error["message"]
    assert receiver.sent == []


@pytest.mark.parametrize("given", ["text", 17, {"base64": "not base64!"}, {"id": "file_17"}, None])
def test_what_is_no_file_is_named(pipeline: Pipeline, receiver: Receiver, given: Any) -> None:
    done = run(pipeline, send(receiver.url, files={"scan": "{{ trigger.x }}"}), payload={"x": given})
    assert done.status == "FAILED"
    assert "files.scan.0: must be a file" in done.error["message"]


def test_the_reason_of_an_error_is_told_whatever_its_type(
    pipeline: Pipeline, receiver: Receiver, httpserver: HTTPServer
) -> None:
    refusal = Response("not today", 400)
    del refusal.headers["Content-Type"]
    httpserver.expect_request("/no").respond_with_response(refusal)
    done = run(pipeline, fetch(httpserver.url_for("/no")))
    assert done.error["message"] == "the receiver answered 400: not today"


def test_an_output_may_list_files(pipeline: Pipeline, receiver: Receiver) -> None:
    url = receiver.gives(PDF, "application/pdf")
    done = run(pipeline, fetch(url), transform(all=["{{ steps.get.body }}"], size="{{ steps.get.body.size }}"))
    assert done.step_outputs["step_1"] == {"all": [body_of(done)], "size": len(PDF)}


def test_expressions_read_the_files_of_their_execution(pipeline: Pipeline, receiver: Receiver) -> None:
    url = receiver.gives("Größe;Preis\n1;2".encode("latin-1"), "application/octet-stream")
    text = "{{ steps.get.body | text('iso-8859-1') | split('\n') | first }}"
    done = run(
        pipeline, fetch(url, response="file"), transform(head=text, code="{{ steps.get.body | base64 | length }}")
    )
    assert done.status == "COMPLETED", done.error
    assert done.step_outputs["step_1"] == {"head": "Größe;Preis", "code": 20}


def test_a_link_leads_to_the_file_until_it_ends(pipeline: Pipeline, receiver: Receiver) -> None:
    url, small = receiver.gives(PDF, "application/pdf"), {"name": "n.txt", "type": "text/plain", "base64": "aGVsbG8="}
    made = transform(large="{{ steps.get.body | link(60) }}", small="{{ trigger.f | link(60) }}")
    links = run(pipeline, fetch(url), made, payload={"f": small}).step_outputs["step_1"]
    for address, content in ((links["large"], PDF), (links["small"], b"hello")):
        token = address.rpartition("/shared-files/")[2]
        now = datetime.now(UTC)
        file_id = pipeline.backends.file_links.read(token, now)
        assert file_id is not None
        assert b"".join(pipeline.backends.files.by_link(file_id).pieces()) == content
        assert pipeline.backends.file_links.read(token, now + timedelta(seconds=61)) is None


def test_no_link_leads_to_a_file_of_another_execution(pipeline: Pipeline, receiver: Receiver) -> None:
    others = run(pipeline, fetch(receiver.gives(PDF, "application/pdf"))).step_outputs["step_0"]["body"]
    done = run(pipeline, transform(link=f"{{{{ {json.dumps(others)} | link }}}}"))
    assert done.status == "FAILED"
    assert "cannot be read: there is no such file" in done.error["message"]


def test_what_an_expression_makes_goes_out_as_a_file(pipeline: Pipeline, receiver: Receiver) -> None:
    made = "{{ trigger.rows | to_file('rows.json', 'application/json') }}"
    run(pipeline, send(receiver.url, files={"f": made}), payload={"rows": [1, 2]})
    assert parts(receiver.sent[0].files.getlist("f")) == [("rows.json", "application/json", b"[1,2]")]


def test_a_caller_may_use_what_the_workflow_it_has_called_made(pipeline: Pipeline, receiver: Receiver) -> None:
    called = pipeline.workflow(fetch(receiver.gives(PDF, "application/pdf")))
    call = {"id": "call", "type": "RUN_WORKFLOW", "config": {"workflowId": str(called.id)}}
    done = run(pipeline, call, send(receiver.url, body="{{ steps.call.result.body }}"))
    assert done.status == "COMPLETED", done.error
    assert receiver.sent[0].get_data() == PDF
