"""The form of a step that calls an API: with the APIs, versions and servers there are, and the operation's input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flowforge.apis.form import form_schema
from flowforge.apis.servers import Server
from flowforge.connectors.api_calls.chosen import (
    ALL_PAGES,
    CONTENT_TYPE,
    INPUT,
    PAGING,
    SERVER,
    VARIABLES,
    Chosen,
    content_type_of,
    find_api,
    find_chosen,
)
from flowforge.connectors.api_calls.paging import described_paging, paging_in_words
from flowforge.connectors.api_calls.signing_in import sign_in_help
from flowforge.connectors.apis import ApiAccess
from flowforge.connectors.described import API, OPERATION, VERSION
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject

_ABOUT_API = "API"
_ALL_PAGES_HELP = "Reads all pages of the list, and gives one list. The description shows how it is paged: by"


def form_of(schema: JsonObject, config: Mapping[str, Any], apis: ApiAccess) -> JsonObject:
    """The schema of the config with what the description knows."""
    chosen = find_chosen(config, apis)
    fields = dict(schema["properties"])
    fields |= _fields_of_api(fields, config, apis, chosen)
    if chosen is None:
        return {**schema, "properties": {key: fields[key] for key in (API, OPERATION, INPUT)}}
    fields |= dict(_fields_of_operation(fields, config, chosen))
    described = described_paging(chosen.operation)
    first = [INPUT, *([ALL_PAGES] if described or config.get(ALL_PAGES) else ())]
    others = [key for key in fields if key not in (INPUT, ALL_PAGES, PAGING)]
    order = [*first, *others, *([PAGING] if _may_be_paged(config, chosen) else ())]
    if described is not None:
        fields[ALL_PAGES] = {**fields[ALL_PAGES], "description": f"{_ALL_PAGES_HELP} {paging_in_words(described)}."}
    kept = {key: fields[key] for key in order if key != VARIABLES or "properties" in fields[key]}
    about = {"description": _about(chosen), "signIn": sign_in_help(chosen)}
    return {**schema, "properties": kept, "required": [], **about}


def _may_be_paged(config: Mapping[str, Any], chosen: Chosen) -> bool:
    return bool(config.get(PAGING)) or chosen.operation.method == "GET"


def _fields_of_api(
    fields: Mapping[str, Any], config: Mapping[str, Any], apis: ApiAccess, chosen: Chosen | None
) -> dict[str, JsonObject]:
    titles = apis.titles()
    group = {"group": _ABOUT_API} if chosen else {}
    offered = {} if chosen else {"suggestions": _operations(config, apis)}
    return {
        API: {**fields[API], **group, "enum": list(titles), "labels": dict(titles)},
        OPERATION: {**fields[OPERATION], **group, **offered},
        VERSION: {**fields[VERSION], **group, **_versions(apis, str(config.get(API) or ""))},
    }


def _operations(config: Mapping[str, Any], apis: ApiAccess) -> list[tuple[str, str]]:
    try:
        return [(entry.id, entry.title) for entry in find_api(config, apis).description.entries]
    except Invalid:
        return []


def _versions(apis: ApiAccess, api: str) -> JsonObject:
    kept = apis.versions(api)
    return {
        "enum": [version for version, _ in kept],
        "labels": {version: f"{number} ({version})" for version, number in kept},
    }


def _fields_of_operation(
    fields: Mapping[str, Any], config: Mapping[str, Any], chosen: Chosen
) -> Iterator[tuple[str, JsonObject]]:
    servers: Sequence[Server] = chosen.operation.servers
    known = [(server.url, server.description) for server in servers]
    yield INPUT, _input(chosen, content_type_of(config))
    about = {"group": _ABOUT_API, "suggestions": known, "default": known[0][0] if known else ""}
    yield SERVER, {**fields[SERVER], **about}
    yield VARIABLES, {**fields[VARIABLES], "group": _ABOUT_API, **_variables(servers, config.get(SERVER))}


def _variables(servers: Sequence[Server], chosen: Any) -> JsonObject:
    """The schema of the variables of the chosen server; empty where it has none."""
    server = next((server for server in servers if chosen in (None, "", server.url)), None)
    if server is None or not server.variables:
        return {}
    properties = {
        name: {
            "type": "string",
            "title": name,
            "description": variable.description,
            "default": variable.default,
            **({"enum": list(variable.choices)} if variable.choices else {}),
        }
        for name, variable in server.variables.items()
    }
    return {"properties": properties, "isOpen": True}


def _input(chosen: Chosen, content_type: str | None) -> JsonObject:
    """The form of the input: its parts stand open, each under its heading."""
    form = form_schema(chosen.operation, content_type)
    parts = {name: _part(name, part) for name, part in form["properties"].items()}
    return {**form, "title": "", "properties": parts, "isOpen": True}


def _part(name: str, part: JsonObject) -> JsonObject:
    return {**part, "title": "Type of the body"} if name == CONTENT_TYPE else {**part, "isOpen": True}


def _about(chosen: Chosen) -> str:
    return f"{chosen.api.title}: {chosen.operation.method} {chosen.operation.path}"
