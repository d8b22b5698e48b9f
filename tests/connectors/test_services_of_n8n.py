"""Nodes of n8n's services, as their steps run against a stand-in of the service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response as Answer

from flowforge import jsonio
from flowforge.connectors.sdk import StepContext
from flowforge.language.expressions.resolving import resolve
from tests.connectors.running import received_by, run
from tests.n8n.graphs import CALLED, actions, graph, node

Json = dict[str, Any]
Node = Callable[..., list[Json]]
Answers = Callable[..., None]


@pytest.fixture
def run_node(httpserver: HTTPServer, context: StepContext) -> Node:
    """Runs the steps that a node becomes, and gives their outputs; its service is the stand-in."""

    def run_all(type_: str, parameters: Json, body: Json | None = None) -> list[Json]:
        outputs: dict[str, Json] = {}
        for action in actions(graph([CALLED, node("N", type_, parameters)], "Call > N")):
            scope = {"trigger": {"body": body or {}}, "steps": outputs}
            config = resolve(action["config"], scope, step=action["id"])
            config = {key: value for key, value in config.items() if key != "connection"}
            if "url" in config:
                config["url"] = _here(httpserver, config["url"])
            outputs[action["id"]] = run(action["type"], config, context)
        return list(outputs.values())

    return run_all


def _here(httpserver: HTTPServer, url: str) -> str:
    address = urlsplit(url)
    return httpserver.url_for(address.path) + (f"?{address.query}" if address.query else "")


def _requests(httpserver: HTTPServer) -> Sequence[tuple[str, str]]:
    return [(request.method, request.path) for request in received_by(httpserver)]


def test_all_pages_of_a_list_are_read(httpserver: HTTPServer, answers: Answers, run_node: Node) -> None:
    first = Answer(jsonio.dumps([{"iid": 1}]), mimetype="application/json")
    first.headers["Link"] = f'<{httpserver.url_for("/api/v4/projects/a%2Fb/issues?page=2")}>; rel="next"'
    answers("GET", "/api/v4/projects/a/b/issues", first, [{"iid": 2}])
    asked = {"resource": "repository", "operation": "getIssues", "owner": "a", "repository": "b", "returnAll": True}
    (output,) = run_node("gitlab", asked)
    assert output["items"] == [{"iid": 1}, {"iid": 2}]


def test_a_path_is_one_part_of_the_address(httpserver: HTTPServer, answers: Answers, run_node: Node) -> None:
    asked = {"resource": "file", "operation": "get", "asBinaryProperty": False, "owner": "a", "repository": "b"}
    run_node("gitlab", asked | {"filePath": "={{ $json.body.path }}"}, {"path": "docs/a b.md"})
    assert "/projects/a%2Fb/repository/files/docs%2Fa%20b.md?" in received_by(httpserver)[0].environ["RAW_URI"]


def test_a_session_is_begun_and_ended_around_the_call(httpserver: HTTPServer, answers: Answers, run_node: Node) -> None:
    answers("POST", "/api/v1/sessions", {"data": {"id": "s"}})
    answers("POST", "/api/v1/sessions/s/windows", {"data": {"windowId": "w"}})
    asked = {"resource": "extraction", "operation": "query", "sessionMode": "new", "prompt": "How many?"}
    run_node("airtop", asked)
    assert _requests(httpserver) == [
        ("POST", "/api/v1/sessions"),
        ("POST", "/api/v1/sessions/s/windows"),
        ("POST", "/api/v1/sessions/s/windows/w/page-query"),
        ("DELETE", "/api/v1/sessions/s"),
    ]


def test_collections_of_fields_are_sent_with_the_others(
    httpserver: HTTPServer, answers: Answers, run_node: Node
) -> None:
    answers("POST", "/crm/v2/Contacts/upsert", {"data": [{"details": {"id": "1"}}]})
    address = {"address_fields": {"Mailing_City": "Graz"}}
    fields = {"Email": "={{ $json.body.mail }}", "Mailing_Address": address}
    asked = {"resource": "contact", "operation": "upsert", "lastName": "Doe", "additionalFields": fields}
    run_node("zohoCrm", asked, {"mail": "a@b.example"})
    sent = {"Last_Name": "Doe", "Email": "a@b.example", "Mailing_City": "Graz"}
    assert received_by(httpserver)[0].json == {"data": [sent]}


def test_members_of_lists_are_sent_as_the_api_has_them(
    httpserver: HTTPServer, answers: Answers, run_node: Node
) -> None:
    rows = [{"text": "{NAME}", "replaceText": "={{ $json.body.name }}"}]
    run_node("googleSlides", {"operation": "replaceText", "textUi": {"textValues": rows}}, {"name": "Ada"})
    assert received_by(httpserver)[0].json == {
        "requests": [{"replaceAllText": {"replaceText": "Ada", "containsText": {"text": "{NAME}"}}}]
    }


def test_an_answer_of_another_form_becomes_what_n8n_gives(answers: Answers, run_node: Node) -> None:
    rows = [{"f": [{"v": "1"}, {"v": "Ada"}]}]
    answer = {"schema": {"fields": [{"name": "id"}, {"name": "name"}]}, "rows": rows}
    answers("POST", "/bigquery/v2/projects/p/queries", answer)
    output = run_node("googleBigQuery", {"projectId": "p", "sqlQuery": "SELECT 1"})[-1]
    assert output["result"] == [{"id": "1", "name": "Ada"}]
