"""/api/v1/executions: list, get, replay, cancel, frames, waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.accounts.scopes import Scope
from flowforge.execution.state import ROOT, FrameStatus, Status
from flowforge.executions import executions, frames, replays, waits
from flowforge.executions.executions import SORTABLE
from flowforge.executions.replay_requests import ReplayRequest, ReplaysRequest
from flowforge.executions.replays import Replayed, ReplayedAll
from flowforge.executions.views import DetailedExecutionView, DetailedFrameView, ListedFrameView, WholeExecutionView
from webapp.api import schemas
from webapp.api.paging import LARGEST_INTEGER, MAX_SIZE, Envelope, PageQuery, Sort, SortableBy
from webapp.context import backends, session
from webapp.endpoint import Answer, Tag, endpoint, object_body
from webapp.identity import current_user_id
from webapp.query_params import OneOf, Query, UuidOrNone, WholeNumber

blueprint = Blueprint("executions", __name__, url_prefix="/api/v1/executions")

_SORTABLE = SortableBy(("createdAt", *(name for name in SORTABLE if name != "createdAt")))
_IN_FRAME = "The frame in which the {} stands; 0: the workflow's own list."
Number = Annotated[int, WholeNumber(0, LARGEST_INTEGER, default=0)]


class ExecutionsQuery(PageQuery):
    workflow_id: UuidOrNone = Field(None, description="Only this workflow's.")
    status: Annotated[Status | None, OneOf(Status)] = Field(None, description="Only these.")
    sort: Annotated[Sort, _SORTABLE] = Field(default_factory=_SORTABLE.default)


class OutputQuery(Query):
    frame: Number = Field(ROOT, description=_IN_FRAME.format("step"))


class FramesQuery(Query):
    block_frame: Number = Field(ROOT, description=_IN_FRAME.format("block"))
    block_step: Number = Field(0, description="The block's step.")
    after: Annotated[int, WholeNumber(-1, LARGEST_INTEGER, default=-1)] = Field(
        -1, description="Only positions behind this one."
    )
    status: Annotated[FrameStatus | None, OneOf(FrameStatus)] = Field(None, description="Only these.")
    size: Annotated[int, WholeNumber(1, MAX_SIZE, default=50, shows_most=True)] = 50


@dataclass(frozen=True, slots=True)
class StepOutput:
    key: str
    frame: int
    output: object


@dataclass(frozen=True, slots=True)
class LinkedWait:
    """A wait, with the link that resumes it."""

    step_index: int
    iteration: int
    kind: str
    message: str | None
    due_at: datetime
    url: str


@blueprint.get("")
@endpoint(Tag.EXECUTIONS, schemas.ExecutionPage, query=ExecutionsQuery)
def list_page(query: ExecutionsQuery) -> Envelope:
    """A page of the caller's executions; totals are counted up to 10,000, another order than that of `createdAt` is one
    of the newest 10,000, data are left out above 8 MB"""
    found = executions.find(
        session(),
        current_user_id(),
        workflow_id=query.workflow_id,
        status=query.status,
        page=query.page,
        size=query.size,
        sort=query.sort.field,
        descending=query.sort.descending,
    )
    return Envelope(found.executions, query.page, query.size, found.total)


@blueprint.get("/<uuid:execution_id>")
@endpoint(Tag.EXECUTIONS, schemas.ExecutionWithAttempts)
def show(execution_id: UUID) -> DetailedExecutionView:
    """Get an execution with the attempts of its steps; outputs above 8 MB are left out, and named"""
    return executions.detailed(session(), current_user_id(), execution_id)


@blueprint.get("/<uuid:execution_id>/outputs/<key>")
@endpoint(Tag.EXECUTIONS, schemas.StepOutput, query=OutputQuery)
def show_output(execution_id: UUID, key: str, query: OutputQuery) -> StepOutput:
    """Get what one step of an execution, or of one of its frames, gave"""
    if query.frame == ROOT:
        return StepOutput(key, ROOT, executions.output(session(), current_user_id(), execution_id, key))
    row = executions.get(session(), current_user_id(), execution_id)
    return StepOutput(key, query.frame, frames.output(session(), row.id, query.frame, key))


@blueprint.post("/<uuid:execution_id>/replay")
@endpoint(
    Tag.EXECUTIONS,
    {202: Answer(schemas.Replayed, "Accepted: the execution will follow")},
    takes=object_body(schemas.ReplayRequest, ReplayRequest.read, may_be_absent=True),
    refuses=(409, 429),
    scope=Scope.RUN,
)
def replay(execution_id: UUID, body: ReplayRequest) -> Replayed:
    """Do an execution again: from its start, from the step that failed, or from any other"""
    return replays.replay(session(), backends(), current_user_id(), execution_id, body)


@blueprint.post("/replay")
@endpoint(
    Tag.EXECUTIONS,
    {202: Answer(schemas.ReplayedAll, "Accepted: the executions will follow")},
    takes=object_body(schemas.ReplaysRequest, ReplaysRequest.read, may_be_absent=True),
    refuses=(429,),
    scope=Scope.RUN,
)
def replay_all(body: ReplaysRequest) -> ReplayedAll:
    """Do many executions again, those that failed by default"""
    return replays.replay_all(session(), backends(), current_user_id(), body)


@blueprint.get("/<uuid:execution_id>/frames")
@endpoint(Tag.EXECUTIONS, [schemas.ListedFrame], query=FramesQuery)
def list_frames(execution_id: UUID, query: FramesQuery) -> Sequence[ListedFrameView]:
    """The frames of a block, in order: items of a loop, or parallel branches; data are left out above 8 MB"""
    row = executions.get(session(), current_user_id(), execution_id)
    block = row.id, query.block_frame, query.block_step
    return frames.page(session(), *block, after=query.after, size=query.size, status=query.status)


@blueprint.get("/<uuid:execution_id>/frames/<int:number>")
@endpoint(Tag.EXECUTIONS, schemas.FrameWithAttempts)
def show_frame(execution_id: UUID, number: int) -> DetailedFrameView:
    """One frame, with the attempts of its steps and the blocks in it; outputs above 8 MB are left out, and named"""
    row = executions.get(session(), current_user_id(), execution_id)
    return frames.detailed(session(), row.id, min(number, LARGEST_INTEGER))


@blueprint.get("/<uuid:execution_id>/waits")
@endpoint(Tag.EXECUTIONS, [schemas.OpenWait])
def list_waits(execution_id: UUID) -> list[LinkedWait]:
    """List the calls and people that the execution waits for"""
    row = executions.get(session(), current_user_id(), execution_id)
    return [_link(wait) for wait in waits.waiting(session(), row.id)]


@blueprint.post("/<uuid:execution_id>/cancel")
@endpoint(Tag.EXECUTIONS, schemas.WholeExecution, scope=Scope.RUN)
def cancel(execution_id: UUID) -> WholeExecutionView:
    """Cancel an execution; one that is over stays as it is"""
    executions.cancel(session(), backends(), current_user_id(), execution_id)
    return executions.whole(session(), current_user_id(), execution_id)


def _link(wait: waits.OpenWait) -> LinkedWait:
    key, url = wait.key, backends().resume_links.url(wait.key)
    return LinkedWait(key.step_index, key.iteration, wait.kind, wait.message, wait.due_at, url)
