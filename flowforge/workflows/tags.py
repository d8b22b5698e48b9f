"""Words by which people find their workflows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.db.tables import Workflow, WorkflowTag
from flowforge.errors import Invalid, NotFound
from flowforge.sentences import sentence

MOST_TAGS = 20
LONGEST_TAG = 40
MOST_LISTED = 200


def read(wanted: object) -> list[str]:
    """Read a list of tags: in lower case, each once, sorted. Raises Invalid."""
    if not isinstance(wanted, list) or not all(isinstance(tag, str) for tag in wanted):
        raise Invalid.at("/tags", sentence("must be a list of texts"))
    tags = sorted({*map(_normal, wanted)} - {""})
    if len(tags) > MOST_TAGS:
        raise Invalid.at("/tags", sentence("must be at most %(most)s", most=MOST_TAGS))
    if any(len(tag) > LONGEST_TAG or not tag.isprintable() for tag in tags):
        raise Invalid.at("/tags", sentence("must each have at most %(most)s printable characters", most=LONGEST_TAG))
    return tags


def read_one(wanted: object) -> str:
    """Read one tag, in lower case. Raises Invalid."""
    tag = _normal(wanted) if isinstance(wanted, str) else ""
    if not 1 <= len(tag) <= LONGEST_TAG or not tag.isprintable():
        raise Invalid.at("/tag", sentence("must be a word of at most %(most)s printable characters", most=LONGEST_TAG))
    return tag


def replace(session: Session, user_id: UUID, workflow_id: UUID, tags: Sequence[str]) -> None:
    """Replace the workflow's tags by those that `read` gave. Commits. Raises NotFound."""
    mine = select(Workflow.id).where(Workflow.id == workflow_id, Workflow.user_id == user_id)
    if session.scalar(mine.with_for_update(key_share=True)) is None:
        raise NotFound(sentence("there is no such workflow"))
    session.execute(delete(WorkflowTag).where(WorkflowTag.workflow_id == workflow_id, WorkflowTag.tag.not_in(tags)))
    if tags:
        rows = [{"workflow_id": workflow_id, "tag": tag, "user_id": user_id} for tag in tags]
        session.execute(insert(WorkflowTag).values(rows).on_conflict_do_nothing())
    session.commit()


def add(session: Session, user_id: UUID, workflow_ids: Sequence[UUID], tag: str) -> Sequence[UUID]:
    """Give workflows a tag that `read` gave; returns those that did not have it. Commits. Raises Invalid for one that
    has MOST_TAGS already."""
    mine = select(Workflow.id).where(Workflow.user_id == user_id, Workflow.id.in_(workflow_ids)).order_by(Workflow.id)
    ids = session.scalars(mine.with_for_update(key_share=True)).all()
    new = insert(WorkflowTag).values([{"workflow_id": id_, "tag": tag, "user_id": user_id} for id_ in ids])
    added = session.scalars(new.on_conflict_do_nothing().returning(WorkflowTag.workflow_id)).all() if ids else []
    _refuse_too_many(session, added)
    session.commit()
    return added


def remove(session: Session, user_id: UUID, workflow_ids: Sequence[UUID], tag: str) -> Sequence[UUID]:
    """Take a tag from workflows; returns those that had it. Commits."""
    which = WorkflowTag.user_id == user_id, WorkflowTag.workflow_id.in_(workflow_ids), WorkflowTag.tag == tag
    removed = session.scalars(delete(WorkflowTag).where(*which).returning(WorkflowTag.workflow_id)).all()
    session.commit()
    return removed


def _refuse_too_many(session: Session, workflow_ids: Sequence[UUID]) -> None:
    counted = select(WorkflowTag.workflow_id).where(WorkflowTag.workflow_id.in_(workflow_ids))
    too_many = counted.group_by(WorkflowTag.workflow_id).having(func.count() > MOST_TAGS).limit(1)
    if session.scalar(too_many) is not None:
        session.rollback()
        raise Invalid.at("/tag", sentence("must not be added to a workflow that has %(most)s already", most=MOST_TAGS))


def all_of(session: Session, user_id: UUID) -> Sequence[str]:
    """List every tag of the user, in alphabetical order."""
    mine = select(WorkflowTag.tag).where(WorkflowTag.user_id == user_id).distinct()
    return session.scalars(mine.order_by(WorkflowTag.tag).limit(MOST_LISTED)).all()


def of_workflows(session: Session, user_id: UUID, workflow_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[str]]:
    """Find the tags of each workflow, in alphabetical order."""
    if not workflow_ids:
        return {}
    rows = session.execute(
        select(WorkflowTag.workflow_id, WorkflowTag.tag)
        .where(WorkflowTag.user_id == user_id, WorkflowTag.workflow_id.in_(workflow_ids))
        .order_by(WorkflowTag.tag)
    )
    found: dict[UUID, list[str]] = {}
    for workflow_id, tag in rows:
        found.setdefault(workflow_id, []).append(tag)
    return dict(found)


def _normal(tag: str) -> str:
    return " ".join(tag.lower().split())
