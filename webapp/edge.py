"""The outer edge, which every request passes on its way in and every response on its way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from flowforge.errors import Problem, raise_any
from flowforge.ids import uuid7
from flowforge.language.pointers import pointer
from flowforge.sentences import sentence
from flowforge.settings import Settings
from webapp import content_policy, hosts
from webapp.content_policy import DATA_POLICY, page_policy

API_MAX_BYTES = 4 * 1024 * 1024
MOST_RECEIVED_BYTES = 16 * 1024 * 1024
"""The limit on a body that the server receives in full. What accepts less can still say so with what was in it."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CANONICAL_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CORS_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id"
_CORS_METHODS = "GET, POST, PUT, PATCH, DELETE"


class ClaimedUserDropped:
    """Middleware that drops `X-User-Id`: the originals' services believed it, so it must not get past this point."""

    def __init__(self, wsgi: WSGIApplication) -> None:
        self._wsgi = wsgi

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.pop("HTTP_X_USER_ID", None)
        return self._wsgi(environ, start_response)


class UuidConverter(BaseConverter):
    """`<uuid:id>` in a route. Anything but a UUID is the caller's mistake (400), not an unknown page (404)."""

    def to_python(self, value: str) -> UUID:
        if not _CANONICAL_UUID.fullmatch(value):
            raise BadRequest("the id in the path is not a UUID")
        return UUID(value)

    def to_url(self, value: Any) -> str:
        return str(value)


def install(app: Flask, settings: Settings) -> None:
    app.config["MAX_CONTENT_LENGTH"] = max(API_MAX_BYTES, settings.webhook_max_bytes)
    app.url_map.converters["uuid"] = UuidConverter
    app.before_request(_name_the_request)
    app.before_request(_refuse_nul)
    hosts.install(app, settings)
    content_policy.install(app, settings)
    app.after_request(_protect)
    if settings.cors_origins:
        app.after_request(_share_with(frozenset(settings.cors_origins)))
    wsgi: Any = ClaimedUserDropped(app.wsgi_app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        wsgi = ProxyFix(wsgi, x_for=hops, x_proto=hops, x_host=hops)
    app.wsgi_app = wsgi  # type: ignore[method-assign]


def _name_the_request() -> None:
    sent = request.environ.get("HTTP_X_REQUEST_ID", "")
    g.request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid7().hex


def _refuse_nul() -> None:
    """PostgreSQL holds no text with this character, so nothing can be found or stored by one. What is sent to webhooks
    and forms is kept, with U+FFFD in its place."""
    if request.blueprint in hosts.OPEN_TO_THE_WORLD:
        return
    form = request.form.lists() if request.mimetype == "application/x-www-form-urlencoded" else ()
    sent = (*request.args.lists(), *form, *(request.view_args or {}).items())
    raise_any(
        [Problem(pointer([name]), sentence("must not hold NUL")) for name, values in sent if _holds_nul(name, values)]
    )


def _holds_nul(name: str, values: object) -> bool:
    texts = [name, *values] if isinstance(values, list) else [name, values]
    return any(isinstance(text, str) and "\0" in text for text in texts)


def _protect(response: Response) -> Response:
    is_page = response.mimetype == "text/html"
    protecting = {
        "X-Request-Id": g.get("request_id", ""),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": page_policy() if is_page else DATA_POLICY,
    }
    if is_page:
        protecting |= {"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}
    if request.is_secure:
        protecting["Strict-Transport-Security"] = "max-age=31536000"
    there = {name.lower() for name, _ in response.headers}
    for name, value in protecting.items():
        if name.lower() not in there:
            response.headers.add(name, value)
    return response


def _share_with(origins: frozenset[str]) -> Callable[[Response], Response]:
    """Allow cross-origin calls (CORS) to the origins the operator named, without cookies: with bearer tokens only."""

    def share(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin not in origins and "*" not in origins:
            return response
        response.headers["Access-Control-Allow-Origin"] = origin or "*"
        response.headers["Access-Control-Expose-Headers"] = "X-Request-Id, Retry-After"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = _CORS_METHODS
            response.headers["Access-Control-Allow-Headers"] = _CORS_HEADERS
            response.headers["Access-Control-Max-Age"] = "600"
        return response

    return share
