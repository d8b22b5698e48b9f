"""OpenAPI 2.0, formerly Swagger (spec.openapis.org/oas/v2.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flowforge.apis.description import Description
from flowforge.apis.dialects.media_types import FORM, JSON, MULTIPART, by_preference
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
from flowforge.apis.operation import PLACES, Answer, Body, Encoding, Operation, Parameter, Style
from flowforge.apis.recent import Recent
from flowforge.apis.references import References
from flowforge.apis.schemas.keywords import text
from flowforge.apis.servers import Server, read_servers
from flowforge.apis.shapes import as_list, as_object
from flowforge.apis.sign_ins import SignIn, read_alternatives, read_sign_ins
from flowforge.jsonio import JsonObject

_STYLES: dict[str, Style] = {
    "ssv": "spaceDelimited",
    "tsv": "tabDelimited",
    "pipes": "pipeDelimited",
}
_ABOUT_PARAMETERS = frozenset({"name", "in", "required", "collectionFormat", "allowEmptyValue"})
_SCHEMES = ("https", "http")


def read(document: JsonObject, address: str) -> Description:
    references = References(document)
    sign_ins = read_sign_ins(document.get("securityDefinitions"), references, address)
    dialect = _OpenApi2(document, address, references, sign_ins, Recent(most=128))
    return describe(
        document,
        references,
        format_=document.get("swagger"),
        summary=as_object(document.get("info")).get("description"),
        servers=dialect.servers(document.get("schemes")),
        sign_ins=sign_ins,
        resolve=dialect.operation,
    )


@dataclass(frozen=True, slots=True)
class _OpenApi2:
    document: JsonObject
    address: str
    references: References
    sign_ins: dict[str, SignIn]
    recent: Recent

    def operation(self, listed: Listed) -> Operation:
        node, entry = listed.node, listed.entry
        alternatives = read_alternatives(node.get("security"), self.document.get("security"))
        parameters = read_parameters(listed, self.references, _parameter)
        of_body = self._parts_of_body(listed)
        return Operation(
            id=entry.id,
            method=entry.method,
            path=entry.path,
            title=entry.title,
            tag=entry.tag,
            description=listed.description,
            deprecated=entry.deprecated,
            parameters=without_sign_ins(parameters, alternatives, self.sign_ins.values()),
            bodies=self._bodies(node, of_body),
            body_required=any(each.get("required") is True for each in of_body),
            answers=self._answers(node),
            servers=self.servers(node.get("schemes") or self.document.get("schemes")),
            sign_ins=alternatives,
            references=self.references,
            recent=self.recent,
        )

    def servers(self, schemes: Any) -> list[Server]:
        """The host of the file, or else where it was found, by each scheme."""
        found = urlsplit(self.address)
        host = self.document.get("host") or found.netloc
        base = str(self.document.get("basePath") or "").strip("/")
        named = [scheme for scheme in _SCHEMES if scheme in as_list(schemes)] or [found.scheme or "https"]
        urls = [f"{scheme}://{host}/{base}" if host else f"/{base}" for scheme in named]
        return read_servers([{"url": url} for url in urls], "")

    def _parts_of_body(self, listed: Listed) -> list[JsonObject]:
        """The body, or the fields of a form: each name once, as the operation itself has it."""
        given = [follow(node, self.references, "a parameter") for node in listed.parameters]
        known: dict[tuple[str, str], JsonObject] = {}
        for each in given:
            if each.get("in") in ("body", "formData"):
                known.setdefault((each["in"], str(each.get("name"))), each)
        return list(known.values())

    def _bodies(self, node: JsonObject, parameters: list[JsonObject]) -> list[Body]:
        fields = [each for each in parameters if each["in"] == "formData" and isinstance(each.get("name"), str)]
        if fields:
            return [_form(fields, type_) for type_ in self._types_of_form(node, fields)]
        whole = next((each for each in parameters if each["in"] == "body"), None)
        if whole is None:
            return []
        schema = as_object(whole.get("schema"))
        described = {"description": whole["description"], **schema} if whole.get("description") else schema
        types = [type_ for type_, _ in by_preference(dict.fromkeys(self._consumed(node) or [JSON]))]
        return [Body(type_, described) for type_ in types or [JSON]]

    def _types_of_form(self, node: JsonObject, fields: list[JsonObject]) -> list[str]:
        if any(each.get("type") == "file" for each in fields):
            return [MULTIPART]
        return [type_ for type_ in (FORM, MULTIPART) if type_ in self._consumed(node)] or [FORM]

    def _consumed(self, node: JsonObject) -> list[str]:
        declared = as_list(node.get("consumes")) or as_list(self.document.get("consumes"))
        return [type_ for type_ in declared if isinstance(type_, str)]

    def _answers(self, node: JsonObject) -> list[Answer]:
        produced = as_list(node.get("produces")) or as_list(self.document.get("produces")) or [JSON]
        types = by_preference({type_: {} for type_ in produced if isinstance(type_, str)})
        type_ = types[0][0] if types else JSON
        declared = [
            (str(status), find(said, self.references)) for status, said in as_object(node.get("responses")).items()
        ]
        return [_answer(status, said, type_) for status, said in declared if said is not None]


def _answer(status: str, node: JsonObject, type_: str) -> Answer:
    schema = node.get("schema")
    examples = as_object(node.get("examples"))
    example = examples.get(type_, next(iter(examples.values()), None))
    headers = tuple(name.lower() for name in as_object(node.get("headers")))
    has_body = isinstance(schema, dict)
    described = text(node.get("description"))
    return Answer(status, described, type_ if has_body else "", schema if has_body else None, example, headers)


def _parameter(node: JsonObject) -> Parameter | None:
    name, place = node.get("name"), PLACES.get(str(node.get("in")))
    if not isinstance(name, str) or place is None:
        return None
    example = node.get("x-example")
    style, explode = _style(node, "form" if place == "query" else "simple")
    required, described = is_required(node, place), text(node.get("description"))
    return Parameter(
        name, place, schema_of(node, _ABOUT_PARAMETERS), required, described, False, example, style, explode
    )


def _form(fields: list[JsonObject], type_: str) -> Body:
    named = {each["name"]: each for each in fields}
    properties = {name: schema_of(each, _ABOUT_PARAMETERS) for name, each in named.items()}
    required = [name for name, each in named.items() if each.get("required") is True]
    styles = {name: _style(each, "form") for name, each in named.items() if each.get("type") == "array"}
    encodings = {name: Encoding(style=style, explode=explode) for name, (style, explode) in styles.items()}
    return Body(type_, {"type": "object", "properties": properties, "required": required}, encodings)


def _style(node: JsonObject, plain: Style) -> tuple[Style, bool]:
    """The style and explosion that a collection format is; `csv` where there is none."""
    format_ = node.get("collectionFormat")
    return (plain, True) if format_ == "multi" else (_STYLES.get(str(format_), plain), False)
