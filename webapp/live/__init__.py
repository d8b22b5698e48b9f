"""`GET /api/v1/executions/{id}/live`: an execution's log as server-sent events, from the beginning to its end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, request

from flowforge.execution.state import Status
from flowforge.executions import executions
from flowforge.logbook.cursor import parse_cursor
from flowforge.wiring import Backends
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in
from webapp.live.hub import Hub
from webapp.live.stream import Asked
from webapp.live.viewing import Places, Viewing
from webapp.server.connection_handoff import Body

blueprint = Blueprint("live", __name__)

_EXTENSION = "flowforge.live"
_BEGIN = b": an execution, live\n\n"
_SETTLED = timedelta(seconds=30)
_one_hub = threading.Lock()


@blueprint.get("/api/v1/executions/<uuid:execution_id>/live")
@signed_in
def live(execution_id: UUID) -> Response:
    """Follow an execution: events `log`, `status`, `end`"""
    after = request.headers.get("Last-Event-ID") or request.args.get("lastEventId") or None
    if after is not None:
        parse_cursor(after)
    asked = _asked(execution_id, after)
    if request.method == "HEAD":
        return _response(b"")
    viewing = _viewing(current_app.extensions, backends())
    viewing.places.take()
    chunked = request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
    return _response(Body(_BEGIN, partial(viewing.serve, asked, chunked=chunked), viewing.places.give_back))


def serve_with(extensions: dict[str, Any], viewing: Viewing) -> None:
    """The server's own way to serve streams, instead of a thread of this process."""
    extensions[_EXTENSION] = viewing


def _viewing(extensions: dict[str, Any], backends: Backends) -> Viewing:
    """Without the server's own, a hub is made when the first viewer comes: a forked server must not share it."""
    with _one_hub:
        found = extensions.get(_EXTENSION)
        if not isinstance(found, Viewing):
            places = Places(backends.settings.live_viewers)
            found = extensions[_EXTENSION] = Viewing(places, Hub(backends, places.give_back).serve)
        return found


def _asked(execution_id: UUID, after: str | None) -> Asked:
    row = executions.get(session(), current_user_id(), execution_id)
    status = Status(row.status)
    settled = status.terminal and row.updated_at < datetime.now(UTC) - _SETTLED
    session().close()
    return Asked(current_user_id(), execution_id, after, status, settled)


def _response(body: Body | bytes) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(body, mimetype="text/event-stream", headers=headers, direct_passthrough=True)
