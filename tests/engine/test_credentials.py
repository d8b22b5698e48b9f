"""Steps with connections and named secrets: what receivers get, what is kept of it, and what it costs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import delete, text
from sqlalchemy.orm import Session
from werkzeug import Request, Response

from flowforge.connections import named_secrets
from flowforge.connections.changes import NewConnection
from flowforge.connections.connections import Connections
from flowforge.db.tables import Connection, ExecutionRow, NamedSecret
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.engine.pipeline import OWNER, Pipeline, counting_statements, working
from tests.services.smtp import Inbox, serving

KEY = 'line one\n"line two" of a key/with+signs'
PASSWORD = "correct-horse-battery"


def connect(pipeline: Pipeline, name: str, type_: str, **config: Any) -> None:
    connections = Connections(pipeline.workflows.catalog, pipeline.backends.vault)
    with Session(pipeline.backends.engine) as session:
        wanted = NewConnection(name, connections.catalog.connection_kinds[type_], config)
        connections.create(session, OWNER, wanted)


def keep(pipeline: Pipeline, **secrets: str) -> None:
    with Session(pipeline.backends.engine) as session:
        for name, value in secrets.items():
            named_secrets.put_secret(session, pipeline.backends.vault, OWNER, name, value)


def ran(pipeline: Pipeline, *actions: dict[str, Any], payload: dict[str, Any] | None = None) -> ExecutionRow:
    workflow = pipeline.workflow(*actions)
    with working(pipeline.backends):
        return pipeline.finished(pipeline.accept(workflow.id, payload).event_id)


def call(httpserver: HTTPServer, **config: Any) -> dict[str, Any]:
    return {"type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/"), **config}, "retry": {"attempts": 1}}


def echo(status: int = 200) -> Any:
    """A receiver that repeats all it was sent, as many do that people try things out with."""

    def answer(request: Request) -> Response:
        heard = (request.query_string.decode(), json.dumps(dict(request.headers)), request.get_data(as_text=True))
        return Response(" ".join(heard), status)

    return answer


def test_what_receivers_send_back_is_masked_in_every_form(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    keep(pipeline, KEY=KEY)
    connect(pipeline, "shop", "http", username="ada", password=PASSWORD)
    httpserver.expect_request("/").respond_with_handler(echo())
    config = {"connection": "shop", "method": "POST", "query": {"k": "{{ secrets.KEY }}"}}
    done = ran(pipeline, call(httpserver, **config, body={"key": "{{ secrets.KEY }}"}))
    assert done.status == "COMPLETED", done.error
    [(request, _)] = httpserver.log
    encoded = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
    assert request.headers["Authorization"] == f"Basic {encoded}"
    assert (request.json, request.args["k"]) == ({"key": KEY}, KEY)
    assert MASK in done.step_outputs["step_0"]["body"]
    for clear in (PASSWORD, encoded, "line two", "line%20two", "line+two"):
        assert clear not in everything(pipeline.backends), clear


def test_what_is_made_of_a_secret_is_a_secret(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    keep(pipeline, KEY="kept-under-lock")
    made = {"encoded": "{{ secrets.KEY | base64 }}", "cut": "{{ secrets.KEY[:9] }}", "list": "{{ [secrets.KEY] }}"}
    done = ran(pipeline, {"type": "TRANSFORM", "config": {"output": {**made, "plain": "kept in sight"}}})
    assert done.step_outputs["step_0"] == {"encoded": MASK, "cut": MASK, "list": [MASK], "plain": "kept in sight"}


def test_failures_tell_no_secret(pipeline: Pipeline, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture) -> None:
    keep(pipeline, KEY="kept-under-lock")
    httpserver.expect_request("/").respond_with_handler(echo(500))
    failed = ran(pipeline, call(httpserver, query={"k": "{{ secrets.KEY }}"}))
    assert failed.error is not None
    assert failed.error["message"].startswith(f"the receiver answered 500: k={MASK} ")
    broken = ran(pipeline, {"type": "TRANSFORM", "config": {"output": {"n": "{{ 7 / secrets.KEY }}"}}})
    assert broken.status == "FAILED"
    assert "kept-under-lock" not in everything(pipeline.backends)
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]  # the receiver's
    assert "kept-under-lock" not in " ".join(ours)


def test_a_secret_that_an_error_repeats_is_masked_before_it_is_cut_and_written_in_one_line(
    pipeline: Pipeline, httpserver: HTTPServer
) -> None:
    keep(pipeline, KEY=KEY)
    for before in ("", "x" * 950):
        httpserver.expect_oneshot_request("/").respond_with_data(f"{before} {KEY} is wrong", status=403)
        failed = ran(pipeline, call(httpserver, query={"k": "{{ secrets.KEY }}"}))
        assert failed.error is not None
        assert f"{before} {MASK} is wrong".strip() in failed.error["message"]
    assert "line two" not in everything(pipeline.backends)


def test_a_secret_that_is_gone_fails_the_step_by_its_name(pipeline: Pipeline) -> None:
    keep(pipeline, KEY="kept-under-lock", KEPT="another")
    workflow = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"k": "{{ secrets.KEY }}"}}})
    with Session(pipeline.backends.engine) as session:
        session.execute(delete(NamedSecret).where(NamedSecret.name == "KEY"))
        session.commit()
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert failed.error is not None
    assert "secrets" in failed.error["message"]
    assert "KEY" in failed.error["message"]
    assert [attempt.attempt for attempt in pipeline.attempts(failed.id)] == [1], "trying again cannot help"


def test_a_connection_that_is_gone_fails_the_step_by_its_name(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    connect(pipeline, "shop", "http", bearerToken="kept-under-lock")
    workflow = pipeline.workflow(call(httpserver, connection="shop"))
    with Session(pipeline.backends.engine) as session:
        session.execute(delete(Connection))
        session.commit()
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert failed.error is not None
    assert "there is no connection 'shop'" in failed.error["message"]
    assert httpserver.log == []


def test_what_a_step_gives_itself_comes_before_what_its_connection_gives(
    pipeline: Pipeline, httpserver: HTTPServer
) -> None:
    connect(pipeline, "shop", "http", bearerToken="of-the-connection", secretHeaders={"X-Key": "k-of-connection"})
    httpserver.expect_request("/").respond_with_data("ok")
    ran(pipeline, call(httpserver, connection="shop", bearerToken="of-the-step"))
    [(request, _)] = httpserver.log
    assert (request.headers["Authorization"], request.headers["X-Key"]) == ("Bearer of-the-step", "k-of-connection")


def test_what_looks_like_an_expression_in_a_connection_is_a_secret_like_any_other(
    pipeline: Pipeline, httpserver: HTTPServer
) -> None:
    connect(pipeline, "shop", "http", bearerToken="{{ trigger.token }}")
    with pipeline.backends.engine.connect() as connection:
        assert "trigger.token" not in connection.execute(text("SELECT config::text FROM workflow.connections")).scalar()
    httpserver.expect_request("/").respond_with_data("ok")
    ran(pipeline, call(httpserver, connection="shop"), payload={"token": "of-the-trigger"})
    [(request, _)] = httpserver.log
    assert request.headers["Authorization"] == "Bearer {{ trigger.token }}"


def test_mail_goes_out_by_a_connection(pipeline: Pipeline) -> None:
    inbox = Inbox()
    with serving(inbox) as port:
        account = {"host": "127.0.0.1", "port": port, "security": "none", "from": "shop@x.test"}
        connect(pipeline, "mail", "smtp", **account)
        config = {"connection": "mail", "to": "a@x.test", "subject": "Hi", "text": "Hello"}
        done = ran(pipeline, {"type": "SEND_EMAIL", "config": config})
    assert done.status == "COMPLETED", done.error
    [mail] = inbox.mails
    assert (mail["From"], mail["Subject"]) == ("shop@x.test", "Hi")


def test_other_peoples_secrets_are_not_there(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    connect(pipeline, "shop", "http", bearerToken="kept-under-lock")
    workflow = pipeline.workflow(call(httpserver, connection="shop"))
    with pipeline.backends.engine.begin() as connection:
        connection.execute(text("UPDATE workflow.connections SET user_id = gen_random_uuid()"))
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert failed.status == "FAILED"
    assert httpserver.log == []


def test_steps_that_call_neither_look_neither_up(pipeline: Pipeline) -> None:
    keep(pipeline, KEY="kept-under-lock")
    with counting_statements(pipeline.backends) as statements:
        ran(pipeline, {"type": "TRANSFORM", "config": {"output": {"n": "{{ trigger.n }}"}}}, payload={"n": 1})
    assert not [one for one in statements if "named_secrets" in one or "workflow.connections" in one]


def everything(backends: Backends) -> str:
    """All that PostgreSQL and the bus keep, each row and entry as text."""
    with backends.engine.connect() as connection:
        ours = "schemaname NOT IN ('pg_catalog', 'information_schema')"
        tables = connection.scalars(text(f"SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE {ours}"))
        kept = [str(connection.scalars(text(f"SELECT t::text FROM {table} t")).all()) for table in tables.all()]
    streams = [key for key in backends.redis.scan_iter(count=1_000) if backends.redis.type(key) == b"stream"]
    return " ".join([*kept, *(str(backends.redis.xrange(key)) for key in streams)])
