"""Operations of APIs as steps: called as their description has it, in the version that the workflow was saved with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy.orm import Session
from werkzeug import Request, Response

from flowforge.api_registry.apis import Apis
from flowforge.api_registry.changes import DescriptionSource, NewApi
from flowforge.api_registry.views import ApiView
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid
from flowforge.wiring import Backends
from tests.descriptions import Json, as_file, petstore
from tests.engine.pipeline import OWNER, Pipeline, working

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001")


class Registry:
    """The APIs of the owner."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._apis = Apis(load_catalog(), backends.vault)

    def add(self, description: Json, name: str = "petstore") -> ApiView:
        with Session(self._backends.engine) as session:
            return self._apis.create(session, self._backends, OWNER, NewApi(_source(description), name))

    def renew(self, api: ApiView, description: Json) -> ApiView:
        with Session(self._backends.engine) as session:
            version = self._apis.add_version(session, self._backends, OWNER, api.id, _source(description))
            return self._apis.take(session, OWNER, api.id, version.id)

    def steps_hit(self, api: ApiView, description: Json) -> list[tuple[str, str, bool]]:
        """Workflow, step, and whether its operation is gone."""
        with Session(self._backends.engine) as session:
            version = self._apis.add_version(session, self._backends, OWNER, api.id, _source(description))
            found = self._apis.compare(session, OWNER, api.id, version.id)
        return [(hit.use.workflow_name, hit.use.step, hit.is_removed) for hit in found.steps]

    def is_used(self, name: str) -> bool:
        with Session(self._backends.engine) as session:
            return bool(self._apis.uses(session, OWNER, name))


@pytest.fixture
def registry(backends: Backends) -> Registry:
    return Registry(backends)


@pytest.fixture
def pipeline(backends: Backends) -> Iterator[Pipeline]:
    pipeline = Pipeline(backends)
    with working(backends):
        yield pipeline


def _source(description: Json) -> DescriptionSource:
    return DescriptionSource(file=as_file(description).encode())


def call(operation: str, input_: Any = None, **config: Any) -> dict[str, Any]:
    more = {} if input_ is None else {"input": input_}
    return {"id": "call", "type": "API_CALL", "config": {"api": "petstore", "operation": operation, **more, **config}}


def run(pipeline: Pipeline, *actions: dict[str, Any], payload: Json | None = None) -> Any:
    return pipeline.finished(pipeline.accept(pipeline.workflow(*actions).id, payload).event_id)


def at(httpserver: HTTPServer) -> Json:
    return petstore(httpserver.url_for("/v1"))


def test_an_operation_is_called_as_it_is_described(
    pipeline: Pipeline, registry: Registry, httpserver: HTTPServer
) -> None:
    registry.add(at(httpserver))
    httpserver.expect_ordered_request(
        "/v1/pets", method="GET", query_string={"limit": "5", "kind": "cat"}
    ).respond_with_json([{"name": "Tom"}])
    row = run(
        pipeline, call("listPets", {"query": {"limit": "{{ trigger.most }}", "kind": "cat"}}), payload={"most": 5}
    )
    assert row.status == "COMPLETED", row.error
    output = row.step_outputs["step_0"]
    assert (output["body"], output["status"]) == ([{"name": "Tom"}], 200)


def test_a_body_is_sent_with_the_key_of_the_call(
    pipeline: Pipeline, registry: Registry, httpserver: HTTPServer
) -> None:
    registry.add(at(httpserver))
    sent: list[Request] = []

    def add(request: Request) -> Response:
        request.get_data()
        sent.append(request)
        return Response("{}", 201, content_type="application/json")

    httpserver.expect_request("/v1/pets", method="POST").respond_with_handler(add)
    row = run(pipeline, call("addPet", {"body": {"name": "{{ trigger.name }}", "age": 3}}), payload={"name": "Rex"})
    assert row.status == "COMPLETED", row.error
    assert json.loads(sent[0].get_data()) == {"name": "Rex", "age": 3}
    assert sent[0].headers["Idempotency-Key"].startswith(str(row.id))


def test_an_error_is_told_in_the_words_of_the_api(
    pipeline: Pipeline, registry: Registry, httpserver: HTTPServer
) -> None:
    registry.add(at(httpserver))
    httpserver.expect_request("/v1/pets").respond_with_json({"problem": "no room for pets"}, 422)
    row = run(pipeline, call("addPet", {"body": {"name": "Rex"}}))
    assert (row.status, row.error["message"]) == ("FAILED", "Petstore answered 422: no room for pets")


