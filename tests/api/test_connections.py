"""Connections and named secrets: written once, called by name, never shown again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from pytest_httpserver import HTTPServer
from sqlalchemy import text
from werkzeug.wrappers import Response

from flowforge.db.sealed import reseal
from flowforge.secrets import MASK, Vault, new_key
from flowforge.wiring import Backends
from tests.engine.pipeline import working
from tests.logged_data import logged_data
from tests.people import Person
from tests.waiting import eventually

TOKEN = "xoxb-very-hush-hush"
HTTP = {"name": "shop", "type": "http", "config": {"bearerToken": TOKEN}}

Answer = Any
Ask = Callable[..., Answer]


@pytest.fixture
def ask(client: FlaskClient, owner: Person) -> Ask:
    def send(method: str, path: str, body: Any = None) -> Answer:
        return client.open(f"/api/v1{path}", method=method, json=body, headers=owner.headers)

    return send


def calling(httpserver: HTTPServer, **config: Any) -> dict[str, Any]:
    step = {"id": "call", "type": "HTTP_REQUEST", "config": {"url": httpserver.url_for("/orders"), **config}}
    return {"name": "Calling", "actions": [step]}


def test_a_connection_is_kept_sealed_and_shown_masked(ask: Ask, backends: Backends) -> None:
    made = ask("POST", "/connections", HTTP)
    assert made.status_code == 201, made.text
    assert made.json["config"] == {"bearerToken": MASK}
    assert TOKEN not in ask("GET", "/connections").text
    with backends.engine.connect() as connection:
        assert TOKEN not in connection.execute(text("SELECT config::text FROM workflow.connections")).scalar_one()


def test_a_mask_that_is_sent_back_keeps_the_secret(ask: Ask, backends: Backends) -> None:
    path = f"/connections/{ask('POST', '/connections', HTTP).json['id']}"
    changed = ask("PUT", path, {"config": {"bearerToken": MASK, "username": "ada"}})
    assert changed.json["config"] == {"bearerToken": MASK, "username": "ada"}
    with backends.engine.connect() as connection:
        stored = connection.execute(text("SELECT config FROM workflow.connections")).scalar_one()
    assert backends.vault.open(stored["bearerToken"]) == TOKEN


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "No Spaces"}, "/name"),
        ({"name": None}, "/name"),
        ({"type": "nothing"}, "/type"),
        ({"type": ["http"]}, "/type"),
        ({"config": []}, "/config"),
        ({"config": {"bearertoken": "x"}}, "/config/bearertoken"),
        ({"config": {"bearerToken": 7}}, "/config/bearerToken"),
        ({"config": {"bearerToken": MASK}}, "/config/bearerToken"),
    ],
    ids=["name", "no name", "type", "list of types", "list", "unknown field", "number", "mask of nothing"],
)
def test_bad_input_is_refused_by_field(ask: Ask, change: dict[str, Any], pointer: str) -> None:
    refused = ask("POST", "/connections", {**HTTP, **change})
    assert refused.status_code == 400
    assert [detail["pointer"] for detail in refused.json["details"]] == [pointer]


def test_names_are_unique_to_their_user(ask: Ask, client: FlaskClient, stranger: Person) -> None:
    assert ask("POST", "/connections", HTTP).status_code == 201
    assert ask("POST", "/connections", HTTP).status_code == 409
    assert client.post("/api/v1/connections", json=HTTP, headers=stranger.headers).status_code == 201


def test_a_workflow_that_calls_what_is_not_there_is_refused(ask: Ask, httpserver: HTTPServer) -> None:
    ask("POST", "/connections", HTTP)
    ask("POST", "/connections", {"name": "mail", "type": "smtp", "config": {"host": "mail.example.test"}})
    ask("PUT", "/secrets/API_KEY", {"value": "k"})
    actions = [
        calling(httpserver, connection="shpo")["actions"][0] | {"id": "a"},
        calling(httpserver, connection="mail")["actions"][0] | {"id": "b"},
        {"id": "c", "type": "TRANSFORM", "config": {"output": {"k": "{{ secrets.API_KEI }}"}}},
        {"id": "d", "type": "FOR_EACH", "config": {"items": "{{ [secrets.API_KEY] }}"}, "actions": []},
    ]
    refused = ask("POST", "/workflows", {"name": "Wrong", "actions": actions})
    told = {detail["pointer"]: detail["message"] for detail in refused.json["details"]}
    assert told["/actions/0/config/connection"] == "there is no connection 'shpo'; did you mean 'shop'?"
    assert "of the type smtp" in told["/actions/1/config/connection"]
    assert told["/actions/2/config/output/k"] == "there is no secret 'API_KEI'; did you mean 'API_KEY'?"
    assert "not where the flow is steered" in told["/actions/3/config/items"]


def test_what_a_connection_gives_need_not_be_in_the_step(ask: Ask) -> None:
    ask("POST", "/connections", {"name": "team", "type": "slack", "config": {"webhookUrl": "https://h.example.test"}})
    slack = {"type": "SLACK_MESSAGE", "config": {"connection": "team", "message": "hi"}}
    assert ask("POST", "/workflows", {"name": "Slack", "actions": [slack]}).status_code == 201
    bare = {"type": "SLACK_MESSAGE", "config": {"message": "hi"}}
    assert ask("POST", "/workflows", {"name": "Slack", "actions": [bare]}).status_code == 400


def test_steps_use_both_and_nothing_that_is_kept_holds_a_secret(
    ask: Ask, backends: Backends, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/orders").respond_with_handler(_echo)
    ask("POST", "/connections", HTTP)
    ask("PUT", "/secrets/API_KEY", {"value": "kept-under-lock"})
    made = ask("POST", "/workflows", calling(httpserver, connection="shop", query={"key": "{{ secrets.API_KEY }}"}))
    assert made.status_code == 201, made.text
    started = ask("POST", f"/workflows/{made.json['id']}/run", {}).json

    def over() -> Any:
        shown = ask("GET", f"/executions/{started['executionId']}")
        return shown if shown.status_code == 200 and shown.json["finishedAt"] else None

    with working(backends):
        shown = eventually(over)
    assert shown.json["status"] == "COMPLETED", shown.text
    [request] = [request for request, _ in httpserver.log]
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.args["key"] == "kept-under-lock"
    assert shown.json["stepOutputs"]["step_0"]["body"] == f"{MASK} and {MASK}", "the receiver sent them back"
    for clear in (TOKEN, "kept-under-lock"):
        assert clear not in shown.text
        assert clear not in _everything(backends)


def test_a_change_counts_from_the_next_run_on_and_a_deleted_one_is_missed(
    ask: Ask, backends: Backends, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/orders").respond_with_handler(_echo)
    connection = ask("POST", "/connections", HTTP).json["id"]
    made = ask("POST", "/workflows", calling(httpserver, connection="shop")).json["id"]
    ask("PUT", f"/connections/{connection}", {"config": {"bearerToken": "newer-token"}})
    assert ask("POST", f"/workflows/{made}/steps/call/test", {}).json["error"] is None
    assert httpserver.log[-1][0].headers["Authorization"] == "Bearer newer-token"
    refused = ask("DELETE", f"/connections/{connection}")
    assert (refused.status_code, refused.json["message"]) == (409, "it is used by Calling")
    assert ask("DELETE", f"/connections/{connection}?force=true").status_code == 204
    assert "there is no connection 'shop'" in ask("POST", f"/workflows/{made}/steps/call/test", {}).json["error"]


def test_trying_one_out_tells_what_is_wrong(ask: Ask) -> None:
    account = {"host": "127.0.0.1", "port": 9, "username": "ada", "password": "hush-hush", "security": "none"}
    made = ask("POST", "/connections", {"name": "mail", "type": "smtp", "config": account}).json
    tested = ask("POST", f"/connections/{made['id']}/test").json
    assert "127.0.0.1" in tested["problem"]
    assert tested["testedAt"] is not None


def test_types_say_what_they_need(ask: Ask) -> None:
    types = {one["type"]: one for one in ask("GET", "/connection-types").json}
    assert types.keys() >= {"google", "http", "oauth2", "slack", "smtp"}
    assert types["smtp"]["config"]["properties"].keys() >= {"host", "port", "password"}


def test_secrets_are_listed_by_name_only(ask: Ask) -> None:
    assert ask("PUT", "/secrets/API_KEY", {"value": "kept-under-lock"}).status_code == 204
    listed = ask("GET", "/secrets")
    assert [one["name"] for one in listed.json] == ["API_KEY"]
    assert "kept" not in listed.text
    assert ask("PUT", "/secrets/1st", {"value": "x"}).status_code == 400
    assert ask("PUT", "/secrets/OTHER", {"value": ""}).status_code == 400
    assert ask("DELETE", "/secrets/API_KEY").status_code == 204
    assert ask("DELETE", "/secrets/API_KEY").status_code == 404


def test_both_get_a_new_key_with_the_other_secrets(ask: Ask, backends: Backends) -> None:
    ask("POST", "/connections", HTTP)
    ask("PUT", "/secrets/API_KEY", {"value": "kept-under-lock"})
    new = new_key()
    reseal(backends.engine, Vault([new, *backends.keys.vault]))
    with backends.engine.connect() as connection:
        value = connection.execute(text("SELECT value FROM workflow.named_secrets")).scalar_one()
        config = connection.execute(text("SELECT config FROM workflow.connections")).scalar_one()
    assert (Vault([new]).open(value), Vault([new]).open(config["bearerToken"])) == ("kept-under-lock", TOKEN)


def _echo(request: Any) -> Any:
    return Response(f"{request.headers['Authorization'].removeprefix('Bearer ')} and {request.args.get('key', '')}")


def _everything(backends: Backends) -> str:
    """All that PostgreSQL and the bus keep."""
    tables = (
        "workflow.workflows",
        "workflow.workflow_versions",
        "workflow.connections",
        "workflow.named_secrets",
        "trigger_service.trigger_events",
        "orchestrator.workflow_executions",
        "orchestrator.step_attempts",
        "logbook.execution_logs",
    )
    with backends.engine.connect() as connection:
        kept = [str(connection.execute(text(f"SELECT * FROM {table}")).all()) for table in tables]
        kept.append(str(logged_data(connection)))
    streams = [key for key in backends.redis.scan_iter(count=1_000) if backends.redis.type(key) == b"stream"]
    return " ".join([*kept, *(str(backends.redis.xrange(key)) for key in streams)])


def test_one_that_is_called_in_a_draft_only_is_used_too(ask: Ask, httpserver: HTTPServer) -> None:
    connection = ask("POST", "/connections", HTTP).json["id"]
    made = ask("POST", "/workflows", {"name": "Being built", "actions": []}).json["id"]
    draft = {"definition": calling(httpserver, connection="shop") | {"name": "Being built"}, "revision": 0}
    assert ask("PUT", f"/workflows/{made}/draft", draft).status_code == 200
    refused = ask("DELETE", f"/connections/{connection}")
    assert (refused.status_code, refused.json["message"]) == (409, "it is used by Being built")
    assert ask("DELETE", f"/workflows/{made}/draft").status_code in {200, 204}
    assert ask("DELETE", f"/connections/{connection}").status_code == 204


def test_one_for_http_is_tested_at_an_address_of_its_users_choice(ask: Ask, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/me", headers={"Authorization": f"Bearer {TOKEN}"}).respond_with_data("ada")
    made = ask("POST", "/connections", HTTP | {"config": {"bearerToken": TOKEN, "testUrl": httpserver.url_for("/me")}})
    assert made.json["config"] == {"bearerToken": MASK, "testUrl": httpserver.url_for("/me")}
    tested = ask("POST", f"/connections/{made.json['id']}/test").json
    assert (tested["problem"], tested["testedAt"] is None) == (None, False)


def test_a_refusal_of_the_address_is_told_without_the_secret_that_it_repeats(ask: Ask, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/me").respond_with_data(f"Bearer {TOKEN} is not known", status=401)
    made = ask("POST", "/connections", HTTP | {"config": {"bearerToken": TOKEN, "testUrl": httpserver.url_for("/me")}})
    problem = ask("POST", f"/connections/{made.json['id']}/test").json["problem"]
    assert problem == f"the address answered 401: Bearer {MASK} is not known"
