"""Google's Discovery documents (developers.google.com/discovery/v1/reference/apis)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from flowforge.apis.description import Description, OperationEntry
from flowforge.apis.dialects.media_types import JSON, RELATED
from flowforge.apis.names import in_words, operation_ids
from flowforge.apis.operation import Answer, Body, Operation, Parameter, Place
from flowforge.apis.recent import Recent
from flowforge.apis.references import References
from flowforge.apis.schemas.keywords import FILE, one_line, text
from flowforge.apis.servers import Server
from flowforge.apis.shapes import as_list, as_object
from flowforge.apis.sign_ins import OAuthFlow, SignIn
from flowforge.jsonio import JsonObject

_AUTHORIZATION = "https://accounts.google.com/o/oauth2/v2/auth"
_TOKEN = "https://oauth2.googleapis.com/token"  # noqa: S105
_USEFUL_FOR_ALL = ("alt", "fields", "quotaUser")
"""Of the parameters that all methods take; the others are for browsers and sign-ins."""
_EXPANSION = re.compile(r"\{\+([^{}]+)\}")
_MOST_METHODS = 10_000
_DEEPEST = 20


def read(document: JsonObject, address: str) -> Description:
    references = References(document, names_in="#/schemas/")
    listed = _list_methods(document)
    servers = [Server(_root(document))]
    dialect = _Discovery(document, references, servers, Recent(most=128))
    return Description(
        title=one_line(document.get("title")) or one_line(document.get("name")) or "API",
        version=one_line(document.get("version"), 40),
        format="Google Discovery",
        summary=text(document.get("description")),
        servers=servers,
        sign_ins=_sign_ins(document),
        entries=[each.entry for each in listed],
        resolvers={each.entry.id: partial(dialect.operation, each) for each in listed},
        refused_parts=(),
        document=document,
    )


@dataclass(frozen=True, slots=True)
class _Listed:
    entry: OperationEntry
    node: JsonObject


@dataclass(frozen=True, slots=True)
class _Discovery:
    document: JsonObject
    references: References
    servers: list[Server]
    recent: Recent

    def operation(self, listed: _Listed) -> Operation:
        node, entry = listed.node, listed.entry
        bodies = self._bodies(node)
        return Operation(
            id=entry.id,
            method=entry.method,
            path=entry.path,
            title=entry.title,
            tag=entry.tag,
            description=text(node.get("description")),
            deprecated=entry.deprecated,
            parameters=self._parameters(node, entry.path),
            bodies=bodies,
            body_required=False,
            answers=[_answer(node)],
            servers=self.servers,
            sign_ins=tuple({"oauth2": (scope,)} for scope in as_list(node.get("scopes"))),
            references=self.references,
            recent=self.recent,
        )

    def _parameters(self, node: JsonObject, path: str) -> list[Parameter]:
        common = as_object(self.document.get("parameters"))
        useful = {name: common[name] for name in _USEFUL_FOR_ALL if name in common}
        declared = {**as_object(node.get("parameters")), **useful}
        reserved = set(_EXPANSION.findall(_path_template(node)))
        known = [_parameter(name, each, name in reserved) for name, each in declared.items() if isinstance(each, dict)]
        return [each for each in known if each.place == "query" or f"{{{each.name}}}" in path]

    def _bodies(self, node: JsonObject) -> list[Body]:
        """The method's object, and, where it takes a file, the file with it or alone."""
        request = as_object(node.get("request"))
        plain = [Body(JSON, request)] if request else []
        simple = as_object(as_object(as_object(node.get("mediaUpload")).get("protocols")).get("simple"))
        path = simple.get("path")
        return [*plain, *(_uploads(request, path) if isinstance(path, str) else ())]


def _uploads(request: JsonObject, path: str) -> Iterator[Body]:
    if request:
        both = {"type": "object", "properties": {"metadata": request, "file": FILE}, "required": ["file"]}
        yield Body(RELATED, both, path=path, query=(("uploadType", "multipart"),))
    yield Body("application/octet-stream", FILE, path=path, query=(("uploadType", "media"),))


