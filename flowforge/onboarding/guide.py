"""The guided first workflow: webhook, condition, action, a test, and the first real call.

How far somebody got is read off the workflow and its executions each time: whatever they do, and wherever, counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, GuideRow, WorkflowVersion
from flowforge.language.blocks import BLOCKS
from flowforge.preview import expression_context
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.views import WorkflowView

EXAMPLE: Mapping[str, Any] = {"method": "POST", "body": {"customer": "Ada", "total": 240}}
"""An example of a call, for people who cannot call the address just now."""
_LOOKED_AT = 20
"""The number of newest executions that are looked at: there are few, and one is enough."""
TITLES = {
    "sample": "Send a test request",
    "decide": "Add a condition",
    "act": "Choose what happens",
    "test": "Test it",
    "publish": "Publish it",
    "call": "Call the webhook URL",
}


@dataclass(frozen=True, slots=True)
class GuideStep:
    name: str
    title: str
    done: bool


@dataclass(frozen=True, slots=True)
class Guide:
    workflow_id: UUID
    steps: Sequence[GuideStep]

    @property
    def current(self) -> GuideStep | None:
        """The next step to do; None where all are done."""
        return next((step for step in self.steps if not step.done), None)

    @property
    def next(self) -> str | None:
        """The name of the current step."""
        return self.current.name if self.current else None

    @property
    def done(self) -> int:
        return sum(step.done for step in self.steps)


def begin(session: Session, drafts: Drafts, user_id: UUID) -> UUID:
    """The workflow to build: the one that is being built already, else a new one. Commits."""
    there = _workflow_of(session, user_id)
    if there is not None:
        return there
    name = "My first workflow"
    made = drafts.begin(session, user_id, name, {"name": name, "trigger": {"type": "webhook"}, "actions": []})
    row = insert(GuideRow).values(user_id=user_id, workflow_id=made.id)
    session.execute(row.on_conflict_do_update(index_elements=["user_id"], set_={"workflow_id": made.id}))
    session.commit()
    return made.id


def end(session: Session, user_id: UUID) -> None:
    """The workflow stays; the guide leaves. Commits."""
    session.execute(delete(GuideRow).where(GuideRow.user_id == user_id))
    session.commit()


def guide_of(session: Session, drafts: Drafts, user_id: UUID) -> Guide | None:
    """Find the user's guide; None where the user is not being guided. Raises Conflict where the draft cannot be
    read."""
    workflow_id = _workflow_of(session, user_id)
    if workflow_id is None:
        return None
    shown = drafts.get(session, user_id, workflow_id)
    workflow = drafts.workflows.get(session, user_id, workflow_id)
    return guide_through(session, workflow, shown.definition, wrong=bool(shown.problems))


def guide_to(session: Session, workflow: WorkflowView, definition: Mapping[str, Any], *, wrong: bool) -> Guide | None:
    """Find the guide for a page that has loaded this workflow already; None where it is not the guided one."""
    guided = session.get(GuideRow, workflow.user_id)
    if guided is None or guided.workflow_id != workflow.id:
        return None
    return guide_through(session, workflow, definition, wrong=wrong)


def guide_through(session: Session, workflow: WorkflowView, definition: Mapping[str, Any], *, wrong: bool) -> Guide:
    """`definition`: what is being built; `wrong`: whether it cannot be published as it is."""
    is_of_draft = and_(WorkflowVersion.id.is_not(None), WorkflowVersion.number.is_(None))
    recent = session.execute(
        select(ExecutionRow.trigger_type, ExecutionRow.status, is_of_draft)
        .outerjoin(WorkflowVersion, WorkflowVersion.id == ExecutionRow.version_id)
        .where(ExecutionRow.workflow_id == workflow.id, ExecutionRow.step_outputs != {})
        .order_by(ExecutionRow.created_at.desc())
        .limit(_LOOKED_AT)
    ).all()
    decisions = list(_decisions(definition.get("actions")))
    done = {
        "sample": expression_context.sample(session, workflow.id) is not None,
        "decide": bool(decisions),
        "act": any(_acts(branch.get("actions")) for branch in decisions) and not wrong,
        "test": bool(recent),
        "publish": any(True for _ in _decisions(workflow.actions)),
        "call": any(_is_real_call(*row) for row in recent),
    }
    return Guide(workflow.id, [GuideStep(name, title, done[name]) for name, title in TITLES.items()])


def _workflow_of(session: Session, user_id: UUID) -> UUID | None:
    return session.scalar(select(GuideRow.workflow_id).where(GuideRow.user_id == user_id))


def _is_real_call(trigger_type: str | None, status: str, is_of_draft: bool) -> bool:
    """Whether a webhook has started what is published, not a draft, and it has run."""
    return trigger_type == "webhook" and status == "COMPLETED" and not is_of_draft


def _decisions(actions: Any) -> Iterator[Mapping[str, Any]]:
    """The branches that look at what came in."""
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict) and _has_conditions(action):
            for branch in action.get("branches") or ():
                if isinstance(branch, dict) and "trigger" in str(branch.get("when", "")):
                    yield branch


def _has_conditions(action: Mapping[str, Any]) -> bool:
    block = BLOCKS.get(str(action.get("type", "")).upper())
    return block is not None and block.bodies.has_conditions


def _acts(actions: Any) -> bool:
    """Whether any action does more than steering."""
    listed = actions if isinstance(actions, list) else []
    return any(isinstance(action, dict) and str(action.get("type", "")).upper() not in BLOCKS for action in listed)
