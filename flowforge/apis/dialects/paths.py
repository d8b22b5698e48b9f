"""The operations of OpenAPI files, which stand by path and method: what all versions of OpenAPI say alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flowforge.apis.description import Description, OperationEntry, Refused
from flowforge.apis.names import operation_ids, tag_of_path, title_of
from flowforge.apis.operation import IN_PATH, Operation, Parameter, Unusable
from flowforge.apis.references import BrokenReference, References
from flowforge.apis.schemas.keywords import one_line, text
from flowforge.apis.servers import Server
from flowforge.apis.shapes import as_list, as_object, as_text
from flowforge.apis.sign_ins import Alternatives, SignIn
from flowforge.jsonio import JsonObject
from flowforge.secret_names import is_secret_name

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
MOST_OPERATIONS = 20_000
_MOST_PARAMETERS = 1_000
_FROM_ELSEWHERE = frozenset({"accept", "content-type", "authorization"})
"""Headers that are no parameters: bodies, answers and sign-ins say what they are (OpenAPI 3.1, section 4.8.12.2)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An operation as it stands in its file."""

    entry: OperationEntry
    item: JsonObject
    """The path item around it."""
    node: JsonObject

    @property
    def description(self) -> str:
        return text(self.node.get("description") or self.item.get("description") or self.node.get("summary"))

    @property
    def parameters(self) -> list[Any]:
        """Those of the operation, which count, before those of its path."""
        given = [*as_list(self.node.get("parameters")), *as_list(self.item.get("parameters"))]
        return given[:_MOST_PARAMETERS]


@dataclass(slots=True)
class Listing:
    operations: list[Listed] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    method: str
    path: str
    item: JsonObject
    node: JsonObject

    @property
    def declared_id(self) -> str:
        return as_text(self.node.get("operationId"))

    def entry(self, id_: str) -> OperationEntry:
        node = self.node
        tag = next((one_line(tag, 60) for tag in as_list(node.get("tags")) if one_line(tag)), "")
        summary = one_line(node.get("summary"))
        title = title_of(as_text(node.get("summary")), self.declared_id, self.method, self.path)
        tag = tag or tag_of_path(self.path)
        return OperationEntry(id_, self.method, self.path, title, tag, summary, node.get("deprecated") is True)


def describe(
    document: JsonObject,
    references: References,
    *,
    format_: Any,
    summary: Any,
    servers: Sequence[Server],
    sign_ins: Mapping[str, SignIn],
    resolve: Callable[[Listed], Operation],
) -> Description:
    """The description of an OpenAPI file. `format_`: the version of OpenAPI that it names."""
    listing = list_operations(document.get("paths"), references)
    info = as_object(document.get("info"))
    return Description(
        title=one_line(info.get("title")) or "API",
        version=one_line(str(info.get("version", "")), 40),
        format=f"OpenAPI {one_line(str(format_), 20)}",
        summary=text(summary),
        servers=servers,
        sign_ins=sign_ins,
        entries=[listed.entry for listed in listing.operations],
        resolvers={listed.entry.id: partial(resolve, listed) for listed in listing.operations},
        refused_parts=listing.refused,
        document=document,
    )


def list_operations(paths: Any, references: References) -> Listing:
    """The operations of `paths`, with what is none."""
    listing = Listing()
    found: list[_Found] = []
    for path, item in as_object(paths).items():
        if len(found) <= MOST_OPERATIONS:
            found += _of_path(path, item, references, listing)
    if len(found) > MOST_OPERATIONS:
        listing.refused.append(Refused("paths", f"only the first {MOST_OPERATIONS:,} operations are read"))
    found = found[:MOST_OPERATIONS]
    ids = operation_ids([(each.method, each.path, each.declared_id) for each in found])
    listing.operations = [Listed(each.entry(id_), each.item, each.node) for each, id_ in zip(found, ids, strict=True)]
    return listing


def _of_path(path: str, item: Any, references: References, listing: Listing) -> list[_Found]:
    if path.startswith("x-"):
        return []
    try:
        item = references.follow(item)
    except BrokenReference as error:
        listing.refused.append(Refused(path, str(error)))
        return []
    if not isinstance(item, dict):
        listing.refused.append(Refused(path, "the path is no object"))
        return []
    path = path if path.startswith("/") else f"/{path}"
    return list(_of_item(path, item, listing))


def _of_item(path: str, item: JsonObject, listing: Listing) -> Iterable[_Found]:
    for method in METHODS:
        node = item.get(method)
        if isinstance(node, dict):
            yield _Found(method.upper(), path, item, node)
        elif method in item:
            listing.refused.append(Refused(f"{method.upper()} {path}", "the operation is no object"))


def read_parameters(
    listed: Listed, references: References, read: Callable[[JsonObject], Parameter | None]
) -> list[Parameter]:
    """The parameters of an operation and its path, each name in each place once: the operation's own count. Parts of
    the path that nobody declares are texts. Raises Unusable for references that lead nowhere."""
    known: dict[tuple[str, str], Parameter] = {}
    for node in listed.parameters:
        parameter = read(follow(node, references, "a parameter"))
        if parameter is not None and _is_sent(parameter, listed.entry.path):
            known.setdefault((parameter.place, parameter.name), parameter)
    for name in dict.fromkeys(IN_PATH.findall(listed.entry.path)):
        known.setdefault(("path", name), Parameter(name, "path", {"type": "string"}, required=True))
    return list(known.values())


def without_sign_ins(
    parameters: Sequence[Parameter], alternatives: Alternatives, sign_ins: Iterable[SignIn]
) -> list[Parameter]:
    """The parameters that people fill in: keys of sign-ins come from the connection, and so may other secrets."""
    keys = {(sign_in.place, sign_in.parameter.lower()) for sign_in in sign_ins if sign_in.kind == "api_key"}
    kept = [each for each in parameters if each.place == "path" or (each.place, each.name.lower()) not in keys]
    return [replace(each, required=False) if alternatives and _is_secret(each) else each for each in kept]


def follow(node: Any, references: References, what: str) -> JsonObject:
    """The object that a node is or refers to; an empty one for what is no object. Raises Unusable."""
    try:
        found = references.follow(node)
    except BrokenReference as error:
        raise Unusable(f"{what}: {error}") from error
    return found if isinstance(found, dict) else {}


def find(node: Any, references: References) -> JsonObject | None:
    """The object that a node is or refers to; None where it refers to what is not there, and nobody needs it."""
    try:
        return follow(node, references, "")
    except Unusable:
        return None


def schema_of(said: Mapping[str, Any], others: Collection[str]) -> JsonObject:
    """The schema of a parameter or field. Version 2 has its keywords beside its name, version 3 has it by itself; files
    of either do as the other. `others`: the keywords beside it that are none of a schema."""
    if isinstance(said.get("schema"), dict):
        schema: JsonObject = said["schema"]
        return schema
    return {keyword: value for keyword, value in said.items() if keyword not in others}


def is_required(node: JsonObject, place: str) -> bool:
    return place == "path" or node.get("required") is True


def _is_sent(parameter: Parameter, path: str) -> bool:
    if parameter.place == "path":
        return f"{{{parameter.name}}}" in path
    return parameter.place != "header" or parameter.name.lower() not in _FROM_ELSEWHERE


def _is_secret(parameter: Parameter) -> bool:
    return parameter.place in ("header", "query") and is_secret_name(parameter.name)