def _list_methods(document: JsonObject) -> list[_Listed]:
    found = list(_methods(document, (), 0))[:_MOST_METHODS]
    prefix = f"{document.get('name')}."
    declared = [str(node.get("id") or "").removeprefix(prefix) for _, node in found]
    base = _base_path(document)
    paths = [_path(node, base) for _, node in found]
    methods = [str(node.get("httpMethod") or "GET").upper() for _, node in found]
    ids = operation_ids(list(zip(methods, paths, declared, strict=True)))
    return [
        _Listed(_entry(id_, method, path, tag, node), node)
        for id_, method, path, (tag, node) in zip(ids, methods, paths, found, strict=True)
    ]


def _entry(id_: str, method: str, path: str, tag: str, node: JsonObject) -> OperationEntry:
    title = _title(id_) or f"{method} {path}"
    summary = one_line(str(node.get("description") or "").split(". ")[0])
    return OperationEntry(id_, method, path, title, tag, summary, node.get("deprecated") is True)


def _title(id_: str) -> str:
    """`users.messages.list` as `List messages`."""
    *resources, method = id_.split(".")
    return in_words(" ".join([method, *resources[-1:]]))


def _methods(resource: JsonObject, around: tuple[str, ...], depth: int) -> Iterator[tuple[str, JsonObject]]:
    """The methods of a resource and of those in it, each with the names of its resources."""
    tag = one_line(" / ".join(in_words(name) for name in around), 60) or "General"
    for node in as_object(resource.get("methods")).values():
        if isinstance(node, dict):
            yield tag, node
    for name, inner in as_object(resource.get("resources")).items():
        if isinstance(inner, dict) and depth < _DEEPEST:
            yield from _methods(inner, (*around, name), depth + 1)


def _path_template(node: JsonObject) -> str:
    return str(node.get("path") or node.get("flatPath") or "")


def _path(node: JsonObject, base: str) -> str:
    template = _EXPANSION.sub(r"{\1}", _path_template(node))
    return template if template.startswith("/") else f"{base}{template}"


def _root(document: JsonObject) -> str:
    """The address without the path of the service: uploads have another path."""
    root = str(document.get("rootUrl") or "")
    if not root:
        parts = urlsplit(str(document.get("baseUrl") or ""))
        root = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "https://www.googleapis.com"
    return root.rstrip("/")


def _base_path(document: JsonObject) -> str:
    service = str(document.get("servicePath") or document.get("basePath") or "").strip("/")
    return f"/{service}/" if service else "/"


def _parameter(name: str, node: JsonObject, is_reserved: bool) -> Parameter:
    place: Place = "path" if node.get("location") == "path" else "query"
    is_list = node.get("repeated") is True
    one = {keyword: value for keyword, value in node.items() if keyword not in ("location", "repeated", "required")}
    schema = {"type": "array", "items": one} if is_list else one
    required = place == "path" or node.get("required") is True
    return Parameter(
        name,
        place,
        schema,
        required,
        text(node.get("description")),
        node.get("deprecated") is True,
        style="simple" if place == "path" else "form",
        explode=is_list,
        allow_reserved=is_reserved,
    )


def _answer(node: JsonObject) -> Answer:
    response = as_object(node.get("response"))
    return Answer("200", type=JSON, schema=response) if response else Answer("200")


def _sign_ins(document: JsonObject) -> dict[str, SignIn]:
    declared = as_object(as_object(as_object(document.get("auth")).get("oauth2")).get("scopes"))
    scopes = {scope: one_line(as_object(said).get("description")) for scope, said in declared.items()}
    if not scopes:
        return {}
    flow = OAuthFlow("authorization_code", _AUTHORIZATION, _TOKEN, scopes=scopes)
    return {"oauth2": SignIn("oauth2", "oauth2", flows=(flow,))}
