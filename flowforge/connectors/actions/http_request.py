"""HTTP_REQUEST: call any address."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, Literal

from flowforge.connectors.connection_kinds.http import HTTP, HttpSignIn
from flowforge.connectors.sdk import (
    ONLY_PAGE,
    Cookies,
    Download,
    Files,
    Nested,
    Page,
    Paging,
    Pair,
    Polls,
    Receiving,
    Response,
    ResponseForm,
    StepContext,
    StreamedBody,
    body_of,
    connector,
    field,
    joined,
    multipart,
    pairs_of,
    read_pages,
)
from flowforge.file_values import read_file
from flowforge.jsonio import JsonObject

Parameter = str | list[Any] | JsonObject
Data = bytes | Sequence[Pair] | StreamedBody | None


class Config(HttpSignIn):
    url: str = field(by_name=True, title="URL", description="http:// or https://", min_length=1)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = field("GET", title="Method")
    headers: dict[str, str] = field(by_name=True, default_factory=dict, title="Headers")
    query: dict[str, Parameter | None] = field(
        by_name=True, default_factory=dict, title="Query", description="Added to the URL."
    )
    body: Any = field(None, title="Body", description="An object or list is sent as JSON, a text or a file as it is.")
    form: dict[str, Parameter] | None = field(
        None, by_name=True, title="Form", description="Sent as a form, instead of a body.", group="Form and files"
    )
    nested: Nested | None = field(
        None,
        title="Objects and lists",
        description="In query and form, lists by repeating the name, as name[] or name[0], objects as name[field]; or"
        " both as JSON. Empty: repeat in the query, JSON in the form.",
        group="Form and files",
    )
    files: dict[str, Files] = field(
        default_factory=dict,
        title="Files",
        description="Sent with the form, as multipart: a file, or a list of files, for each field.",
        group="Form and files",
    )
    paging: Paging | None = field(
        None,
        title="Paging",
        description="How the API gives a list page by page: all pages are read, and the step gives one list.",
        group="Pagination",
    )
    cookies: bool | list[JsonObject] = field(
        False,
        title="Cookies",
        description="true keeps them: it goes on with those of the last step before that keeps some, and hands them on."
        " Or those of a step: {{ steps.login.cookies }}.",
        group="Response",
    )
    fail_on_status: bool = field(
        True, title="Fail on status", description="Treat anything but 2xx as a failure.", group="Response"
    )
    response: ResponseForm = field(
        "automatic",
        title="Response",
        description="Automatic: JSON where its content type says so, else text, or a file where it is no text.",
        group="Response",
    )


@connector(
    "HTTP_REQUEST",
    Config,
    title="HTTP request",
    help="Calls an address and gives its status, headers and body to the next steps.",
    icon="globe",
    keywords=("api", "rest", "fetch", "webhook", "url"),
    summary=joined("method", "url"),
    repeatable=True,  # a receiver drops what comes twice by its Idempotency-Key
    connections=(HTTP,),
    any_signer=True,
    polls=Polls(
        "New in an API",
        "When a list returned by a URL has a new item",
        items="body",
        fixed={"cookies": None, "failOnStatus": None, "files": None},
        sample={"id": 17, "name": "Two cups"},
    ),
)
async def http_request(config: Config, context: StepContext) -> JsonObject:
    cookies = await _cookies(config, context)
    if config.paging is None:
        output = await _call(config, context, cookies)
    else:
        output = await read_pages(
            config.paging, config.url, context, lambda page, context: _call(config, context, cookies, page)
        )
    return output if cookies is None else {**output, "cookies": cookies.as_json()}


async def _call(config: Config, context: StepContext, cookies: Cookies | None, page: Page = ONLY_PAGE) -> JsonObject:
    """One exchange: the whole of it, or that for a page."""
    query, data = await _sent(config, context)
    body = page.body(config.body)

    def send(download: Download) -> Awaitable[Response]:
        return context.tools.async_http.send(
            context,
            config.method,
            page.url(config.url),
            headers=config.headers,
            params=page.query(query),
            json=body if _is_sent_as_json(config, body) else None,
            data=data,
            signed_by=context.connection or HTTP.credentials(config, context),
            download=download,
            cookies=cookies,
        )

    receiving = Receiving(config.response, config.fail_on_status, context.files, context.in_thread)
    return await receiving.receive(send, config.url, "the receiver")


async def _cookies(config: Config, context: StepContext) -> Cookies | None:
    """None where the step keeps none."""
    if config.cookies is False:
        return None
    kept = await context.in_thread(partial(_last_kept, context)) if config.cookies is True else config.cookies
    return Cookies.read(kept)


def _last_kept(context: StepContext) -> Any:
    """What the last step before it has kept: that includes what it took over itself."""
    outputs = sorted(context.steps.items(), key=lambda output: _number(output[0]), reverse=True)
    return next((output["cookies"] for _, output in outputs if isinstance(output, dict) and "cookies" in output), [])


def _number(step: str) -> int:
    digits = step.removeprefix("step_")
    return int(digits) if digits.isdecimal() else -1


def _is_sent_as_json(config: Config, body: Any) -> bool:
    structured = isinstance(body, dict | list | int | float | bool)
    return structured and config.form is None and not config.files and read_file(body) is None


def _has_files(config: Config) -> bool:
    return bool(config.files) or read_file(config.body) is not None


async def _sent(config: Config, context: StepContext) -> tuple[Sequence[Pair], Data]:
    """The query, and what is sent beside it, where that is not JSON."""
    if _has_files(config):
        return await context.in_thread(partial(_written, config, context))
    return await context.compute(partial(_written, config, context), of=(config.query, config.form, config.body))


def _written(config: Config, context: StepContext) -> tuple[Sequence[Pair], Data]:
    return pairs_of(config.query, config.nested or "repeat"), _data(config, context)


def _data(config: Config, context: StepContext) -> Data:
    form = None if config.form is None else pairs_of(config.form, config.nested or "json")
    if config.files:
        files = {name: [context.files.content(file) for file in files] for name, files in config.files.items()}
        return multipart(form or (), files)
    if form is not None:
        return form
    file = read_file(config.body)
    if file is not None:
        return body_of(context.files.content(file))
    return config.body.encode() if isinstance(config.body, str) else None
