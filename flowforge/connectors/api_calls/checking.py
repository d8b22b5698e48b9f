"""What is wrong with a step that calls an API, before it runs; and the version that it keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from pydantic import ValidationError

from flowforge.apis.answers import answer_sample
from flowforge.apis.checking import find_problems
from flowforge.apis.form import form_schema
from flowforge.connectors.api_calls.chosen import (
    ALL_PAGES,
    INPUT,
    NAMES,
    PAGING,
    SERVER,
    VARIABLES,
    Chosen,
    content_type_of,
    find_api,
    find_chosen,
    read_chosen,
    server_address,
)
from flowforge.connectors.api_calls.literal_secrets import LiteralSecrets
from flowforge.connectors.api_calls.paging import described_paging
from flowforge.connectors.apis import ApiAccess
from flowforge.connectors.config import has_expression
from flowforge.connectors.described import API, OPERATION, VERSION
from flowforge.connectors.paging.declaration import Paging
from flowforge.connectors.paging.reading import pages_sample
from flowforge.errors import Invalid, Problem
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence


def problems_of(config: Mapping[str, Any], apis: ApiAccess, at: str) -> list[Problem]:
    """The problems of a config at the pointer `at`. What an expression gives is judged when it runs; what is missing is
    the connector's own to report."""
    if any(has_expression(config.get(name)) for name in NAMES) or not (config.get(API) and config.get(OPERATION)):
        return []
    try:
        chosen = read_chosen(config, apis)
    except Invalid as error:
        return [problem.under(at) for problem in error.problems]
    checks = _problems_of_server, _problems_of_input, _problems_of_paging
    return [problem.under(at) for check in checks for problem in check(config, chosen)]


def settled(config: Mapping[str, Any], apis: ApiAccess) -> JsonObject:
    """The config with the API's present version, where it names none."""
    named = config.get(API)
    if config.get(VERSION) or not isinstance(named, str) or has_expression(named):
        return dict(config)
    try:
        return {**config, VERSION: find_api(config, apis).version}
    except Invalid:
        return dict(config)


def sample_of(config: Mapping[str, Any], apis: ApiAccess) -> JsonObject | None:
    """An output as the description has it."""
    chosen = find_chosen(config, apis)
    if chosen is None:
        return None
    answer = {"body": answer_sample(chosen.operation), "status": 200, "headers": {}}
    paging = _paging_of(config, chosen)
    return answer if paging is None else pages_sample(paging, answer)


def _paging_of(config: Mapping[str, Any], chosen: Chosen) -> Paging | None:
    """How the step reads its list; None where it reads none, or that cannot be told before it runs."""
    written = config.get(PAGING)
    try:
        if written:
            return Paging.model_validate(written)
    except ValidationError:
        return None
    return described_paging(chosen.operation) if config.get(ALL_PAGES) is True else None


def _problems_of_server(config: Mapping[str, Any], chosen: Chosen) -> Iterator[Problem]:
    server, variables = config.get(SERVER) or "", config.get(VARIABLES) or {}
    if has_expression(server) or has_expression(variables) or not isinstance(variables, Mapping):
        return
    try:
        server_address(chosen.operation, str(server), variables)
    except Invalid as error:
        yield from error.problems


def _problems_of_paging(config: Mapping[str, Any], chosen: Chosen) -> Iterator[Problem]:
    if config.get(ALL_PAGES) is True and not config.get(PAGING) and described_paging(chosen.operation) is None:
        yield Problem(f"/{ALL_PAGES}", sentence("the description does not show how it is paged: give it under Paging"))


def _problems_of_input(config: Mapping[str, Any], chosen: Chosen) -> Iterator[Problem]:
    input_ = config.get(INPUT) or {}
    form = form_schema(chosen.operation, content_type_of(config))
    secrets = LiteralSecrets.of(chosen.api.description.sign_ins.values(), _is_expression)
    for problem in chain(find_problems(form, input_, _is_expression), secrets.find(form, input_)):
        yield problem.under(f"/{INPUT}")


def _is_expression(value: Any) -> bool:
    """Whether a value is known only when the step runs; what stands beside it is known."""
    return isinstance(value, str) and has_expression(value)
