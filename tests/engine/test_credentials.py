"""Steps with connections and named secrets: what receivers get, what is kept of it, and what it costs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine, delete, event, text
from sqlalchemy.orm import Session
from werkzeug import Request, Response
from werkzeug.datastructures import Authorization

from flowforge.connections import named_secrets
from flowforge.connections.changes import NewConnection
from flowforge.connections.connections import Connections
from flowforge.db.tables import Connection, ExecutionRow, NamedSecret
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.services.smtp import Inbox, serving
from tests.statements import counting_statements

KEY = 'line one\n"line two" of a key/with+signs'
PASSWORD = "correct-horse-battery"
JSON = "application/json"


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


def test_a_secret_comes_out_of_no_step_in_pieces_or_as_a_number(pipeline: Pipeline) -> None:
    keep(pipeline, KEY="kept-under-lock", PIN="73915846")
    made = {
        "pieces": "{{ secrets.KEY | regex_find_all('.{1,3}') }}",
        "number": "{{ secrets.PIN | int }}",
        "half": "{{ (secrets.PIN | int) / 2 }}",
        "length": "{{ secrets.KEY | length }}",
        "condition": "{{ 'k' in secrets.KEY }}",
        "object": "{{ {'pin': secrets.PIN | float, 'n': trigger.n} }}",
    }
    done = ran(pipeline, {"type": "TRANSFORM", "config": {"output": made}}, payload={"n": 7})
    masks = {**dict.fromkeys(made, MASK), "object": {"pin": MASK, "n": 7}}
    assert done.step_outputs["step_0"] == masks


def test_a_signature_is_shown_and_its_key_is_not(pipeline: Pipeline) -> None:
    keep(pipeline, CRC="a-secret-token")
    signed = "{{ trigger.plain | hmac_sha256(secrets.CRC) }}"
    done = ran(pipeline, {"type": "TRANSFORM", "config": {"output": {"e": signed}}}, payload={"plain": "qgg8"})
    assert done.step_outputs["step_0"] == {"e": hmac.new(b"a-secret-token", b"qgg8", hashlib.sha256).hexdigest()}
    assert "a-secret-token" not in everything(pipeline.backends)


def test_receivers_get_what_is_made_of_a_secret_and_nothing_of_it_is_kept(
    pipeline: Pipeline, httpserver: HTTPServer
) -> None:
    keep(pipeline, KEY="kept-under-lock", PIN="73915846", REGION="eu")
    httpserver.expect_request("/").respond_with_handler(
        lambda request: Response(request.get_data(), 200, mimetype=JSON)
    )
    body = {
        "pieces": "{{ secrets.KEY | regex_find_all('.{1,3}') }}",
        "pin": "{{ secrets.PIN | int }}",
        "in": "{{ secrets.REGION }}",
        "ok": "{{ (secrets.PIN | length) == 8 }}",
        "plain": 7,
    }
    done = ran(pipeline, call(httpserver, method="POST", body=body))
    assert done.status == "COMPLETED", done.error
    [(request, _)] = httpserver.log
    pieces = ["kep", "t-u", "nde", "r-l", "ock"]
    assert request.json == {"pieces": pieces, "pin": 73915846, "in": "eu", "ok": True, "plain": 7}
    kept = {"pieces": [MASK] * 5, "pin": MASK, "in": "eu", "ok": True, "plain": 7}
    assert done.step_outputs["step_0"]["body"] == kept
    assert "73915846" not in everything(pipeline.backends)


def test_what_is_a_secret_by_its_name_is_sent_and_masked(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_handler(echo(500))
    config = {
        "url": httpserver.url_for("/?api_key=in-the-address").replace("//", "//ada:before-the-host@"),
        "headers": {"X-Api-Key": "Key of-a-header", "X-Plain": "in sight"},
        "query": {"access_token": "of-a-query", "n": 7},
    }
    failed = ran(pipeline, {"type": "HTTP_REQUEST", "config": config, "retry": {"attempts": 1}})
    [(request, _)] = httpserver.log
    assert request.headers["X-Api-Key"] == "Key of-a-header"
    assert request.authorization == Authorization("basic", {"username": "ada", "password": "before-the-host"})
    assert request.args.to_dict() == {"api_key": "in-the-address", "access_token": "of-a-query", "n": "7"}
    assert failed.error is not None
    assert "in sight" in failed.error["message"]
    encoded = base64.b64encode(b"ada:before-the-host").decode()
    for clear in ("in-the-address", "before-the-host", "of-a-header", "of-a-query", encoded):
        assert clear not in everything(pipeline.backends), clear


def test_an_error_quotes_no_piece_of_a_secret(pipeline: Pipeline) -> None:
    keep(pipeline, KEY="Xq7-under-lock")
    for url in (
        "http://{{ secrets.KEY }}.invalid/",
        "http://{{ secrets.KEY[:2] }}.invalid/",
        "{{ secrets.KEY[:3] }}",
    ):
        failed = ran(pipeline, {"type": "HTTP_REQUEST", "config": {"url": url}, "retry": {"attempts": 1}})
        assert failed.error is not None
        assert "xq" not in failed.error["message"].lower()
    mail = {"to": ["{{ secrets.KEY[:3] }}"], "host": "127.0.0.1", "port": 9, "from": "a@x.test"}
    failed = ran(pipeline, {"type": "SEND_EMAIL", "config": mail, "retry": {"attempts": 1}})
    assert failed.error is not None
    assert MASK in failed.error["message"]
    assert "Xq7" not in failed.error["message"]


def test_a_step_sends_a_bounded_number_of_values_made_from_secrets(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    keep(pipeline, KEY="abcd" * 300)
    failed = ran(pipeline, call(httpserver, method="POST", body="{{ secrets.KEY | regex_find_all('abcd') }}"))
    assert failed.error is not None
    assert failed.error["message"] == "the config has more than 200 values made from secrets"
    assert httpserver.log == []


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
    with counting_statements(pipeline.backends.engine) as statements:
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


def test_a_sealed_field_that_holds_an_expression_is_opened_without_holding_up_the_loop(
    pipeline: Pipeline, httpserver: HTTPServer
) -> None:
    """Other steps share the loop: what needs named secrets, or variables, asks PostgreSQL in a thread."""
    keep(pipeline, PATH="hook")
    httpserver.expect_request("/hook", method="POST").respond_with_data("ok")
    written = httpserver.url_for("/{{ secrets.PATH }}")
    with _asking_threads(pipeline.backends.engine) as asking:
        done = ran(pipeline, {"type": "SLACK_MESSAGE", "config": {"webhookUrl": written, "message": "Hi"}})
    assert done.status == "COMPLETED", done.error
    assert any(name.startswith("asking-") for name in asking)
    assert "steps" not in asking


@contextmanager
def _asking_threads(engine: Engine) -> Iterator[set[str]]:
    """The names of the threads that send statements inside the block."""
    names: set[str] = set()

    def note(*_: Any) -> None:
        names.add(threading.current_thread().name)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield names
    finally:
        event.remove(engine, "before_cursor_execute", note)
