"""HTTP_REQUEST: call any address."""

from __future__ import annotations

import base64
from typing import Any, Literal

from pydantic import Field

from flowforge.connectors.sdk import ConnectionType, ConnectorConfig, StepContext, connector, joined, secret


class Config(ConnectorConfig):
    url: str = Field(title="URL", description="http:// or https://", min_length=1)
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = Field("GET", title="Method")
    headers: dict[str, str] = Field(default_factory=dict, title="Headers")
    query: dict[str, Any] = Field(default_factory=dict, title="Query", description="Added to the URL.")
    body: Any = Field(None, title="Body", description="An object or list is sent as JSON, a text as it is.")
    form: dict[str, str] | None = Field(None, title="Form", description="Sent as a form, instead of a body.")
    bearer_token: str | None = secret(None, title="Bearer token")
    username: str | None = Field(None, title="User name", description="For basic authentication.")
    password: str | None = secret(None, title="Password")
    secret_headers: dict[str, str] = secret(
        {}, title="Secret headers", description="Headers whose values are kept secret."
    )
    fail_on_status: bool = Field(True, title="Fail on status", description="Treat anything but 2xx as a failure.")


@connector(
    "HTTP_REQUEST",
    Config,
    title="HTTP request",
    help="Calls an address and gives its status, headers and body to the next steps.",
    icon="globe",
    keywords=("api", "rest", "fetch", "webhook", "url"),
    summary=joined("method", "url"),
    connection=ConnectionType("http", "HTTP sign-in", ("bearerToken", "username", "password", "secretHeaders")),
)
def http_request(config: Config, context: StepContext) -> dict[str, Any]:
    structured = isinstance(config.body, dict | list | int | float | bool)
    response = context.tools.http.send(
        context,
        config.method,
        config.url,
        headers=_headers(config, context),
        params=config.query,
        json=config.body if structured and config.form is None else None,
        data=config.form if config.form is not None else _text(config.body),
    )
    if config.fail_on_status:
        response.raise_for_status("the receiver")
    return {"status": response.status, "headers": dict(response.headers), "body": response.body()}


def _headers(config: Config, context: StepContext) -> dict[str, str]:
    headers = {**config.headers, **config.secret_headers}
    if config.bearer_token:
        headers["Authorization"] = f"Bearer {config.bearer_token}"
    elif config.username is not None:
        pair = f"{config.username}:{config.password or ''}".encode()
        encoded = base64.b64encode(pair).decode()
        headers["Authorization"] = f"Basic {encoded}"
        if config.password:
            context.secrets.append(encoded)  # echoed by many a receiver that people try out
    return headers


def _text(body: Any) -> bytes | None:
    return body.encode() if isinstance(body, str) else None
