"""Triggers on real services, made and changed as clients do: by connections, with secrets, through publishing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.people import Person
from tests.services.changing_list import ChangingList
from tests.services.file_servers import FileServer, running_sftp
from tests.services.serving import serving
from tests.services.sql_servers import SqlServer, postgresql
from tests.triggers.registrations import events, trigger
from workers.polls import run_poll

__all__ = ["postgresql"]

Ask = Callable[..., Any]


@pytest.fixture
def ask(client: FlaskClient, owner: Person) -> Ask:
    def send(method: str, path: str, body: Any = None) -> Any:
        answer = client.open(f"/api/v1{path}", method=method, json=body, headers=owner.headers)
        assert answer.status_code < 300, answer.text
        return answer.json

    return send


@pytest.fixture
def files(tmp_path: Path) -> Iterator[FileServer]:
    with running_sftp(tmp_path) as server:
        yield server


@pytest.fixture
def api() -> Iterator[ChangingList]:
    server = ChangingList()
    with serving(server):
        yield server


def definition(type_: str, **config: Any) -> dict[str, Any]:
    step = {"type": "TRANSFORM", "config": {"output": {"new": "{{ trigger.item }}"}}}
    return {"name": "News", "trigger": {"type": type_, "config": config}, "actions": [step]}


def made(ask: Ask, type_: str, **config: Any) -> tuple[str, UUID]:
    """A workflow, and its trigger."""
    workflow = ask("POST", "/workflows", definition(type_, **config))
    [registered] = ask("GET", f"/triggers?workflowId={workflow['id']}")
    return workflow["id"], UUID(registered["id"])


def items(engine: Engine, trigger_id: UUID) -> list[Any]:
    return [event.payload["item"] for event in events(engine, trigger_id)]


def test_a_new_file_on_a_server(ask: Ask, backends: Backends, engine: Engine, files: FileServer) -> None:
    ask("POST", "/connections", {"name": "files", "type": files.kind, "config": dict(files.connection)})
    files.write("in/old.csv", b"1")
    _, new = made(ask, "file_transfer", connection="files", path="in", watch="changed")
    run_poll(backends, new)
    files.write("in/new.csv", b"2")
    run_poll(backends, new)
    files.write("in/old.csv", b"changed")
    run_poll(backends, new)
    run_poll(backends, new)
    assert trigger(engine, new)["last_error"] is None
    assert [item["name"] for item in items(engine, new)] == ["new.csv", "old.csv"]


def test_a_new_row_of_a_query(ask: Ask, backends: Backends, engine: Engine, postgresql: SqlServer) -> None:
    postgresql.administer(
        "DROP TABLE IF EXISTS polled_orders",
        "CREATE TABLE polled_orders (id bigint, customer text)",
        "INSERT INTO polled_orders VALUES (1, 'Ada')",
    )
    ask("POST", "/connections", {"name": "shop", "type": postgresql.kind, "config": dict(postgresql.connection)})
    sql, parameters = "SELECT * FROM polled_orders WHERE id > :after", {"after": "{{ trigger.highest or 0 }}"}
    _, new = made(ask, "sql_query", connection="shop", sql=sql, parameters=parameters, itemId="id", growing="id")
    run_poll(backends, new)
    postgresql.administer("INSERT INTO polled_orders VALUES (2, 'Eve'), (3, 'Bob')")
    run_poll(backends, new)
    run_poll(backends, new)
    assert trigger(engine, new)["last_error"] is None
    assert items(engine, new) == [{"id": 2, "customer": "Eve"}, {"id": 3, "customer": "Bob"}]


def test_secrets_are_sealed_and_masked_and_what_was_seen_outlasts_publishing(
    ask: Ask, backends: Backends, engine: Engine, api: ChangingList
) -> None:
    config = {"url": api.url, "headers": {"Authorization": "Bearer hush-hush-hush"}, "items": "body.data"}
    workflow, new = made(ask, "http_request", itemId="id", **config)
    api.shows({"id": 1})
    run_poll(backends, new)
    assert api.headers_seen[-1]["Authorization"] == "Bearer hush-hush-hush"
    shown = ask("GET", f"/workflows/{workflow}")
    assert shown["trigger"]["config"]["headers"]["Authorization"] == MASK
    ask("PUT", f"/workflows/{workflow}", {"name": "Renamed", "trigger": shown["trigger"], "actions": shown["actions"]})
    ask("PUT", f"/workflows/{workflow}", {"enabled": False})
    ask("PUT", f"/workflows/{workflow}", {"enabled": True})
    api.shows({"id": 1}, {"id": 2})
    run_poll(backends, new)
    assert api.headers_seen[-1]["Authorization"] == "Bearer hush-hush-hush"
    assert items(engine, new) == [{"id": 2}]
    with engine.connect() as connection:
        stored = connection.scalars(
            text(
                "SELECT configuration::text FROM trigger_service.trigger_registrations UNION ALL"
                " SELECT to_jsonb(version)::text FROM workflow.workflow_versions AS version"
            )
        )
        assert not [row for row in stored if row and "hush-hush" in row]


def test_a_connection_that_is_mended_counts_at_once(
    ask: Ask, backends: Backends, engine: Engine, api: ChangingList
) -> None:
    made_connection = ask(
        "POST", "/connections", {"name": "shop", "type": "bearer", "config": {"token": "first-token"}}
    )
    _, new = made(ask, "http_request", connection="shop", url=api.url, items="body.data", itemId="id")
    run_poll(backends, new)
    assert api.headers_seen[-1]["Authorization"] == "Bearer first-token"
    api.answers({"error": "first-token is over"}, 401)
    run_poll(backends, new)
    row = trigger(engine, new)
    assert "401" in row["last_error"]
    assert "first-token" not in row["last_error"]
    ask("PUT", f"/connections/{made_connection['id']}", {"config": {"token": "second-token"}})
    api.shows({"id": 7})
    assert trigger(engine, new)["next_scheduled_at"] < row["next_scheduled_at"]
    run_poll(backends, new)
    assert api.headers_seen[-1]["Authorization"] == "Bearer second-token"
    assert items(engine, new) == [{"id": 7}]
