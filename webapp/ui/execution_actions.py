"""Actions on an execution: cancel it, replay it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from flowforge import jsonio
from flowforge.errors import Conflict, Invalid
from flowforge.executions import executions, replays
from flowforge.executions.replay_requests import ReplayRequest
from flowforge.sentences import message_of, sentence
from webapp.context import backends, session
from webapp.translation.texts import gettext, said_by
from webapp.ui.base import blueprint
from webapp.ui.guard import viewer_id


@blueprint.post("/executions/<uuid:execution_id>/cancel")
def cancel_execution(execution_id: UUID) -> Any:
    cancelled = executions.cancel(session(), backends(), viewer_id(), execution_id)
    is_cancelled = cancelled.status == "CANCELLED"
    flash(gettext("Execution cancelled.") if is_cancelled else gettext("The execution had already finished."), "done")
    return _to(execution_id)


@blueprint.post("/executions/<uuid:execution_id>/replay")
def replay_execution(execution_id: UUID) -> Any:
    """`from`: `start`, `failed` or a step's number; `version`: `same` or `latest`; `payload`: an edited one."""
    try:
        fields = {"from": _start(), "version": request.form.get("version", "same"), "payload": _payload()}
        done = replays.replay(session(), backends(), viewer_id(), execution_id, ReplayRequest.read(fields))
    except (Invalid, Conflict) as error:
        flash(gettext("Replay failed: %(problem)s", problem=said_by(error)), "error")
        return _to(execution_id)
    flash(gettext("Replay started."), "done")
    return _to(done.execution_id, event=done.event_id)


def _start() -> str | int:
    start = request.form.get("from", "start")
    return int(start) if start.isdecimal() and len(start) < 10 else start


def _payload() -> Any:
    """Read the new payload from the form; None where it stays as it was. Raises Invalid."""
    text = request.form.get("payload", "").strip()
    if not text:
        return None
    try:
        return jsonio.loads(text)
    except ValueError as error:
        raise Invalid.at("/payload", sentence("is not JSON: %(error)s", error=message_of(error))) from error


def _to(execution_id: UUID, **more: Any) -> Any:
    return redirect(url_for("ui.execution", execution_id=execution_id, **more), 303)
