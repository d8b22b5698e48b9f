"""Callers who wait for an answer of the workflow's."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from flask import Response, url_for

from flowforge import jsonio
from flowforge.engine import answers
from flowforge.engine.answers import Answer
from flowforge.engine.intake import AcceptedCall
from flowforge.errors import NotFound, Unavailable
from flowforge.file_values import InlineFile, StoredFile, read_file
from flowforge.files.files import KeptFile
from flowforge.jsonio import JsonObject
from flowforge.language.blocks.respond import is_sent
from webapp.content_policy import SANDBOX
from webapp.context import backends
from webapp.held_threads import places
from webapp.receiving.received_body import drop_body
from webapp.served_files import answer_with_file


def as_response(answer: Answer, event_id: UUID | None) -> Response:
    """The answer to the call of that event as it is sent: of its headers, those that act on nothing but it. Raises
    Unavailable where it is a file that cannot be sent now."""
    headers = {name: value for name, value in answer.headers.items() if is_sent(name)}
    headers["Content-Security-Policy"] = SANDBOX
    file = _file(answer, event_id)
    if file is not None:
        return answer_with_file(file, answer.status, headers)
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    if isinstance(answer.body, str):
        return Response(answer.body, answer.status, headers, content_type=content_type or "text/plain; charset=utf-8")
    data = b"" if answer.body is None else jsonio.dumps(answer.body)
    return Response(data, answer.status, headers, content_type=content_type or "application/json")


def _file(answer: Answer, event_id: UUID | None) -> InlineFile | KeptFile | None:
    """The file that the body is; None for anything else, also what only looks like one of this execution's files."""
    file = read_file(answer.body)
    if not isinstance(file, StoredFile) or event_id is None:
        return file if isinstance(file, InlineFile) else None
    with suppress(NotFound):
        return backends().files.of_event(file.id, event_id)
    return None


def answer_caller(call: AcceptedCall, acceptance: JsonObject) -> Response:
    """Answer as the trigger says: at once with the acceptance, or with what the workflow answers; where that takes too
    long, with the address of its answer."""
    if call.wait_seconds is None or call.event_id is None:
        return Response(jsonio.dumps(acceptance), 200, mimetype="application/json")
    drop_body()
    return wait_for_response(call) or _to_be_answered(call.event_id, acceptance)


def _to_be_answered(event_id: UUID, acceptance: JsonObject) -> Response:
    url = f"{backends().settings.public_webhook_base}{url_for('webhooks.later_answer', event_id=event_id)}"
    body = {**acceptance, "message": "The workflow has not answered yet", "statusUrl": url}
    return Response(jsonio.dumps(body), 202, {"Location": url, "Retry-After": "2"}, mimetype="application/json")


def wait_for_response(call: AcceptedCall) -> Response | None:
    """The response with the workflow's answer; None where there is none in time, or as many callers of that workflow
    wait already, or of its account, as may, or its file cannot be sent now."""
    found = _wait_for_answer(call)
    with suppress(Unavailable):
        return as_response(found, call.event_id) if found else None
    return None


def _wait_for_answer(call: AcceptedCall) -> Answer | None:
    if call.event_id is None or call.wait_seconds is None:
        return None
    with places().place(call.workflow_id, call.user_id) as is_free:
        if not is_free:
            return None
        return answers.wait_for(backends().engine, backends().blocking_redis, call.event_id, call.wait_seconds)
