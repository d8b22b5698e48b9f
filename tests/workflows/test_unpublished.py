"""A workflow that has never been published is a draft: disabled, listed by what stands in it, and enabled when it is
published."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Conflict, Invalid
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from flowforge.workflows.bundles import Bundles
from flowforge.workflows.changes import DraftChange, Publication, WorkflowChange
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.listing import ListedWorkflowView, WorkflowFilter, search
from flowforge.workflows.workflows import Workflows

STEP = {"id": "a", "type": "TRANSFORM", "config": {"output": {"x": 1}}}


@pytest.fixture
def drafts(backends: Backends) -> Drafts:
    triggers = Triggers(backends.settings, backends.vault)
    return Drafts(Workflows(load_catalog(), backends.vault, triggers))


def begin(drafts: Drafts, session: Session, user_id: UUID, **parts: Any) -> UUID:
    return drafts.begin(session, user_id, "Orders", {"name": "Orders", "trigger": {"type": "webhook"}, **parts}).id


def listed(session: Session, user_id: UUID, **wanted: Any) -> list[ListedWorkflowView]:
    return list(search(session, user_id, WorkflowFilter(**wanted)).rows)


def test_it_is_listed_with_the_name_the_trigger_and_the_steps_of_its_draft(
    drafts: Drafts, session: Session, user_id: UUID
) -> None:
    made = begin(drafts, session, user_id)
    renamed = {"name": "Large orders", "trigger": {"type": "Scheduler"}, "actions": [STEP, {"type": "nothing"}]}
    drafts.save(session, user_id, made, DraftChange(renamed, 1))
    [row] = listed(session, user_id)
    assert (row.name, row.trigger_type, row.steps) == ("Large orders", "scheduler", 2)
    assert (row.state, row.enabled, row.has_draft) == ("DRAFT", False, True)


@pytest.mark.parametrize("name", [None, "", 7, "x" * 300, ["a"]])
def test_a_name_that_cannot_be_used_leaves_the_former_one(
    drafts: Drafts, session: Session, user_id: UUID, name: Any
) -> None:
    made = begin(drafts, session, user_id)
    drafts.save(session, user_id, made, DraftChange({"name": name, "trigger": [], "actions": {}}, 1))
    assert [(row.name, row.trigger_type, row.steps) for row in listed(session, user_id)] == [("Orders", "manual", 0)]


def test_publishing_enables_it_and_what_is_changed_afterwards_stays_enabled(
    drafts: Drafts, session: Session, user_id: UUID
) -> None:
    made = begin(drafts, session, user_id, actions=[STEP])
    published = drafts.publish(session, user_id, made, Publication())
    assert (published.enabled, published.is_draft) == (True, False)
    assert [version.number for version in drafts.workflows.versions(session, user_id, made)] == [1]
    drafts.save(session, user_id, made, DraftChange({"name": "Other", "trigger": None, "actions": []}))
    [row] = listed(session, user_id)
    assert (row.name, row.state, row.has_draft, row.steps) == ("Orders", "ENABLED", True, 1)


def test_one_that_was_disabled_stays_so_when_it_is_published_again(
    drafts: Drafts, session: Session, user_id: UUID
) -> None:
    made = begin(drafts, session, user_id, actions=[STEP])
    drafts.publish(session, user_id, made, Publication())
    drafts.workflows.update(session, user_id, made, WorkflowChange(enabled=False))
    drafts.save(session, user_id, made, DraftChange({"name": "Orders", "trigger": None, "actions": []}))
    assert not drafts.publish(session, user_id, made, Publication()).enabled


def test_nothing_enables_starts_or_discards_a_draft_but_publishing(
    drafts: Drafts, session: Session, user_id: UUID, backends: Backends
) -> None:
    made = begin(drafts, session, user_id, actions=[{"type": "SLACK_MESSAGE"}])
    with pytest.raises(Conflict, match="draft"):
        drafts.workflows.update(session, user_id, made, WorkflowChange(enabled=True))
    with pytest.raises(Conflict, match="draft"):
        drafts.workflows.start(session, backends.bus, user_id, made, {})
    with pytest.raises(Conflict, match="never been published"):
        drafts.discard(session, user_id, made)
    session.rollback()
    with pytest.raises(Invalid):
        drafts.publish(session, user_id, made, Publication())
    session.rollback()
    assert [row.state for row in listed(session, user_id)] == ["DRAFT"]


def test_drafts_are_found_by_their_state_and_left_out_of_exports(
    drafts: Drafts, session: Session, user_id: UUID
) -> None:
    begin(drafts, session, user_id)
    change = WorkflowChange({"name": "Live", "actions": []})
    drafts.workflows.create(session, user_id, change)
    assert [row.name for row in listed(session, user_id, draft=True)] == ["Orders"]
    assert [row.name for row in listed(session, user_id, draft=False)] == ["Live"]
    assert [document.definition["name"] for document in Bundles(drafts.workflows).export(session, user_id, ())] == [
        "Live"
    ]