def test_a_success_that_the_description_knows_to_be_none_is_an_error(
    pipeline: Pipeline, registry: Registry, httpserver: HTTPServer
) -> None:
    """Slack answers 200 to everything, and `"ok": false` to what it has not done."""
    description = at(httpserver)
    ok = {"type": "object", "properties": {"ok": {"type": "boolean", "enum": [True]}}}
    content = {"application/json": {"schema": ok}}
    description["paths"]["/pets"]["post"]["responses"] = {"200": {"description": "", "content": content}}
    registry.add(description)
    httpserver.expect_request("/v1/pets").respond_with_json({"ok": False, "error": "not_allowed"})
    row = run(pipeline, call("addPet", {"body": {"name": "Rex"}}))
    assert (row.status, row.error["message"]) == ("FAILED", "Petstore refused: not_allowed")


def test_files_go_in_and_out(pipeline: Pipeline, registry: Registry, httpserver: HTTPServer) -> None:
    registry.add(at(httpserver))
    httpserver.expect_request("/v1/pets/7/photo", method="GET").respond_with_data(PNG, content_type="image/png")
    kept: list[bytes] = []

    def keep(request: Request) -> Response:
        kept.append(request.get_data())
        return Response(status=204)

    httpserver.expect_request("/v1/pets/8/photo", method="PUT").respond_with_handler(keep)
    get = {**call("getPhoto", {"path": {"petId": "7"}}), "id": "photo"}
    put = call("putPhoto", {"path": {"petId": "8"}, "body": "{{ steps.photo.body }}"})
    row = run(pipeline, get, put)
    assert row.status == "COMPLETED", row.error
    assert kept == [PNG]


def test_a_new_file_changes_no_workflow_that_runs(
    pipeline: Pipeline, registry: Registry, httpserver: HTTPServer
) -> None:
    api = registry.add(at(httpserver))
    workflow = pipeline.workflow(call("listPets"))
    (action,) = workflow.actions
    assert action["config"]["version"] == api.version

    later = registry.renew(api, petstore(httpserver.url_for("/v2"), info={"title": "Petstore", "version": "2"}))
    httpserver.expect_ordered_request("/v1/pets").respond_with_json(["first"])
    httpserver.expect_ordered_request("/v2/pets").respond_with_json(["second"])
    first = pipeline.finished(pipeline.accept(workflow.id).event_id)
    second = run(pipeline, call("listPets", version=later.version))
    assert [row.step_outputs["step_0"]["body"] for row in (first, second)] == [["first"], ["second"]]


def test_the_steps_that_a_new_file_hits_are_named(
    pipeline: Pipeline, registry: Registry, httpserver: HTTPServer
) -> None:
    api = registry.add(at(httpserver))
    pipeline.workflow(
        {**call("listPets"), "name": "Look"}, {**call("getPhoto", {"path": {"petId": "1"}}), "id": "other"}
    )
    later = at(httpserver)
    del later["paths"]["/pets"]["get"]
    assert registry.steps_hit(api, later) == [("w", "Look", True)]
    assert registry.is_used("petstore")


@pytest.mark.parametrize(
    ("action", "pointer", "words"),
    [
        (call("listPets", api="petstor"), "api", "did you mean 'petstore'"),
        (call("listPet"), "operation", "did you mean 'listPets'"),
        (call("listPets", version="sha256:000000000000"), "version", "has no version"),
        (call("listPets", {"query": {"limit": "many"}}), "input/query/limit", "number"),
        (call("listPets", {"query": {"kind": "cow"}}), "input/query/kind", "cat"),
        (call("listPets", {"query": {"limt": 5}}), "input/query/limt", ""),
        (call("addPet", {"body": {"age": 3}}), "input/body/name", "required"),
        (call("addPet", {"body": {"name": "{{ trigger.name }}", "age": "old"}}), "input/body/age", "number"),
        (call("getPhoto"), "input/path", "required"),
        (call("listPets", server="example.test"), "server", "http"),
        (call("listPets", connection="nobody"), "connection", "there is no connection"),
    ],
    ids=[
        "api",
        "operation",
        "version",
        "type",
        "enum",
        "unknown",
        "required",
        "beside an expression",
        "path",
        "server",
        "connection",
    ],
)
def test_what_is_wrong_is_said_when_it_is_saved(
    backends: Backends, registry: Registry, action: Json, pointer: str, words: str
) -> None:
    registry.add(petstore())
    with pytest.raises(Invalid) as refused:
        Pipeline(backends).workflow(action)
    found = {problem.pointer: problem.message for problem in refused.value.problems}
    assert f"/actions/0/config/{pointer}" in found, found
    assert words in found[f"/actions/0/config/{pointer}"]


