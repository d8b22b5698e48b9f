"""The list of workflows as people look through it: found by name, tag, folder and state, in an order of their choice,
each with its recent runs.

Pages follow each other by key; the number of statements is the same for one workflow and for a thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from flowforge.db import like_patterns
from flowforge.db.executions_of import is_of
from flowforge.db.tables import ExecutionRow, Workflow, WorkflowDraft, WorkflowTag
from flowforge.errors import NotFound
from flowforge.sentences import sentence
from flowforge.triggers.kinds.manual import MANUAL
from flowforge.workflows import folders, tags

WorkflowState = Literal["DRAFT", "ENABLED", "DISABLED"]

PAGE_SIZE = 30
RUNS_SHOWN = 20
LONGEST_TEXT = 200
MOST_CHOICES = 500


@dataclass(frozen=True, slots=True)
class Run:
    """One bar of a sparkline."""

    id: UUID
    status: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class ListedWorkflowView:
    id: UUID
    name: str
    enabled: bool
    created_at: datetime
    trigger_type: str
    steps: int
    is_draft: bool
    """Whether it has never been published: trigger and steps are those of its draft."""
    has_draft: bool
    """Whether it has changes that are not published."""
    changed_at: datetime
    """The latest change of what is published, or of the draft."""
    folder: str | None
    runs: Sequence[Run]
    """The newest runs, oldest first, at most RUNS_SHOWN."""
    tags: Sequence[str]

    @property
    def state(self) -> WorkflowState:
        return "DRAFT" if self.is_draft else "ENABLED" if self.enabled else "DISABLED"

    @property
    def last(self) -> Run | None:
        return self.runs[-1] if self.runs else None


class Sort(StrEnum):
    """Values by which the list can be ordered."""

    CREATED = "created"
    NAME = "name"
    LAST_RUN = "lastRun"
    CHANGED = "changed"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Order:
    by: Sort = Sort.CREATED
    descending: bool = True

    def columns(self, *columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> list[ColumnElement[Any]]:
        return [column.desc() if self.descending else column.asc() for column in columns]


@dataclass(frozen=True, slots=True)
class WorkflowFilter:
    """All optional; `text` is a part of the name, `folder` holds for the folders within it, too."""

    text: str = ""
    enabled: bool | None = None
    draft: bool | None = None
    tag: str | None = None
    folder: str | None = None


_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
ALL = WorkflowFilter()
NEWEST_FIRST = Order()


@dataclass(frozen=True, slots=True)
class WorkflowPage:
    rows: Sequence[ListedWorkflowView]
    after: UUID | None
    """Give it to get the next page; None on the last one."""


def search(
    session: Session,
    user_id: UUID,
    wanted: WorkflowFilter = ALL,
    order: Order = NEWEST_FIRST,
    *,
    after: UUID | None = None,
    size: int = PAGE_SIZE,
) -> WorkflowPage:
    """List workflows. Three statements, four with `after`. Raises NotFound for an `after` that is no workflow of the
    user's."""
    key = _KEYS[order.by]()
    keys = select(Workflow.id, key.label("key")).where(*_conditions(user_id, wanted))
    if after is not None:
        here, there = tuple_(key, Workflow.id), _position_of(session, user_id, key, after)
        keys = keys.where(here < there if order.descending else here > there)
    page = keys.order_by(*order.columns(key, Workflow.id)).limit(size + 1).subquery()
    listed = _listed().join(page, page.c.id == Workflow.id).order_by(*order.columns(page.c.key, page.c.id))
    found = session.execute(listed).all()
    rows = found[:size]
    ids = [row.id for row in rows]
    runs, tagged_with = recent_runs(session, user_id, ids), tags.of_workflows(session, user_id, ids)
    listed_rows = [
        ListedWorkflowView(*row, runs=runs.get(row.id, ()), tags=tagged_with.get(row.id, ())) for row in rows
    ]
    return WorkflowPage(listed_rows, ids[-1] if len(found) > size else None)


def count(session: Session, user_id: UUID, wanted: WorkflowFilter = ALL) -> int:
    return session.scalar(select(func.count()).where(*_conditions(user_id, wanted))) or 0


def has_any(session: Session, user_id: UUID) -> bool:
    return session.scalar(select(Workflow.id).where(Workflow.user_id == user_id).limit(1)) is not None


def choices(session: Session, user_id: UUID) -> Sequence[tuple[UUID, str]]:
    """Id and name of each, by the alphabet, to choose from; the first MOST_CHOICES."""
    mine = select(Workflow.id, Workflow.name).where(Workflow.user_id == user_id)
    rows = session.execute(mine.order_by(func.lower(Workflow.name), Workflow.id).limit(MOST_CHOICES))
    return [(row.id, row.name) for row in rows]


