"""The operation that a config names, and the address at which it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowforge.apis.operation import Operation, Unusable
from flowforge.apis.servers import is_complete
from flowforge.connectors.apis import Api, ApiAccess
from flowforge.connectors.described import API, OPERATION, VERSION
from flowforge.connectors.errors import ConnectorError
from flowforge.errors import Invalid, NotFound
from flowforge.language.evaluation.names import nearest, quoted
from flowforge.sentences import joined, message_of, sentence

NAMES = (API, OPERATION, VERSION)
INPUT, SERVER, VARIABLES, CONTENT_TYPE = "input", "server", "variables", "contentType"
ALL_PAGES, PAGING = "allPages", "paging"


@dataclass(frozen=True, slots=True)
class Chosen:
    """An operation that there is."""

    api: Api
    operation: Operation


def find_chosen(config: Mapping[str, Any], apis: ApiAccess) -> Chosen | None:
    """The operation that a written config names; None where it names none that there is, or by an expression."""
    try:
        return read_chosen(config, apis)
    except Invalid:
        return None


def read_chosen(config: Mapping[str, Any], apis: ApiAccess) -> Chosen:
    """Raises Invalid, with the pointer of the field that names what there is not."""
    api = find_api(config, apis)
    name = str(config.get(OPERATION) or "")
    try:
        return Chosen(api, api.description.operation(name))
    except NotFound as error:
        raise Invalid.at(f"/{OPERATION}", joined("", [message_of(error), _hint(name, api)])) from error
    except (Unusable, ConnectorError) as error:
        raise Invalid.at(f"/{OPERATION}", message_of(error)) from error


def _hint(name: str, api: Api) -> str:
    near = nearest(name, [entry.id for entry in api.description.entries])
    return sentence("; did you mean %(name)s?", name=quoted(near)) if near else ""


def find_api(config: Mapping[str, Any], apis: ApiAccess) -> Api:
    """Raises Invalid."""
    name, version = str(config.get(API) or ""), str(config.get(VERSION) or "")
    try:
        return apis.find(name, version)
    except NotFound as error:
        is_there = name in apis.titles()
        raise Invalid.at(f"/{VERSION}" if is_there else f"/{API}", message_of(error)) from error


def content_type_of(config: Mapping[str, Any]) -> str | None:
    """The media type that the input chooses for its body; None for the first there is."""
    input_ = config.get(INPUT)
    chosen = input_.get(CONTENT_TYPE) if isinstance(input_, Mapping) else None
    return chosen if isinstance(chosen, str) else None


def server_address(operation: Operation, server: str, variables: Mapping[str, str]) -> str:
    """The address below which the operation is called: `server`, where it is one of the description's with its
    variables filled in; the first of these where it is empty. Raises Invalid."""
    declared = next((each for each in operation.servers if server in ("", each.url)), None)
    try:
        address = declared.address(variables) if declared is not None else server
    except Invalid as error:
        raise Invalid([problem.under(f"/{VARIABLES}") for problem in error.problems]) from error
    if not is_complete(address):
        unknown = sentence("the description does not say where the API is: give an http:// or https:// address")
        wrong = sentence("must be an http:// or https:// address")
        raise Invalid.at(f"/{SERVER}", wrong if server else unknown)
    return address
