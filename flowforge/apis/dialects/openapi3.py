"""OpenAPI 3.0 and 3.1 (spec.openapis.org/oas/v3.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flowforge.apis.description import Description
from flowforge.apis.dialects.media_types import by_preference
from flowforge.apis.dialects.paths import (
    Listed,
    describe,
    find,
    follow,
    is_required,
    read_parameters,
    schema_of,
    without_sign_ins,
)
from flowforge.apis.operation import PLACES, Answer, Body, Encoding, Operation, Parameter, Place, Style
from flowforge.apis.recent import Recent
from flowforge.apis.references import References
from flowforge.apis.schemas.keywords import one_line, text
from flowforge.apis.servers import Server, read_servers
from flowforge.apis.shapes import as_object
from flowforge.apis.sign_ins import SignIn, read_alternatives, read_sign_ins
from flowforge.jsonio import JsonObject

_STYLES: dict[Place, tuple[Style, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
"""The styles of each place; the first is the default (section 4.8.12.2)."""
_ABOUT_PARAMETERS = frozenset({"name", "in", "required", "description", "deprecated", "style", "explode", "example"})


def read(document: JsonObject, address: str) -> Description:
    references = References(document)
    components = as_object(document.get("components"))
    info = as_object(document.get("info"))
    dialect = _OpenApi3(
        document,
        address,
        references,
        read_sign_ins(components.get("securitySchemes"), references, address),
        read_servers(document.get("servers"), address),
        Recent(most=128),
    )
    return describe(
        document,
        references,
        format_=document.get("openapi"),
        summary=info.get("summary") or info.get("description"),
        servers=dialect.servers,
        sign_ins=dialect.sign_ins,
        resolve=dialect.operation,
    )


@dataclass(frozen=True, slots=True)
class _OpenApi3:
    document: JsonObject
    address: str
    references: References
    sign_ins: dict[str, SignIn]
    servers: list[Server]
    recent: Recent

    def operation(self, listed: Listed) -> Operation:
        node, entry = listed.node, listed.entry
        alternatives = read_alternatives(node.get("security"), self.document.get("security"))
        parameters = read_parameters(listed, self.references, self._parameter)
        body = follow(node.get("requestBody"), self.references, "the body")
        return Operation(
            id=entry.id,
            method=entry.method,
            path=entry.path,
            title=entry.title,
            tag=entry.tag,
            description=listed.description,
            deprecated=entry.deprecated,
            parameters=without_sign_ins(parameters, alternatives, self.sign_ins.values()),
            bodies=[self._body(type_, said) for type_, said in by_preference(body.get("content"))],
            body_required=body.get("required") is True,
            answers=self._answers(node.get("responses")),
            servers=self._servers(listed),
            sign_ins=alternatives,
            references=self.references,
            recent=self.recent,
        )

    def _servers(self, listed: Listed) -> list[Server]:
        own = listed.node.get("servers") or listed.item.get("servers")
        return read_servers(own, self.address) if own else self.servers

    def _parameter(self, node: JsonObject) -> Parameter | None:
        name, place = node.get("name"), PLACES.get(str(node.get("in")))
        if not isinstance(name, str) or place is None:
            return None
        type_, said = next(iter(by_preference(node.get("content"))), (None, node))
        styles = _STYLES[place]
        style: Style = node["style"] if node.get("style") in styles else styles[0]
        return Parameter(
            name,
            place,
            schema_of(said, _ABOUT_PARAMETERS),
            is_required(node, place),
            text(node.get("description")),
            node.get("deprecated") is True,
            self._example(said),
            style,
            node.get("explode") is True if "explode" in node else style in ("form", "deepObject"),
            node.get("allowReserved") is True,
            type_,
        )

    def _body(self, type_: str, said: Any) -> Body:
        declared = as_object(said.get("encoding"))
        encodings = {name: _encoding(each) for name, each in declared.items() if isinstance(each, dict)}
        return Body(type_, as_object(said.get("schema")), encodings, self._example(said))

    def _answers(self, responses: Any) -> list[Answer]:
        declared = [(str(status), find(node, self.references)) for status, node in as_object(responses).items()]
        return [self._answer(status, node) for status, node in declared if node is not None]

    def _answer(self, status: str, node: JsonObject) -> Answer:
        type_, said = next(iter(by_preference(node.get("content"))), ("", {}))
        schema = said.get("schema")
        headers = tuple(name.lower() for name in as_object(node.get("headers")))
        described = text(node.get("description"))
        return Answer(
            status, described, type_, schema if isinstance(schema, dict) else None, self._example(said), headers
        )

    def _example(self, said: Any) -> Any:
        """The example, or the first of several, of a parameter or a media type."""
        if "example" in said:
            return said["example"]
        named = list(as_object(said.get("examples")).values())
        first = find(named[0], self.references) if named else None
        return None if first is None else first.get("value")


def _encoding(node: JsonObject) -> Encoding:
    style = node.get("style")
    known = style if style in _STYLES["query"] else None
    explode = node.get("explode") is True if "explode" in node else known in (None, "form", "deepObject")
    return Encoding(one_line(node.get("contentType")), known, explode, node.get("allowReserved") is True)
