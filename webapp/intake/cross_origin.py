"""Calls of a webhook from web pages (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from __future__ import annotations

from flask import Response, after_this_request, request

from flowforge.triggers.webhooks.access import ANY_ORIGIN
from flowforge.triggers.webhooks.hook import Hook

_LONGEST_KEPT_SECONDS = "600"


def answer_preflight(hook: Hook) -> Response:
    """Says which calls are allowed; without allowed origins, which methods there are."""
    if not hook.config.allowed_origins:
        return Response(headers={"Allow": ", ".join(allowed_methods(hook))}, mimetype="application/json")
    answer = Response(status=204)
    if hook.shares_with(_origin()):
        answer.headers["Access-Control-Allow-Methods"] = ", ".join(hook.config.methods)
        answer.headers["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "*")
        answer.headers["Access-Control-Max-Age"] = _LONGEST_KEPT_SECONDS
    return answer


def allowed_methods(hook: Hook) -> list[str]:
    heads = ["HEAD"] if "GET" in hook.config.methods else []
    return [*hook.config.methods, *heads, "OPTIONS"]


def share_answer(hook: Hook) -> None:
    """Lets the page that calls read the answer, whatever that is, where its origin is allowed."""
    if not hook.config.allowed_origins:
        return
    allowed = ANY_ORIGIN if ANY_ORIGIN in hook.config.allowed_origins else _origin()
    is_allowed = hook.shares_with(_origin())

    def share(response: Response) -> Response:
        response.vary.add("Origin")
        if is_allowed:
            response.headers["Access-Control-Allow-Origin"] = allowed
        return response

    after_this_request(share)


def is_foreign_page(hook: Hook) -> bool:
    """Whether a page calls whose origin is not allowed."""
    return bool(hook.config.allowed_origins and _origin()) and not hook.shares_with(_origin())


def _origin() -> str:
    return request.headers.get("Origin", "")
