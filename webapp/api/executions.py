"""/api/v1/executions: list, get, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from flowforge.execution.state import ROOT, FrameStatus, Status
from flowforge.executions import executions, frames, replays, waits
from flowforge.executions.executions import SORTABLE, attempt_fields, execution_fields, replay_fields
from flowforge.executions.frames import block_fields, frame_fields
from flowforge.executions.replays import Replayed
from webapp.api import query_params
from webapp.api.paging import MAX_SIZE, envelope, page_request, whole_number
from webapp.body import json_object
from webapp.context import backends, session
from webapp.identity import current_user_id, signed_in

_MOST = 2_147_483_647
"""PostgreSQL's largest integer."""

blueprint = Blueprint("executions", __name__, url_prefix="/api/v1/executions")


@blueprint.get("")
@signed_in
def list_page() -> Response:
    """A page of the caller's executions; totals are counted up to 10,000, data are left out above 8 MB"""
    asked = page_request(SORTABLE, "createdAt", strict=False)
    found = executions.find(
        session(),
        current_user_id(),
        workflow_id=query_params.uuid("workflowId"),
        status=query_params.one_of(Status, "status"),
        page=asked.page,
        size=asked.size,
        sort=asked.sort,
        descending=asked.descending,
    )
    content = [execution_fields(row) | {"truncated": row in found.truncated} for row in found.rows]
    return jsonify(envelope(asked, content, found.total))


@blueprint.get("/<uuid:execution_id>")
@signed_in
def show(execution_id: UUID) -> Response:
    """Get an execution with the attempts of its steps; outputs above 8 MB are left out, and named"""
    whole = _whole(execution_id)
    again = [replay_fields(replay) for replay in executions.replays(session(), execution_id)]
    return jsonify(whole | _inside(execution_id, ROOT) | {"replays": again})


@blueprint.get("/<uuid:execution_id>/outputs/<key>")
@signed_in
def show_output(execution_id: UUID, key: str) -> Response:
    """Get what one step of an execution, or of one of its frames, gave"""
    frame = whole_number("frame", ROOT, ROOT, _MOST)
    if frame == ROOT:
        output = executions.output(session(), current_user_id(), execution_id, key)
    else:
        row = executions.get(session(), current_user_id(), execution_id)
        output = frames.output(session(), row.id, frame, key)
    return jsonify({"key": key, "frame": frame, "output": output})


@blueprint.post("/<uuid:execution_id>/replay")
@signed_in
def replay(execution_id: UUID) -> tuple[Response, int]:
    """Do an execution again: from its start, from the step that failed, or from any other"""
    asked = json_object() if request.get_data() else {}
    done = replays.replay(session(), backends(), current_user_id(), execution_id, asked)
    return jsonify(_replayed(done)), 202


@blueprint.post("/replay")
@signed_in
def replay_all() -> tuple[Response, int]:
    """Do many executions again, those that failed by default"""
    asked = json_object() if request.get_data() else {}
    done = replays.replay_all(session(), backends(), current_user_id(), asked)
    skipped = [{"executionId": one.execution_id, "why": one.why} for one in done.skipped]
    replayed = [_replayed(one) for one in done.replayed]
    return jsonify({"count": len(replayed), "replayed": replayed, "skipped": skipped}), 202


def _replayed(done: Replayed) -> dict[str, UUID]:
    return {"executionId": done.execution_id, "eventId": done.event_id, "replayOf": done.replay_of}


@blueprint.get("/<uuid:execution_id>/frames")
@signed_in
def list_frames(execution_id: UUID) -> Response:
    """The frames of a block, in order: items of a loop, or parallel branches; data are left out above 8 MB"""
    row = executions.get(session(), current_user_id(), execution_id)
    found = frames.page(
        session(),
        row.id,
        whole_number("blockFrame", 0, 0, _MOST),
        whole_number("blockStep", 0, 0, _MOST),
        after=whole_number("after", -1, -1, _MOST),
        size=whole_number("size", 50, 1, MAX_SIZE),
        status=query_params.one_of(FrameStatus, "status"),
    )
    return jsonify([frame_fields(frame) | {"truncated": frame in found.truncated} for frame in found.rows])


@blueprint.get("/<uuid:execution_id>/frames/<int:number>")
@signed_in
def show_frame(execution_id: UUID, number: int) -> Response:
    """One frame, with the attempts of its steps and the blocks in it; outputs above 8 MB are left out, and named"""
    row = executions.get(session(), current_user_id(), execution_id)
    frame = frames.whole(session(), row.id, min(number, _MOST))
    return jsonify(frame_fields(frame.row) | {"omittedOutputs": frame.omitted} | _inside(row.id, frame.row.number))


@blueprint.get("/<uuid:execution_id>/waits")
@signed_in
def list_waits(execution_id: UUID) -> Response:
    """What the execution waits for: calls and people"""
    row = executions.get(session(), current_user_id(), execution_id)
    links = backends().resume_links
    return jsonify(
        [
            {
                "stepIndex": wait.place.step_index,
                "iteration": wait.place.iteration,
                "for": wait.kind,
                "message": wait.message,
                "dueAt": wait.due_at,
                "url": links.url(wait.place),
            }
            for wait in waits.waiting(session(), row.id)
        ]
    )


def _inside(execution_id: UUID, frame: int) -> dict[str, Any]:
    attempts = frames.attempts(session(), execution_id, frame)
    blocks = frames.blocks(session(), execution_id, frame)
    return {
        "attempts": [attempt_fields(attempt) for attempt in attempts],
        "blocks": [block_fields(block) for block in blocks],
    }


@blueprint.post("/<uuid:execution_id>/cancel")
@signed_in
def cancel(execution_id: UUID) -> Response:
    """Cancel an execution; one that is over stays as it is"""
    executions.cancel(session(), backends(), current_user_id(), execution_id)
    return jsonify(_whole(execution_id))


def _whole(execution_id: UUID) -> dict[str, Any]:
    found = executions.whole(session(), current_user_id(), execution_id)
    return execution_fields(found.row) | {"omittedOutputs": found.omitted}
