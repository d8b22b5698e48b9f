"""Deleted workflows come back as they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import load_catalog
from flowforge.db.engine import transaction
from flowforge.db.sealed import reseal
from flowforge.db.tables import DeletedWorkflow, TriggerRegistration, WorkflowVersion
from flowforge.engine.pruning import DELETED_WORKFLOWS_KEPT, prune
from flowforge.errors import Conflict, NotFound
from flowforge.ids import uuid7
from flowforge.jsonio import JsonObject
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from flowforge.workflows import deleted_workflows, folders, pins, tags
from flowforge.workflows.changes import DraftChange, WorkflowChange
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.workflows import Workflows

DEFINITION = {
    "name": "Orders",
    "trigger": {"type": "webhook", "config": {"auth": "github", "secret": "whsec_17 4"}},
    "actions": [{"id": "say", "type": "TRANSFORM", "config": {"output": {"z": 1, "a": 9007199254740993}}}],
}


@pytest.fixture
def workflows(backends: Backends) -> Workflows:
    return Workflows(load_catalog(), backends.vault, Triggers(backends.settings, backends.vault))


def registrations(session: Session, workflow_id: UUID) -> list[dict[str, Any]]:
    rows = session.scalars(select(TriggerRegistration).where(TriggerRegistration.workflow_id == workflow_id))
    return [{column.key: getattr(row, column.key) for column in TriggerRegistration.__table__.columns} for row in rows]


def test_a_workflow_comes_back_with_all_that_it_had(
    workflows: Workflows, session: Session, user_id: UUID, backends: Backends
) -> None:
    made = workflows.create(session, user_id, WorkflowChange.read(DEFINITION))
    drafts = Drafts(workflows)
    drafts.save(session, user_id, made.id, DraftChange({**made.definition, "name": "Orders, later"}))
    tags.replace(session, user_id, made.id, ["shop"])
    folders.move(session, user_id, [made.id], "a/b")
    before = workflows.get(session, user_id, made.id), registrations(session, made.id)
    draft = drafts.clear(session, user_id, made.id)

    workflows.delete(session, user_id, made.id)
    with pytest.raises(NotFound):
        workflows.get(session, user_id, made.id)
    assert registrations(session, made.id) == []
    [listed] = deleted_workflows.list_deleted(session, user_id)
    assert (listed.id, listed.name) == (made.id, "Orders")

    assert deleted_workflows.restore(session, backends.settings, user_id, made.id) == "Orders"
    session.expire_all()
    assert (workflows.get(session, user_id, made.id), registrations(session, made.id)) == before
    assert drafts.clear(session, user_id, made.id) == draft
    assert tags.of_workflows(session, user_id, [made.id]) == {made.id: ["shop"]}
    assert deleted_workflows.list_deleted(session, user_id) == []


def test_it_comes_back_after_an_upgrade_that_added_columns(
    workflows: Workflows, session: Session, user_id: UUID, backends: Backends
) -> None:
    made = workflows.create(session, user_id, WorkflowChange.read(DEFINITION))
    pins.pin(session, made.id, "say", {"z": 2})
    workflows.delete(session, user_id, made.id)
    session.execute(text("UPDATE workflow.deleted_workflows SET kept = kept #- '{workflow.pinned_outputs,0,of_test}'"))
    session.expire_all()
    deleted_workflows.restore(session, backends.settings, user_id, made.id)
    assert pins.pinned_outputs(session, made.id) == {"say": {"z": 2}}


def test_its_secrets_get_under_a_new_key_while_it_is_kept(
    workflows: Workflows, session: Session, user_id: UUID, backends: Backends
) -> None:
    made = workflows.create(session, user_id, WorkflowChange.read(DEFINITION))
    workflows.delete(session, user_id, made.id)
    kept = session.scalar(select(DeletedWorkflow.kept))
    reseal(backends.engine, backends.vault)
    session.expire_all()
    assert session.scalar(select(DeletedWorkflow.kept)) != kept
    deleted_workflows.restore(session, backends.settings, user_id, made.id)
    [row] = registrations(session, made.id)
    assert workflows.triggers.opened(row["configuration"])["secret"] == "whsec_17 4"


def test_what_was_due_meanwhile_is_not_made_up_for(
    workflows: Workflows, session: Session, user_id: UUID, backends: Backends
) -> None:
    schedule: JsonObject = {"name": "Hourly", "trigger": {"type": "scheduler"}, "actions": []}
    made = workflows.create(session, user_id, WorkflowChange.read(schedule))
    past = datetime.now(UTC) - timedelta(hours=3)
    session.execute(update(TriggerRegistration).values(next_scheduled_at=past))
    workflows.delete(session, user_id, made.id)
    deleted_workflows.restore(session, backends.settings, user_id, made.id)
    [row] = registrations(session, made.id)
    assert row["next_scheduled_at"] > datetime.now(UTC)


def test_nobody_else_restores_or_purges_it(
    workflows: Workflows, session: Session, user_id: UUID, backends: Backends
) -> None:
    made = workflows.create(session, user_id, WorkflowChange.read(DEFINITION))
    workflows.delete(session, user_id, made.id)
    with pytest.raises(NotFound):
        deleted_workflows.restore(session, backends.settings, uuid7(), made.id)
    with pytest.raises(NotFound):
        deleted_workflows.purge(session, uuid7(), made.id)
    deleted_workflows.purge(session, user_id, made.id)
    with pytest.raises(NotFound):
        deleted_workflows.restore(session, backends.settings, user_id, made.id)


def test_a_key_that_another_one_has_now_is_told(
    workflows: Workflows, session: Session, user_id: UUID, backends: Backends
) -> None:
    made = workflows.create(session, user_id, WorkflowChange.read(DEFINITION))
    workflows.load(session, user_id, made.id).key = "orders"
    session.commit()
    workflows.delete(session, user_id, made.id)
    other = workflows.create(session, user_id, WorkflowChange.read(DEFINITION))
    workflows.load(session, user_id, other.id).key = "orders"
    session.commit()
    with pytest.raises(Conflict, match="another workflow has its key"):
        deleted_workflows.restore(session, backends.settings, user_id, made.id)
    assert len(deleted_workflows.list_deleted(session, user_id)) == 1


def test_it_is_kept_for_a_bounded_time_and_its_versions_with_it(
    workflows: Workflows, session: Session, user_id: UUID, backends: Backends
) -> None:
    made = workflows.create(session, user_id, WorkflowChange.read(DEFINITION))
    workflows.delete(session, user_id, made.id)
    long_ago = datetime.now(UTC) - timedelta(days=900)
    with transaction(backends.engine) as connection:
        connection.execute(update(WorkflowVersion).values(created_at=long_ago))
    assert (prune(backends)["deleted workflows"], prune(backends)["versions"]) == (0, 0)
    with transaction(backends.engine) as connection:
        connection.execute(update(DeletedWorkflow).values(deleted_at=datetime.now(UTC) - DELETED_WORKFLOWS_KEPT))
    deleted = prune(backends)
    assert (deleted["deleted workflows"], deleted["versions"]) == (1, 1)
