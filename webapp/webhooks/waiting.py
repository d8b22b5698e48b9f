"""Callers of webhooks who wait for an answer of the workflow's."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, current_app

from flowforge import jsonio
from flowforge.engine import answers
from flowforge.engine.answers import Answer
from webapp.context import backends

_EXTENSION = "flowforge.waiting_callers"
_NOT_SENT = {"content-length", "transfer-encoding", "connection", "set-cookie", "content-security-policy"}
_SANDBOX = "sandbox allow-forms allow-modals allow-popups allow-scripts"
"""A page that a workflow answers with is its author's, on the dashboard's address: without `allow-same-origin` it is a
stranger to the dashboard, whose cookies and pages its scripts cannot reach."""


def answer_of(event_id: UUID, seconds: float, accepted: Mapping[str, Any], status_path: str) -> Response:
    """The workflow's answer; 202 with a link to it where it does not come in time."""
    found = _wait(event_id, seconds)
    if found is not None:
        return as_response(found)
    url = f"{backends().settings.public_webhook_base}{status_path}"
    body = {**accepted, "message": "The workflow has not answered yet", "statusUrl": url}
    return Response(jsonio.dumps(body), 202, {"Location": url, "Retry-After": "2"}, mimetype="application/json")


def as_response(answer: Answer) -> Response:
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_SENT}
    headers["Content-Security-Policy"] = _SANDBOX
    given_type = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, headers, content_type=given_type or "text/plain; charset=utf-8")
    data = b"" if answer.body is None else jsonio.dumps(answer.body)
    return Response(data, answer.status, headers, content_type=given_type or "application/json")


def _wait(event_id: UUID, seconds: float) -> Answer | None:
    places = _places()
    if not places.acquire(blocking=False):
        return None
    try:
        return answers.wait_for(backends().engine, backends().redis, event_id, seconds)
    finally:
        places.release()


def _places() -> threading.BoundedSemaphore:
    """Each who waits holds a thread, and half of them stay free. One more is told where to look, at once."""
    half = max(1, backends().settings.web_threads // 2)
    found: threading.BoundedSemaphore = current_app.extensions.setdefault(_EXTENSION, threading.BoundedSemaphore(half))
    return found
