"""Files become descriptions: what they say of themselves, their operations, servers and sign-ins."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge import jsonio
from flowforge.apis.description import Description
from flowforge.apis.operation import Unusable
from flowforge.apis.reading import UnreadableDescription, read_description
from flowforge.errors import Invalid, NotFound
from tests.apis.descriptions import ADDRESS, described

PETS: dict[str, Any] = {"get": {"operationId": "listPets", "tags": ["pets"], "summary": "List all pets.\nAll."}}

SWAGGER = """\
swagger: '2.0'
info: {title: Pets, version: 1.0.0}
host: pets.example.com
basePath: /v1
schemes: [http, https]
consumes: [application/json]
securityDefinitions:
  key: {type: apiKey, in: header, name: X-Api-Key}
  token: {type: apiKey, in: header, name: Authorization, description: 'Bearer <token>'}
  login: {type: oauth2, flow: accessCode, authorizationUrl: /auth, tokenUrl: 'https://login.example.com/token',
          scopes: {read: Reads pets}}
security: [{key: []}]
parameters:
  limit: {name: limit, in: query, type: integer, maximum: 100}
paths:
  /pets:
    parameters: [{$ref: '#/parameters/limit'}]
    get:
      operationId: listPets
      parameters: [{name: limit, in: query, type: integer, maximum: 10}]
      responses: {200: {description: ok, schema: {type: array, items: {$ref: '#/definitions/Pet'}}}}
    post:
      operationId: addPet
      security: []
      parameters: [{name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}]
  /pets/{id}/photo:
    post:
      operationId: addPhoto
      parameters:
        - {name: photo, in: formData, type: file, required: true}
        - {name: tags, in: formData, type: array, items: {type: string}, collectionFormat: csv}
definitions:
  Pet: {type: object, properties: {name: {type: string}, on: {type: boolean}}}
