"""Steps that use a database, through the whole pipeline: what their executions hold, and what is kept out of them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from flowforge.connections.changes import NewConnection
from flowforge.connections.connections import Connections
from flowforge.secrets import MASK
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.services.sql_servers import SqlServer

NAME = "Robert'); DROP TABLE orders; --"


def connect(pipeline: Pipeline, server: SqlServer) -> None:
    connections = Connections(pipeline.workflows.catalog, pipeline.backends.vault)
    with Session(pipeline.backends.engine) as session:
        kind = connections.catalog.connection_kinds[server.kind]
        connections.create(session, OWNER, NewConnection("shop", kind, dict(server.connection)))


def sql(id_: str, **config: Any) -> dict[str, Any]:
    return {"id": id_, "type": "SQL_QUERY", "config": {"connection": "shop", **config}, "retry": {"attempts": 1}}


def test_data_of_a_webhook_are_written_and_read(pipeline: Pipeline, postgresql: SqlServer) -> None:
    postgresql.administer("DROP TABLE IF EXISTS people", "CREATE TABLE people (id serial PRIMARY KEY, name text)")
    connect(pipeline, postgresql)
    workflow = pipeline.workflow(
        sql("write", operation="insert", table="people", rows="{{ trigger.people }}"),
        sql(
            "read",
            sql="SELECT name FROM people WHERE name = :name",
            parameters={"name": "{{ trigger.people[1].name }}"},
        ),
        sql("quote", sql="SELECT :word AS word", parameters={"word": postgresql.connection["password"]}),
    )
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"people": [{"name": "Ann"}, {"name": NAME}]}).event_id)
    assert done.status == "COMPLETED", done.error
    assert done.step_outputs["step_0"] == {"count": 2}
    assert done.step_outputs["step_1"]["rows"] == [{"name": NAME}]
    assert done.step_outputs["step_2"]["rows"] == [{"word": MASK}], "the password of the connection"
