"""API_CALL: an operation of an API that was added by its description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from flowforge.apis.answers import error_message, is_refusal, signs_of_success
from flowforge.apis.bodies import BuiltBody
from flowforge.apis.operation import Operation
from flowforge.apis.requests import BuiltRequest, build_request
from flowforge.connectors.api_calls.checking import problems_of, sample_of, settled
from flowforge.connectors.api_calls.chosen import NAMES, Chosen, read_chosen, server_address
from flowforge.connectors.api_calls.form import form_of
from flowforge.connectors.api_calls.paging import described_paging
from flowforge.connectors.described import API_CALL
from flowforge.connectors.sdk import (
    ONLY_PAGE,
    ConnectorConfig,
    ConnectorError,
    Described,
    Download,
    Page,
    Paging,
    Receiving,
    Response,
    ResponseForm,
    StepContext,
    StreamedBody,
    connector,
    field,
    joined,
    read_pages,
)
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject


class Config(ConnectorConfig):
    api: str = field(title="API", description="One of those under APIs.", min_length=1)
    operation: str = field(title="Operation", description="Its id in the API's list.", min_length=1)
    input: JsonObject = field(
        default_factory=dict, title="Input", description="What the operation takes: path, query, headers, body."
    )
    version: str = field(
        "", title="Version", description="The version of the description. Empty: the present one, when it is published."
    )
    server: str = field("", title="Server", description="Empty: the first that the description names.")
    variables: dict[str, str] = field(default_factory=dict, title="Server variables")
    all_pages: bool = field(
        False,
        title="All pages",
        description="Reads all pages of a list, and gives one list. How it is paged, the description shows; where it"
        " does not, give it under Paging.",
    )
    paging: Paging | None = field(
        None, title="Paging", description="How the list is paged, where the description does not show it."
    )
    fail_on_status: bool = field(True, title="Fail on status", description="Treat anything but 2xx as a failure.")
    response: ResponseForm = field(
        "automatic",
        title="Response",
        description="Automatic: JSON where its content type says so, else text, or a file where it is no text.",
    )


@connector(
    API_CALL,
    Config,
    title="API call",
    help="Calls an operation of an API that you have added by its description.",
    icon="docs",
    keywords=("openapi", "swagger", "rest", "operation", "discovery"),
    summary=joined("api", "operation"),
    repeatable=True,  # a receiver drops what comes twice by its Idempotency-Key
    any_signer=True,
    described=Described(
        schema=lambda schema, config, account: form_of(schema, config, account.apis),
        problems=lambda config, account, at: problems_of(config, account.apis, at),
        settled=lambda config, account: settled(config, account.apis),
        sample=lambda config, account: sample_of(config, account.apis),
    ),
)
async def api_call(config: Config, context: StepContext) -> JsonObject:
    target = await context.in_thread(partial(_read, config, context))
    if target.paging is None:
        return await _call(config, context, target)
    return await read_pages(
        target.paging, target.server, context, lambda page, context: _call(config, context, target, page)
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """What is called, with all that has to be read for it in the description, which may be large. `server`: its
    address; `paging`: None for a single call."""

    chosen: Chosen
    server: str
    paging: Paging | None
    signs_of_success: Sequence[str]


async def _call(config: Config, context: StepContext, target: _Target, page: Page = ONLY_PAGE) -> JsonObject:
    """One exchange: the whole of it, or that for a page."""
    chosen = target.chosen
    request, data = await context.in_thread(partial(_built, config, context, target, page))

    async def send(download: Download) -> Response:
        return await context.tools.async_http.send(
            context,
            request.method,
            page.url(request.url),
            params=page.query(()),
            headers=dict(request.headers),
            data=data,
            signed_by=context.connection,
            download=download,
        )

    receiving = Receiving(config.response, config.fail_on_status, context.files, context.in_thread)
    reason = partial(_reason, chosen.operation)
    output = await receiving.receive(send, request.url, chosen.api.title, reason)
    if config.fail_on_status and is_refusal(output["body"], target.signs_of_success):
        tell = partial(error_message, chosen.operation, output["status"], output["body"])
        told = await context.in_thread(tell, computes=True)
        raise ConnectorError(f"{chosen.api.title} refused: {told}", permanent=True, answered=True)
    return output


def _read(config: Config, context: StepContext) -> _Target:
    """Raises ConnectorError, which names the fields."""
    with _naming_fields():
        chosen = read_chosen({key: getattr(config, key) for key in NAMES}, context.apis)
        server = server_address(chosen.operation, config.server, config.variables)
    return _Target(chosen, server, _paging(config, chosen.operation), signs_of_success(chosen.operation))


def _paging(config: Config, operation: Operation) -> Paging | None:
    """Raises ConnectorError where all pages are wanted, and nobody says how they are read."""
    if config.paging is not None or not config.all_pages:
        return config.paging
    described = described_paging(operation)
    if described is None:
        raise ConnectorError(f"the description does not show how {config.operation} is paged", permanent=True)
    return described


def _built(
    config: Config, context: StepContext, target: _Target, page: Page
) -> tuple[BuiltRequest, StreamedBody | None]:
    """The request, and its body, for the step's input. Raises ConnectorError, which names the fields."""
    request = _request(config, target, page)
    return request, _data(request.body, context)


def _request(config: Config, target: _Target, page: Page) -> BuiltRequest:
    """The request for the step's input. Raises ConnectorError, which names the fields."""
    body = page.body(config.input.get("body"))
    input_ = config.input if body is None else {**config.input, "body": body}
    with _naming_fields():
        return build_request(target.chosen.operation, input_, target.server)


@contextmanager
def _naming_fields() -> Iterator[None]:
    try:
        yield
    except Invalid as error:
        raise ConnectorError(f"the call cannot be made: {error}", permanent=True) from error


def _data(body: BuiltBody | None, context: StepContext) -> StreamedBody | None:
    if body is None:
        return None
    parts: list[Any] = [part if isinstance(part, bytes) else context.files.content(part) for part in body.parts]
    return StreamedBody(body.type, parts)


def _reason(operation: Operation, answer: Response) -> str:
    return error_message(operation, answer.status, answer.body())