"""

DISCOVERY: dict[str, Any] = {
    "kind": "discovery#restDescription",
    "name": "drive",
    "title": "Drive",
    "version": "v3",
    "rootUrl": "https://www.googleapis.com/",
    "servicePath": "drive/v3/",
    "auth": {"oauth2": {"scopes": {"https://g/drive": {"description": "All files"}}}},
    "parameters": {
        "fields": {"type": "string", "location": "query"},
        "access_token": {"type": "string", "location": "query"},
    },
    "schemas": {"File": {"id": "File", "type": "object", "properties": {"name": {"type": "string"}}}},
    "resources": {
        "files": {
            "methods": {
                "create": {
                    "id": "drive.files.create",
                    "path": "files",
                    "httpMethod": "POST",
                    "request": {"$ref": "File"},
                    "response": {"$ref": "File"},
                    "scopes": ["https://g/drive", "https://g/drive.file"],
                    "parameters": {
                        "notify": {"type": "boolean", "default": "false", "location": "query"},
                        "ids": {"type": "string", "repeated": True, "location": "query"},
                    },
                    "mediaUpload": {"protocols": {"simple": {"path": "/upload/drive/v3/files", "multipart": True}}},
                }
            },
            "resources": {
                "labels": {
                    "methods": {
                        "get": {
                            "id": "drive.files.labels.get",
                            "path": "v1/{+name}",
                            "httpMethod": "GET",
                            "parameters": {"name": {"type": "string", "location": "path", "required": True}},
                        }
                    }
                }
            },
        }
    },
}


def swagger() -> Description:
    return read_description(SWAGGER.encode(), ADDRESS)


def discovery() -> Description:
    return read_description(jsonio.dumps(DISCOVERY))


class TestOperations:
    def test_they_have_id_title_group_and_place(self) -> None:
        (entry,) = described(paths={"/pets": PETS}).entries
        assert (entry.id, entry.method, entry.path) == ("listPets", "GET", "/pets")
        assert (entry.title, entry.tag, entry.deprecated) == ("List all pets", "pets", False)

    def test_without_an_id_method_and_path_are_it(self) -> None:
        paths = {"/v1/pets/{petId}": {"get": {}, "delete": {"operationId": "\n"}}}
        entries = described(paths=paths).entries
        assert [entry.id for entry in entries] == ["get-v1-pets-petId", "delete-v1-pets-petId"]
        assert [entry.title for entry in entries] == ["GET /v1/pets/{petId}", "DELETE /v1/pets/{petId}"]
        assert {entry.tag for entry in entries} == {"pets"}

    def test_ids_that_stand_there_twice_do_not_depend_on_the_order(self) -> None:
        one, two = {"get": {"operationId": "x"}}, {"post": {"operationId": "x"}}
        first = described(paths={"/a": one, "/b": two})
        second = described(paths={"/b": two, "/a": one})
        ids = {entry.path: entry.id for entry in first.entries}
        assert ids == {entry.path: entry.id for entry in second.entries}
        assert ids == {"/a": "get-a", "/b": "post-b"}

    def test_ids_are_unique_short_and_plain(self) -> None:
        paths = {"/a/b": {"get": {}}, "/a-b": {"get": {}}, "/c": {"get": {"operationId": f"a b\n{'x' * 300}"}}}
        ids = [entry.id for entry in described(paths=paths).entries]
        assert len(set(ids)) == 3
        assert all(len(id_) <= 80 and id_.replace("-", "").replace(".", "").isalnum() for id_ in ids)

    @pytest.mark.parametrize(
        ("declared", "title"),
        [
            ("repos/list-for-org", "Repos list for org"),
            ("listCoreV1Pods", "List core v1 pods"),
            ("getHTTPStatus", "Get HTTP status"),
            ("créerÉlève", "Créer élève"),
        ],
    )
    def test_titles_are_the_words_of_the_id_where_there_is_no_summary(self, declared: str, title: str) -> None:
        (entry,) = described(paths={"/x": {"get": {"operationId": declared}}}).entries
        assert entry.title == title

    def test_names_with_line_breaks_are_one_line(self) -> None:
        paths = {"/x": {"get": {"summary": "", "operationId": "a\nb", "tags": ["My\r\n tag\x00"]}}}
        (entry,) = described(info={"title": "A\nB\x07"}, paths=paths).entries
        assert (entry.id, entry.title, entry.tag) == ("a-b", "A b", "My tag")

    def test_an_unknown_one_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            described().operation("nope")

    def test_the_operations_own_parameters_go_before_those_of_the_path(self) -> None:
        (limit,) = swagger().operation("listPets").parameters
        assert limit.schema["maximum"] == 10


class TestVersion2:
    def test_servers_are_its_host_by_each_scheme(self) -> None:
        urls = [server.url for server in swagger().servers]
        assert urls == ["https://pets.example.com/v1", "http://pets.example.com/v1"]

    def test_without_a_host_it_is_where_the_file_was(self) -> None:
        description = read_description(b"swagger: '2.0'\nbasePath: /v2\npaths: {}", ADDRESS)
        assert [server.url for server in description.servers] == ["https://api.example.com/v2"]

    def test_sign_ins(self) -> None:
        sign_ins = swagger().sign_ins
        kinds = {name: sign_in.kind for name, sign_in in sign_ins.items()}
        assert kinds == {"key": "api_key", "token": "bearer", "login": "oauth2"}
        assert (sign_ins["key"].place, sign_ins["key"].parameter) == ("header", "X-Api-Key")
        (flow,) = sign_ins["login"].flows
        assert (flow.grant, flow.authorization_url) == ("authorization_code", "https://api.example.com/auth")
        assert flow.scopes == {"read": "Reads pets"}

    def test_an_operation_asks_for_the_sign_ins_of_its_own(self) -> None:
        assert swagger().operation("listPets").sign_ins == ({"key": ()},)
        assert swagger().operation("addPet").sign_ins == ()

    def test_bodies_and_forms(self) -> None:
        add, photo = swagger().operation("addPet"), swagger().operation("addPhoto")
        assert [(body.type, body.schema) for body in add.bodies] == [
            ("application/json", {"$ref": "#/definitions/Pet"})
        ]
        (form,) = photo.bodies
        assert (form.type, form.schema["required"]) == ("multipart/form-data", ["photo"])
        assert photo.body_required

    def test_the_operations_own_fields_of_a_form_go_before_those_of_the_path(self) -> None:
        own = {"name": "size", "in": "formData", "type": "integer"}
        of_path = {"name": "size", "in": "formData", "type": "string", "required": True}
        item = {"parameters": [of_path], "post": {"operationId": "it", "parameters": [own]}}
        found = read_description(jsonio.dumps({"swagger": "2.0", "paths": {"/x": item}})).operation("it")
        assert (found.bodies[0].schema["properties"], found.body_required) == ({"size": {"type": "integer"}}, False)

    def test_words_of_yaml_1_1_are_text(self) -> None:
        assert "on" in swagger().document["definitions"]["Pet"]["properties"]


class TestDiscovery:
    def test_methods_are_operations_by_resource(self) -> None:
        entries = [(entry.id, entry.method, entry.path, entry.title, entry.tag) for entry in discovery().entries]
        assert entries == [
            ("files.create", "POST", "/drive/v3/files", "Create files", "Files"),
            ("files.labels.get", "GET", "/drive/v3/v1/{name}", "Get labels", "Files / Labels"),
        ]

    def test_any_of_the_scopes_will_do(self) -> None:
        signs = discovery().operation("files.create").sign_ins
        assert signs == ({"oauth2": ("https://g/drive",)}, {"oauth2": ("https://g/drive.file",)})
        assert discovery().sign_ins["oauth2"].flows[0].scopes == {"https://g/drive": "All files"}

    def test_parameters_of_sign_ins_are_left_out(self) -> None:
        names = [parameter.name for parameter in discovery().operation("files.create").parameters]
        assert names == ["notify", "ids", "fields"]

    def test_a_file_goes_with_the_object_or_alone(self) -> None:
        types = [body.type for body in discovery().operation("files.create").bodies]
        assert types == ["application/json", "multipart/related", "application/octet-stream"]


class TestServers:
    @pytest.mark.parametrize(
        ("url", "absolute"),
        [
            ("/v1", "https://api.example.com/v1"),
            ("v1", "https://api.example.com/docs/v1"),
            ("//h/v1", "https://h/v1"),
            ("https://h/", "https://h/"),
            (" https://h/v1 ", "https://h/v1"),
        ],
    )
    def test_relative_addresses_begin_at_the_file(self, url: str, absolute: str) -> None:
        assert [server.url for server in described(servers=[{"url": url}]).servers] == [absolute]

    def test_without_one_it_is_the_root(self) -> None:
        assert [server.url for server in described().servers] == ["https://api.example.com/"]

    def test_variables_are_filled_in(self) -> None:
        variables = {"region": {"default": "eu", "enum": ["eu", "us"]}, "base": {"default": "v2"}}
        (server,) = described(servers=[{"url": "https://{region}.h/{base}", "variables": variables}]).servers
        assert server.address({}) == "https://eu.h/v2"
        assert server.address({"region": "us", "base": "a/b"}) == "https://us.h/a/b"

    @pytest.mark.parametrize("store", ["evil.com/", "evil.com#", "a@evil.com", "a\r\nb", "a b", ""])
    def test_a_variable_leads_to_no_other_host(self, store: str) -> None:
        (server,) = described(servers=[{"url": "https://{store}.shop.example/v1"}]).servers
        with pytest.raises(Invalid) as refused:
            server.address({"store": store})
        assert [problem.pointer for problem in refused.value.problems] == ["/store"]

    def test_a_variable_can_be_the_whole_address(self) -> None:
        (server,) = described(servers=[{"url": "{home}/v1"}]).servers
        assert server.address({"home": "https://shop.example:8443/a"}) == "https://shop.example:8443/a/v1"
        with pytest.raises(Invalid):
            server.address({"home": "https://user@shop.example"})

    def test_the_scheme_can_be_chosen(self) -> None:
        (server,) = described(servers=[{"url": "{protocol}://{host}/api"}]).servers
        assert server.address({"protocol": "http", "host": "git.example"}) == "http://git.example/api"

    def test_a_value_that_is_no_choice_is_refused(self) -> None:
        variables = {"region": {"default": "eu", "enum": ["eu", "us"]}}
        (server,) = described(servers=[{"url": "https://{region}.h", "variables": variables}]).servers
        with pytest.raises(Invalid, match="must be one of eu, us"):
            server.address({"region": "cn"})

    def test_an_operation_may_have_its_own(self) -> None:
        item = {"servers": [{"url": "https://files.h"}], "get": {"operationId": "a"}}
        description = described(paths={"/a": item, "/b": {"get": {"operationId": "b"}}})
        assert description.operation("a").servers[0].url == "https://files.h"
        assert description.operation("b").servers[0].url == "https://api.example.com/"


class TestSignIns:
    def test_the_parameter_of_a_key_is_the_connections_to_give(self) -> None:
        schemes = {"key": {"type": "apiKey", "in": "query", "name": "key"}}
        parameters = [{"name": name, "in": "query", "schema": {}} for name in ("Key", "q")]
        description = described(
            paths={"/a": {"get": {"operationId": "a", "parameters": parameters}}},
            components={"securitySchemes": schemes},
        )
        assert [parameter.name for parameter in description.operation("a").parameters] == ["q"]

    def test_other_secrets_are_asked_for_by_nobody_who_signs_in(self) -> None:
        parameter = {"name": "token", "in": "header", "required": True, "schema": {"type": "string"}}
        node = {"operationId": "a", "parameters": [parameter], "security": [{"login": ["x"]}]}
        (token,) = described(paths={"/a": {"get": node}}).operation("a").parameters
        assert not token.required

    @pytest.mark.parametrize(
        ("scheme", "kind"),
        [
            ({"type": "http", "scheme": "Basic"}, "basic"),
            ({"type": "http", "scheme": "bearer"}, "bearer"),
            ({"type": "http", "scheme": "digest"}, "digest"),
            ({"type": "openIdConnect", "openIdConnectUrl": "https://h/.well-known"}, "oauth2"),
            ({"type": "mutualTLS"}, "client_certificate"),
            ({"type": "wizardry"}, "other"),
        ],
    )
    def test_kinds(self, scheme: dict[str, Any], kind: str) -> None:
        assert described(components={"securitySchemes": {"it": scheme}}).sign_ins["it"].kind == kind


class TestWhatCannotBeUsed:
    def test_it_is_listed_and_does_not_spoil_the_rest(self) -> None:
        broken = {"get": {"operationId": "broken", "parameters": [{"$ref": "#/components/parameters/none"}]}}
        description = described(paths={"/pets": PETS, "/broken": broken, "/no": [], "/odd": {"get": "x"}})
        assert [entry.id for entry in description.entries] == ["listPets", "broken"]
        assert description.operation("listPets").method == "GET"
        with pytest.raises(Unusable, match="none is not in the file"):
            description.operation("broken")
        refused = {each.subject: (each.operation, each.reason) for each in description.refused()}
        assert refused == {
            "/no": (None, "the path is no object"),
            "GET /odd": (None, "the operation is no object"),
            "GET /broken": ("broken", "a parameter: #/components/parameters/none is not in the file"),
        }

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "no object"),
            (b"[]", "no object"),
            (b'{"openapi": "3.0.0"', "not JSON"),
            (b"a: [1", "not YAML: line 2"),
            (b"{}", "neither OpenAPI"),
            (b'{"openapi": "3.1.0", "paths": []}', "no paths"),
            (b"\x00\x01\x02", "not YAML"),
            (b"<html></html>", "no object"),
        ],
    )
    def test_what_is_no_description_is_refused(self, data: bytes, reason: str) -> None:
        with pytest.raises(UnreadableDescription, match=reason):
            read_description(data)

    @pytest.mark.parametrize("value", [None, 1, "x", [], [1], {"a": 1}])
    @pytest.mark.parametrize(
        "part", ["info", "servers", "tags", "components", "security", "parameters", "responses", "requestBody"]
    )
    def test_a_part_of_another_shape_counts_as_missing(self, part: str, value: Any) -> None:
        node = {"operationId": "it", part: value}
        description = described(paths={"/x": {"get": node, "parameters": value}}, **{part: value})
        assert description.operation("it").path == "/x"


class TestSeveralFiles:
    FILES = {  # noqa: RUF012
        "https://api.example.com/docs/pets.yaml": "Pet: {properties: {owner: {$ref: 'people.json#/Person'}}}",
        "https://api.example.com/docs/people.json": '{"Person": {"properties": {"pet": {"$ref": "pets.yaml#/Pet"}}}}',
    }
    PATHS = {  # noqa: RUF012
        "/pets": {
            "get": {
                "operationId": "it",
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "./pets.yaml#/Pet"}}}}},
            }
        }
    }

    def read(self, fetch: Any) -> Description:
        return read_description(jsonio.dumps({"openapi": "3.1.0", "paths": self.PATHS}), ADDRESS, fetch)

    def test_they_are_fetched_once_and_kept_inside(self) -> None:
        asked: list[str] = []

        def fetch(address: str) -> bytes:
            asked.append(address)
            return self.FILES[address].encode()

        description = self.read(fetch)
        assert sorted(asked) == sorted(self.FILES)
        kept = read_description(description.as_json(), ADDRESS)
        assert kept.refused() == []
        schema = kept.operation("it").answers[0].schema
        assert schema == {"$ref": "#/x-documents/d1/Pet"}

    def test_without_a_way_to_fetch_them_they_are_refused(self) -> None:
        refused = self.read(None).refused()
        assert [(each.subject, each.reason) for each in refused] == [
            ("https://api.example.com/docs/pets.yaml", "another document, which was not fetched")
        ]

    def test_one_that_cannot_be_had_is_told(self) -> None:
        def fetch(address: str) -> bytes:
            raise OSError("private addresses are not called")

        assert [each.reason for each in self.read(fetch).refused()] == ["private addresses are not called"]
