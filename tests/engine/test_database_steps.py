"""Steps that use a database, through the whole pipeline: what their executions hold, and what is kept out of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from flowforge.connections.changes import NewConnection
from flowforge.connections.connections import Connections
from flowforge.secrets import MASK
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.services.sql_servers import SqlServer

NAME = "Robert'); DROP TABLE orders; --"


def connect(pipeline: Pipeline, kind: str, config: Mapping[str, Any]) -> None:
    connections = Connections(pipeline.workflows.catalog, pipeline.backends.vault)
    with Session(pipeline.backends.engine) as session:
        declared = connections.catalog.connection_kinds[kind]
        connections.create(session, OWNER, NewConnection("shop", declared, dict(config)))


def sql(id_: str, **config: Any) -> dict[str, Any]:
    return {"id": id_, "type": "SQL_QUERY", "config": {"connection": "shop", **config}, "retry": {"attempts": 1}}


def test_data_of_a_webhook_are_written_and_read(pipeline: Pipeline, postgresql: SqlServer) -> None:
    postgresql.administer("DROP TABLE IF EXISTS people", "CREATE TABLE people (id serial PRIMARY KEY, name text)")
    connect(pipeline, postgresql.kind, postgresql.connection)
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


def test_data_of_a_webhook_are_values_of_a_query_and_no_operators(pipeline: Pipeline, mongo_server: str) -> None:
    port = int(mongo_server.rpartition(":")[2])
    connect(pipeline, "mongodb", {"host": "127.0.0.1", "port": port, "database": "people", "tls": "off"})
    documents = {"connection": "shop", "collection": "people"}
    workflow = pipeline.workflow(
        {"type": "MONGODB", "config": {**documents, "operation": "insert", "documents": [{"name": "Ann"}]}},
        {"type": "MONGODB", "config": {**documents, "filter": {"name": "{{ trigger.name }}"}}},
    )
    with working(pipeline.backends):
        found = pipeline.finished(pipeline.accept(workflow.id, {"name": "Ann"}).event_id)
        refused = pipeline.finished(pipeline.accept(workflow.id, {"name": {"$ne": None}}).event_id)
    assert found.status == "COMPLETED", found.error
    assert [document["name"] for document in found.step_outputs["step_1"]["documents"]] == ["Ann"]
    assert refused.error["message"] == "filter.name: the data hold '$ne', which would be an operator here"
