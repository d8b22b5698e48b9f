"""Doing executions again: from their start, from the step that failed, or from any other, with what was recorded
before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from flowforge import events, jsonio
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.bus import Message
from flowforge.db.tables import ExecutionRow, Workflow
from flowforge.engine import intake
from flowforge.engine.announcements import announce_quietly
from flowforge.engine.plans import Plans
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.events import TriggerEvent
from flowforge.execution.state import Status
from flowforge.executions.replay_requests import ReplayRequest, ReplaysRequest
from flowforge.field_order import order_of
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.language.plan import Plan, Step
from flowforge.sentences import sentence
from flowforge.wiring import Backends

REPLAY = "replay"
"""The trigger type of an execution that does another again."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A new execution, and the one it does again."""

    execution_id: UUID
    event_id: UUID
    replay_of: UUID


def replay(
    session: Session,
    backends: Backends,
    user_id: UUID,
    execution_id: UUID,
    request: ReplayRequest,
    version_id: UUID | None = None,
) -> Replayed:
    """Do one execution again. `version_id`: the version that runs, whatever the request chooses. Commits. Raises
    NotFound, Invalid for a step that is not there, Conflict for an execution that is not over, and OverQuota."""
    intake.require_room(session.connection(), user_id)
    found = _sources(session, user_id, ExecutionRow.id == execution_id)
    if not found:
        raise NotFound(sentence("there is no such execution, or its workflow is gone"))
    [source] = found
    if not Status(source.status).terminal:
        raise Conflict(sentence("the execution is not over; cancel it to replay it"))
    chosen = version_id or _version_of(source, request.version)
    plans = _Plans(session.connection(), source.version_id, chosen)
    new = _new_replay(source, request.from_, chosen, plans)
    record(session, Action.EXECUTION_REPLAYED, by=user_id, on=execution_id, replay=str(new.ids.execution_id))
    [done] = _store(session, backends, [new], request.payload)
    return done


@dataclass(frozen=True, slots=True)
class Skipped:
    """An execution that cannot be replayed as requested, and why."""

    execution_id: UUID
    why: str


@dataclass(frozen=True, slots=True)
class ReplayedAll:
    replayed: Sequence[Replayed]
    skipped: Sequence[Skipped]

    @property
    def count(self) -> int:
        return len(self.replayed)


def replay_all(session: Session, backends: Backends, user_id: UUID, request: ReplaysRequest) -> ReplayedAll:
    """Do many executions again. Those whose step is not there any more are skipped. Commits. Raises
    OverQuota."""
    intake.require_room(session.connection(), user_id)
    wanted = [ExecutionRow.status == request.status]
    wanted += [ExecutionRow.workflow_id == request.workflow_id] if request.workflow_id else []
    wanted += [ExecutionRow.created_at >= request.since] if request.since else []
    wanted += [ExecutionRow.created_at < request.until] if request.until else []
    sources = _sources(session, user_id, *wanted, limit=request.limit)
    plans = _Plans(session.connection(), *(id_ for source in sources for id_ in (source.version_id, source.latest)))
    rows, skipped = [], []
    for source in sources:
        try:
            chosen = _version_of(source, request.version)
            rows.append(_new_replay(source, _start_of(source, request.from_), chosen, plans))
        except Invalid as error:
            skipped.append(Skipped(source.id, error.problems[0].message))
    if rows:
        record(session, Action.EXECUTIONS_REPLAYED, by=user_id, on=request.workflow_id, executions=len(rows))
    return ReplayedAll(_store(session, backends, rows, None), skipped)


def _sources(session: Session, user_id: UUID, *wanted: Any, limit: int = 1) -> Sequence[Any]:
    """Find the executions to replay, without their data; one whose workflow is gone cannot be replayed."""
    row = ExecutionRow
    return session.execute(
        select(row.id, row.workflow_id, row.status, row.version_id, row.error, Workflow.version_id.label("latest"))
        .join(Workflow, (Workflow.id == row.workflow_id) & (Workflow.user_id == user_id))
        .where(row.user_id == user_id, *wanted)
        .order_by(row.created_at.desc())
        .limit(limit)
    ).all()


def _start_of(source: Any, wanted: str) -> str | int:
    """Choose the start of the replay: a failure that is no step's, such as a time limit, is replayed from the start."""
    return wanted if wanted == "start" or "stepIndex" in (source.error or {}) else "start"


class _Plans:
    """Plans of all versions that are named: one statement."""

    def __init__(self, connection: Connection, *version_ids: UUID | None) -> None:
        self._versions = Plans().get(connection, {id_ for id_ in version_ids if id_})

    def of(self, version_id: UUID | None) -> Plan | None:
        version = self._versions.get(version_id) if version_id else None
        return version.plan if version else None