def test_secrets_are_not_written_into_an_input(backends: Backends, registry: Registry) -> None:
    description = petstore()
    post = description["paths"]["/pets"]["post"]
    post["parameters"] = [{"name": "X-Api-Key", "in": "header", "schema": {"type": "string"}}]
    secret = {"type": "object", "properties": {"pin": {"type": "string", "format": "password"}}}
    body = {"type": "object", "properties": {"chips": {"type": "array", "items": secret}}}
    post["requestBody"]["content"]["application/json"]["schema"] = body
    registry.add(description)
    pipeline = Pipeline(backends)
    with pytest.raises(Invalid) as refused:
        pipeline.workflow(call("addPet", {"headers": {"X-Api-Key": "k-1"}, "body": {"chips": [{"pin": "1234"}]}}))
    at_input = "/actions/0/config/input"
    assert {problem.pointer for problem in refused.value.problems} == {
        f"{at_input}/headers/X-Api-Key",
        f"{at_input}/body/chips/0/pin",
    }
    hidden = {"headers": {"X-Api-Key": "{{ trigger.key }}"}, "body": {"chips": [{"pin": "{{ trigger.pin }}"}]}}
    assert pipeline.workflow(call("addPet", hidden))


@pytest.mark.parametrize("place", ["query", "header", "cookie"])
def test_what_has_the_name_of_a_key_that_callers_sign_in_with_is_a_secret(
    backends: Backends, registry: Registry, place: str
) -> None:
    description = petstore()
    description["components"]["securitySchemes"] = {"key": {"type": "apiKey", "in": place, "name": "Pet-Club"}}
    post = description["paths"]["/pets"]["post"]
    post["parameters"] = [{"name": "pet-club", "in": place, "schema": {"type": "string"}}]
    member = {"type": "object", "properties": {"Pet-Club": {"type": "string"}, "club": {"type": "string"}}}
    post["requestBody"]["content"]["application/json"]["schema"] = {"type": "object", "properties": {"member": member}}
    registry.add(description)
    section = {"header": "headers", "cookie": "cookies"}.get(place, place)
    body = {"member": {"Pet-Club": "k-2", "club": "chess"}}
    with pytest.raises(Invalid) as refused:
        Pipeline(backends).workflow(call("addPet", {section: {"pet-club": "k-1"}, "body": body}))
    found = {problem.pointer: problem.message for problem in refused.value.problems}
    assert "is a secret" in found[f"/actions/0/config/input/{section}/pet-club"]
    assert "is a secret" in found["/actions/0/config/input/body/member/Pet-Club"]
    assert "/actions/0/config/input/body/member/club" not in found


def test_what_an_expression_gives_is_left_to_the_run(
    pipeline: Pipeline, registry: Registry, httpserver: HTTPServer
) -> None:
    registry.add(at(httpserver))
    row = run(pipeline, call("listPets", {"query": {"limit": "{{ trigger.most }}"}}), payload={"most": "lots"})
    assert row.status == "FAILED"
    assert "/query/limit" in row.error["message"]


def test_a_deleted_api_fails_its_steps(pipeline: Pipeline, registry: Registry, backends: Backends) -> None:
    api = registry.add(petstore())
    workflow = pipeline.workflow(call("listPets"))
    with Session(backends.engine) as session:
        Apis(load_catalog(), backends.vault).delete(session, OWNER, api.id, force=True)
    row = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert (row.status, "there is no API 'petstore'" in row.error["message"]) == ("FAILED", True)


def test_the_apis_of_others_are_not_there(backends: Backends, registry: Registry) -> None:
    registry.add(petstore())
    with pytest.raises(Invalid, match="there is no API"):
        Pipeline(backends, owner=UUID(int=9)).workflow(call("listPets"))