def named(session: Session, user_id: UUID, words: Sequence[str], size: int) -> Sequence[tuple[UUID, str]]:
    """Id and name of those whose names have all the words, newest first; at most `size`."""
    patterns = [f"%{like_patterns.literal(word[:LONGEST_TEXT])}%" for word in words]
    mine = select(Workflow.id, Workflow.name).where(
        Workflow.user_id == user_id, *(Workflow.name.ilike(pattern, escape="\\") for pattern in patterns)
    )
    rows = session.execute(mine.order_by(Workflow.created_at.desc(), Workflow.id.desc()).limit(size))
    return [(row.id, row.name) for row in rows]


def recent_runs(session: Session, user_id: UUID, workflow_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Run]]:
    """The newest RUNS_SHOWN of each, oldest first: one look into an index for each, in one statement."""
    if not workflow_ids:
        return {}
    wanted = bindparam("wanted", list(workflow_ids), ARRAY(Uuid()))
    listed = func.unnest(wanted).table_valued("id", with_ordinality="ordinal", name="listed").render_derived()
    newest = (
        select(ExecutionRow.id, ExecutionRow.status, ExecutionRow.created_at, ExecutionRow.finished_at)
        .where(is_of(user_id, listed.c.id))
        .order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc())
        .limit(RUNS_SHOWN)
        .lateral()
    )
    statement = select(listed.c.ordinal, newest).select_from(listed).join(newest, true())
    runs: dict[UUID, list[Run]] = {}
    for ordinal, *run in session.execute(statement):  # its id in every row would take longer to read than all the rest
        runs.setdefault(workflow_ids[ordinal - 1], []).append(Run(*run))
    return {workflow_id: sorted(found, key=lambda run: (run.created_at, run.id)) for workflow_id, found in runs.items()}


def _listed() -> Select[UUID, str, bool, datetime, str, int, bool, bool, datetime, str | None]:
    """Build the query for a list; it reads only the parts of a definition that the list shows, since definitions may be
    long."""
    is_list = func.jsonb_typeof(Workflow.actions_definition) == literal("array")
    trigger_type = func.lower(func.coalesce(cast(Workflow.trigger_definition["type"].astext, Text), MANUAL))
    steps = case((is_list, func.jsonb_array_length(Workflow.actions_definition)), else_=0)
    return select(
        Workflow.id,
        Workflow.name,
        Workflow.enabled,
        Workflow.created_at,
        case((Workflow.is_draft, func.coalesce(WorkflowDraft.trigger_type, MANUAL)), else_=trigger_type),
        case((Workflow.is_draft, func.coalesce(WorkflowDraft.steps, 0)), else_=steps),
        Workflow.is_draft,
        WorkflowDraft.id.is_not(None),
        func.greatest(Workflow.updated_at, WorkflowDraft.updated_at),
        Workflow.folder,
    ).outerjoin(WorkflowDraft, WorkflowDraft.id == Workflow.id)


def _conditions(user_id: UUID, wanted: WorkflowFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Workflow.user_id == user_id]
    if text := wanted.text.strip()[:LONGEST_TEXT]:
        conditions.append(Workflow.name.ilike(f"%{like_patterns.literal(text)}%", escape="\\"))
    if wanted.enabled is not None:
        conditions.append(Workflow.enabled.is_(wanted.enabled))
    if wanted.draft is not None:
        conditions.append(Workflow.is_draft == wanted.draft)
    if wanted.tag:
        tagged = select(WorkflowTag.workflow_id).where(
            WorkflowTag.user_id == user_id, WorkflowTag.tag == wanted.tag.lower()
        )
        conditions.append(Workflow.id.in_(tagged))
    if wanted.folder:
        conditions.append(folders.is_within(wanted.folder))
    return conditions


def _last_run() -> ColumnElement[Any]:
    """The start of the latest run; of one that has none, before all others. One look into an index."""
    latest = (
        select(ExecutionRow.created_at)
        .where(ExecutionRow.workflow_id == Workflow.id)
        .order_by(ExecutionRow.created_at.desc(), ExecutionRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(latest, _NEVER)


def _changed() -> ColumnElement[Any]:
    drafted = select(WorkflowDraft.updated_at).where(WorkflowDraft.id == Workflow.id).scalar_subquery()
    return func.greatest(Workflow.updated_at, drafted)


def _state() -> ColumnElement[Any]:
    """Enabled workflows, then disabled ones, then drafts."""
    return case((Workflow.is_draft, 2), (Workflow.enabled, 0), else_=1)


_KEYS: Mapping[Sort, Callable[[], ColumnElement[Any] | InstrumentedAttribute[Any]]] = {
    Sort.CREATED: lambda: Workflow.created_at,
    Sort.NAME: lambda: func.lower(Workflow.name),
    Sort.LAST_RUN: _last_run,
    Sort.CHANGED: _changed,
    Sort.STATE: _state,
}


def _position_of(
    session: Session, user_id: UUID, key: ColumnElement[Any] | InstrumentedAttribute[Any], workflow_id: UUID
) -> tuple[Any, UUID]:
    mine = select(key).where(Workflow.id == workflow_id, Workflow.user_id == user_id)
    found = session.execute(mine).first()
    if found is None:
        raise NotFound(sentence("there is no such workflow to go on behind"))
    return found[0], workflow_id