@dataclass(frozen=True, slots=True)
class _NewReplay:
    """An execution that is about to be stored; `from_step` is None for one from the start."""

    ids: Replayed
    from_step: int | None
    version_id: UUID | None

    def record(self) -> JsonObject:
        """Writes it as `_store` reads it."""
        source = self.ids.replay_of
        replay = {"executionId": source, "fromStep": self.from_step, "versionId": self.version_id}
        return {
            "event_id": self.ids.event_id,
            "execution_id": self.ids.execution_id,
            "source": source,
            "replay": replay,
        }


def _version_of(source: Any, wanted: str) -> UUID | None:
    chosen: UUID | None = source.latest if wanted == "latest" or source.version_id is None else source.version_id
    return chosen


def _new_replay(source: Any, start: str | int, version_id: UUID | None, plans: _Plans) -> _NewReplay:
    """Raises Invalid where there is no such step."""
    step = _step(source, start, plans.of(version_id), plans.of(source.version_id))
    return _NewReplay(Replayed(uuid7(), uuid7(), source.id), step.index if step else None, version_id)


def _step(source: Any, start: str | int, plan: Plan | None, before: Plan | None) -> Step | None:
    """Find the step to begin with, in the plan that will run; None for its start. Raises Invalid."""
    if start == "start" or plan is None:
        return None
    if start == "failed":
        index = (source.error or {}).get("stepIndex")
        failed = before.step(index) if before and isinstance(index, int) else None
        if failed is None:
            raise Invalid.at("/from", sentence("no step of this execution has failed"))
        start = failed.id
    names = plan.names()
    index = start if isinstance(start, int) else names.get(start, int(start) if start.isdecimal() else -1)
    step = plan.step(index)
    if step is None:
        raise Invalid.at("/from", sentence("there is no step '%(start)s' that could run", start=start))
    return _outermost(step)


def _outermost(step: Step) -> Step:
    """A step inside a loop or a parallel branch cannot be begun alone: the block around it is."""
    found, body = step, step.body
    while body.owner is not None:
        if body.kind.has_frames:
            found = body.owner
        body = body.owner.body
    return found


def _store(
    session: Session, backends: Backends, rows: Sequence[_NewReplay], payload: JsonObject | None
) -> list[Replayed]:
    if not rows:
        return []
    stored = (
        session.connection()
        .exec_driver_sql(
            """
        WITH rows AS (
            SELECT r.*, x.event_id AS source_event, x.workflow_id, x.user_id, x.trigger_payload,
                   x.payload_order
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS r(event_id uuid, execution_id uuid, source uuid, replay jsonb)
            JOIN orchestrator.workflow_executions x ON x.id = r.source
        ), files AS (
            INSERT INTO files.uses (holder_id, file_id)
            SELECT DISTINCT rows.event_id, held.file_id FROM rows
            JOIN files.uses held ON held.holder_id IN (rows.source, rows.source_event)
        )
        INSERT INTO trigger_service.trigger_events
            (id, workflow_id, user_id, trigger_type, payload, payload_order, metadata, execution_id, replay, created_at)
        SELECT event_id, workflow_id, user_id, %(type)s, COALESCE(%(payload)s::jsonb, trigger_payload, '{}'),
               CASE WHEN %(payload)s IS NULL THEN payload_order ELSE NULLIF(%(order)s::jsonb, 'null') END,
               jsonb_build_object('source', %(type)s, 'executionId', source), execution_id, replay, now()
        FROM rows
        RETURNING id, workflow_id, user_id, created_at
        """,
            {
                "type": REPLAY,
                "payload": None if payload is None else jsonio.dumps_for_database(payload),
                "order": jsonio.dumps_for_database(order_of(payload)),
                "rows": jsonio.dumps([row.record() for row in rows]).decode(),
            },
        )
        .all()
    )
    session.commit()
    announce_quietly(backends.bus, [_announcement(row) for row in stored])
    return [row.ids for row in rows]


def _announcement(row: Any) -> Message:
    """Build the message that announces a replay by reference: payloads may be large, and there may be many."""
    event = TriggerEvent(
        event_id=row.id,
        workflow_id=row.workflow_id,
        user_id=row.user_id,
        trigger_type=REPLAY,
        timestamp=row.created_at,
        metadata={"source": REPLAY},
        by_reference=True,
    )
    return Message.of(events.TRIGGER_EVENTS, event)
