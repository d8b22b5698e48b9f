"""Callers who wait for an answer of the workflow's."""

from __future__ import annotations

import threading
from uuid import UUID

from flask import Response, current_app

from flowforge import jsonio
from flowforge.engine import answers
from flowforge.engine.answers import Answer
from flowforge.language.blocks.respond import is_sent
from webapp.content_policy import SANDBOX
from webapp.context import backends

_EXTENSION = "flowforge.waiting_callers"


def as_response(answer: Answer) -> Response:
    """The answer as it is sent: of its headers, those that act on nothing but it."""
    headers = {name: value for name, value in answer.headers.items() if is_sent(name)}
    headers["Content-Security-Policy"] = SANDBOX
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, headers, content_type=content_type or "text/plain; charset=utf-8")
    data = b"" if answer.body is None else jsonio.dumps(answer.body)
    return Response(data, answer.status, headers, content_type=content_type or "application/json")


def wait_for_answer(event_id: UUID, seconds: float) -> Answer | None:
    """The workflow's answer; None where it does not come in time, or too many callers wait already."""
    slots = _waiting_slots()
    if not slots.acquire(blocking=False):
        return None
    try:
        return answers.wait_for(backends().engine, backends().blocking_redis, event_id, seconds)
    finally:
        slots.release()


def _waiting_slots() -> threading.BoundedSemaphore:
    """A caller who waits holds a thread, and half of them stay free."""
    half = max(1, backends().settings.web_threads // 2)
    found: threading.BoundedSemaphore = current_app.extensions.setdefault(_EXTENSION, threading.BoundedSemaphore(half))
    return found
