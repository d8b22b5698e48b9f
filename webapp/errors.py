"""Errors as responses: each error class has one status, every response the one shape (contract.md, section 1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from jinja2 import TemplatesNotFound
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from flowforge import errors, jsonio
from flowforge.jsonio import JsonObject
from flowforge.sentences import message_of, sentence
from webapp.translation.texts import lazy, said

_STATUS_OF: dict[type[errors.FlowForgeError], int] = {
    errors.Invalid: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.OverQuota: 429,
    errors.Unavailable: 503,
    errors.TooMuchAtOnce: 503,
}
_RETRY_AFTER_SECONDS = "2"
_MACHINE_PATHS = (
    "/api/",
    "/auth/",
    "/webhook/",
    "/webhook-answers/",
    "/webhook-test/",
    "/resume/",
    "/health/",
    "/metrics",
)

Details = Sequence[errors.Problem]


def install(app: Flask) -> None:
    app.register_error_handler(errors.FlowForgeError, _own_error)
    app.register_error_handler(HTTPException, _http_error)
    for failure in (OperationalError, PoolTimeout, RedisError):
        app.register_error_handler(failure, _backend_lost)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(Exception, _unexpected)


def error_body(status: int, message: str, details: Details = ()) -> JsonObject:
    """The one error shape; `details` is there for validation."""
    body: JsonObject = {
        "timestamp": jsonio.format_time(datetime.now(UTC)),
        "status": status,
        "statusCode": status,
        "error": _phrase(status),
        "message": message,
        "path": request.path,
    }
    if details:
        body["details"] = [{"pointer": problem.pointer, "message": problem.message} for problem in details]
    return body


def error_response(
    status: int, message: str, details: Details = (), headers: Mapping[str, str] | None = None
) -> Response:
    """A page for a person with a browser, JSON for everybody else."""
    page = _page(status, said(message)) if _wants_page() else None
    response = Response(page, mimetype="text/html") if page else jsonify(error_body(status, message, details))
    response.status_code = status
    response.headers.update(headers or {})
    return response


def _own_error(error: errors.FlowForgeError) -> Response:
    status = next((code for kind, code in _STATUS_OF.items() if isinstance(error, kind)), 500)
    if status == 500:
        return _unexpected(error)
    headers = {"Retry-After": _RETRY_AFTER_SECONDS} if status == 503 else {}
    if isinstance(error, errors.Unauthorized):
        headers = {"WWW-Authenticate": error.challenge}
    if isinstance(error, errors.OverQuota):
        headers = {"Retry-After": str(error.retry_after)}
    if status == 503:
        current_app.logger.warning("%s %s: %s [%s]", request.method, request.path, error, _request_id())
    return error_response(status, message_of(error), error.problems, headers)


def _http_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error  # a redirect
    headers = {name: value for name, value in error.get_headers() if name not in {"Content-Type", "Content-Length"}}
    return error_response(error.code, _message_of(error), headers=headers)


def _message_of(error: HTTPException) -> str:
    """Return the message that the error was raised with, or ours in place of Werkzeug's standard texts."""
    if error.description and error.description != type(error).description:
        return error.description
    standard = {
        404: lazy("there is nothing at this address"),
        405: sentence("this address does not take %(method)s requests", method=request.method),
        413: lazy("the body is too large"),
    }
    return standard.get(error.code or 0) or error.description or _phrase(error.code or 500)


def _backend_lost(error: Exception) -> Response:
    current_app.logger.warning("%s %s: %s [%s]", request.method, request.path, _first_line(error), _request_id())
    return _own_error(errors.Unavailable(sentence("a database does not answer; please try again")))


def _database_error(error: DBAPIError) -> Response:
    return _backend_lost(error) if error.connection_invalidated else _unexpected(error)


def _unexpected(error: Exception) -> Response:
    """Log the error in full; tell the client only a number to quote."""
    current_app.logger.error("%s %s failed [%s]", request.method, request.path, _request_id(), exc_info=error)
    return error_response(500, sentence("something went wrong on our side (request %(id)s)", id=_request_id()))


def _wants_page() -> bool:
    if request.path.startswith(_MACHINE_PATHS):
        return False
    accepted = request.accept_mimetypes
    return "HX-Request" in request.headers or accepted["text/html"] > accepted["application/json"]


def _page(status: int, message: str) -> str | None:
    """Our own page for this error, if there is one: that of the blueprint, such as `forms`, or the dashboard's."""
    try:
        return render_template(
            [f"{request.blueprint}/error.html", f"errors/{status}.html", "errors/error.html"],
            status=status,
            title=_phrase(status),
            message=message,
            request_id=_request_id(),
        )
    except TemplatesNotFound:
        return None
    except Exception:  # the page may need the very thing that is broken; the answer must still come
        current_app.logger.exception("no page for error %s [%s]", status, _request_id())
        return None


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"


def _request_id() -> str:
    return str(g.get("request_id", "-"))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
