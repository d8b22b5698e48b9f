"""`GET /api/v1/executions/{id}/live`: an execution's log as server-sent events, from the beginning to its end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from flask import Blueprint, Response, current_app, request

from flowforge.errors import Unavailable
from flowforge.execution.state import Status
from flowforge.executions import executions
from flowforge.fair_shares import FairShares
from flowforge.logbook.cursor import parse_cursor
from flowforge.wiring import Backends
from webapp.context import backends, session
from webapp.endpoint import EVENTS, Answer, Header, Tag, endpoint
from webapp.identity import current_caller, current_user_id
from webapp.live.connection_handoff import CAN_HAND_OFF, StreamBody
from webapp.live.hub import Hub
from webapp.live.stream import StreamRequest
from webapp.live.viewers import StreamService

blueprint = Blueprint("live", __name__)

_EXTENSION = "flowforge.live"
_BEGIN = b": an execution, live\n\n"
_SETTLED = timedelta(seconds=30)
_creating_hub = threading.Lock()


@blueprint.get("/api/v1/executions/<uuid:execution_id>/live")
@endpoint(
    Tag.EXECUTIONS,
    {200: Answer(None, "The stream; it ends with the execution", EVENTS)},
    headers=(Header("Last-Event-ID", "Go on behind this event.", {"type": "string"}),),
)
def live(execution_id: UUID) -> Response:
    """Follow an execution: events `log`, `draft`, `status`, `end`"""
    after = request.headers.get("Last-Event-ID") or request.args.get("lastEventId") or None
    if after is not None:
        parse_cursor(after)
    stream_request = _stream_request(execution_id, after)
    if request.method == "HEAD":
        return _response(b"")
    return _response(_stream_body(stream_request, _service(current_app.extensions, backends())))


def serve_with(extensions: dict[str, object], service: StreamService) -> None:
    """Have streams served by `service` instead of a thread of this process."""
    extensions[_EXTENSION] = service


def _stream_body(stream_request: StreamRequest, service: StreamService) -> StreamBody:
    """Raises Unavailable when there are too many viewers, or too many of the account."""
    viewer = stream_request.user_id
    if not service.slots.take(viewer):
        raise Unavailable("too many people are watching; try again in a moment")
    chunked = request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
    take_connection = partial(service.serve, stream_request, chunked=chunked)
    can_hand_off = bool(request.environ.get(CAN_HAND_OFF))
    return StreamBody(_BEGIN, take_connection, partial(service.slots.give_back, viewer), can_hand_off=can_hand_off)


def _service(extensions: dict[str, object], backends: Backends) -> StreamService:
    """Find the stream service of this process; by default a hub made when the first viewer comes, because a server that
    forks must not share it."""
    with _creating_hub:
        found = extensions.get(_EXTENSION)
        if not isinstance(found, StreamService):
            slots = FairShares(backends.settings.live_viewers)
            found = extensions[_EXTENSION] = StreamService(slots, Hub(backends, slots.give_back).serve)
        return found


def _stream_request(execution_id: UUID, after: str | None) -> StreamRequest:
    """Raises NotFound unless the execution belongs to the current user."""
    row = executions.get(session(), current_user_id(), execution_id)
    status = Status(row.status)
    settled = status.terminal and row.updated_at < datetime.now(UTC) - _SETTLED
    session().close()
    viewer = current_caller()
    epoch = backends().credential_epochs.current(viewer.user_id).epoch
    return StreamRequest(viewer.user_id, execution_id, after, status, settled, epoch, viewer.credential)


def _response(body: StreamBody | bytes) -> Response:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(body, mimetype="text/event-stream", headers=headers, direct_passthrough=True)
