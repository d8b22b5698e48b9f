"""HTTP_REQUEST: call any address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from flowforge.connectors.connection_kinds.http import HTTP, HttpSignIn
from flowforge.connectors.sdk import Nested, Response, StepContext, connector, field, joined, pairs_of
from flowforge.jsonio import JsonObject

ResponseForm = Literal["automatic", "text", "json"]


Parameter = str | list[Any] | JsonObject


class Config(HttpSignIn):
    url: str = field(by_name=True, title="URL", description="http:// or https://", min_length=1)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = field("GET", title="Method")
    headers: dict[str, str] = field(by_name=True, default_factory=dict, title="Headers")
    query: dict[str, Parameter | None] = field(
        by_name=True, default_factory=dict, title="Query", description="Added to the URL."
    )
    body: Any = field(None, title="Body", description="An object or list is sent as JSON, a text as it is.")
    form: dict[str, Parameter] | None = field(
        None, by_name=True, title="Form", description="Sent as a form, instead of a body."
    )
    nested: Nested | None = field(
        None,
        title="Objects and lists",
        description="In query and form, lists by repeating the name, as name[] or name[0], objects as name[field]; or"
        " both as JSON. Empty: repeat in the query, JSON in the form.",
    )
    fail_on_status: bool = field(True, title="Fail on status", description="Treat anything but 2xx as a failure.")
    response: ResponseForm = field(
        "automatic", title="Response", description="Automatic: JSON where its content type says so, else text."
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
)
def http_request(config: Config, context: StepContext) -> JsonObject:
    structured = isinstance(config.body, dict | list | int | float | bool)
    response = context.tools.http.send(
        context,
        config.method,
        config.url,
        headers=config.headers,
        params=pairs_of(config.query, config.nested or "repeat"),
        json=config.body if structured and config.form is None else None,
        data=_text(config.body) if config.form is None else pairs_of(config.form, config.nested or "json"),
        signed_by=context.connection or HTTP.credentials(config, context),
    )
    if config.fail_on_status:
        response.raise_for_status("the receiver")
    headers = {**response.headers, **response.repeated_headers}
    return {"status": response.status, "headers": headers, "body": _BODY_AS[config.response](response)}


_BODY_AS: Mapping[ResponseForm, Callable[[Response], Any]] = {
    "automatic": Response.body,
    "text": lambda response: response.text,
    "json": Response.json,
}


def _text(body: Any) -> bytes | None:
    return body.encode() if isinstance(body, str) else None
