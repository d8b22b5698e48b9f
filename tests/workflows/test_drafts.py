"""Drafts hold whatever somebody is writing: nothing they could write breaks saving, looking, comparing or trying."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import Workflow
from flowforge.errors import Conflict, FlowForgeError
from flowforge.preview.dry_run import dry_run
from flowforge.preview.expression_context import context_at
from flowforge.secrets import MASK
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from flowforge.workflows.changes import DraftChange, Publication, WorkflowChange
from flowforge.workflows.drafts import Drafts
from flowforge.workflows.versions import DRAFT, PUBLISHED, Versions
from flowforge.workflows.workflows import Workflows
from webapp.api import version_schemas
from webapp.wire import to_wire

Json = dict[str, Any]
WORDS = [
    "id", "type", "name", "config", "when", "branches", "else", "actions", "onError", "trigger", "settings", "enabled",
    "timeout", "webhookUrl", "headers", "items", "output", "connection",
]  # fmt: skip
VALUES = ["HTTP_REQUEST", "SLACK_MESSAGE", "FOR_EACH", "BRANCH", "WAIT", "webhook", "email", "a", MASK, "{{ steps.a }}"]

leaves = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(VALUES) | st.text(max_size=3)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=20,
)
types = st.sampled_from(["HTTP_REQUEST", "slack_message", "FOR_EACH", "BRANCH", "PARALLEL", "WAIT", "TRANSFORM"])


def actions(inside: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inside, max_size=2)
    branch = st.fixed_dictionaries({}, optional={"when": leaves, "actions": lists, "name": leaves})
    parts = {"config": anything, "id": leaves, "when": leaves, "actions": lists, "else": lists, "onError": lists}
    return st.fixed_dictionaries({"type": types}, optional={**parts, "branches": st.lists(branch | leaves, max_size=2)})


action = st.recursive(anything, actions, max_leaves=4)
written = st.dictionaries(st.sampled_from(WORDS), anything, max_size=3) | st.fixed_dictionaries(
    {"name": st.just("Draft"), "actions": st.lists(action, max_size=3)},
    optional={"trigger": anything, "settings": anything, "note": anything},
)


@pytest.fixture
def drafts(backends: Backends) -> Drafts:
    return Drafts(Workflows(load_catalog(), backends.vault, Triggers(backends.settings, backends.vault)))


@pytest.fixture
def sessions(engine: Engine) -> Iterator[Callable[[], Session]]:
    opened: list[Session] = []

    def another() -> Session:
        opened.append(Session(engine))
        return opened[-1]

    yield another
    for session in opened:
        session.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(written, written)
def test_whatever_is_written_can_be_saved_looked_at_and_compared(
    session: Session, drafts: Drafts, backends: Backends, workflow: Callable[..., Workflow], first: Json, second: Json
) -> None:
    row = workflow()
    for revision, definition in enumerate((first, second)):
        saved = drafts.save(session, row.user_id, row.id, DraftChange(definition, revision))
        assert saved.revision == revision + 1
        assert saved.definition.keys() == definition.keys()
        jsonio.dumps(to_wire(version_schemas.Draft, saved))
    compared = Versions(drafts.workflows).compare(session, row.user_id, row.id, PUBLISHED, DRAFT)
    jsonio.dumps(to_wire(version_schemas.Differences, compared))
    context_at(session, row.id, drafts.clear(session, row.user_id, row.id), "")
    try:
        dry_run(session, drafts, backends.resume_links, row.user_id, row.id, draft=True)
    except FlowForgeError:
        assert saved.problems


@pytest.mark.parametrize("type_", ["WAIT", "STOP", "RESPOND", "BRANCH", "TRY"])
def test_a_draft_can_have_a_loop_inside_a_block_that_has_none(
    session: Session, drafts: Drafts, workflow: Callable[..., Workflow], type_: str
) -> None:
    row = workflow()
    inner = {"type": "TRANSFORM", "config": {"output": "{{ trigger.y }}"}}
    action = {"type": type_, "config": {"until": "{{ trigger.x }}"}, "when": "{{ trigger.z }}", "actions": [inner]}
    drafts.save(session, row.user_id, row.id, DraftChange({"name": "w", "actions": [action]}, 0))
    context_at(session, row.id, drafts.clear(session, row.user_id, row.id), "")


def test_of_two_who_save_at_once_one_is_told(
    sessions: Callable[[], Session], drafts: Drafts, workflow: Callable[..., Workflow]
) -> None:
    row = workflow()
    user_id, workflow_id, barrier = row.user_id, row.id, threading.Barrier(2)
    ends: list[str] = []

    def save(session: Session, name: str) -> None:
        barrier.wait(10)
        try:
            drafts.save(session, user_id, workflow_id, DraftChange({"name": name}))
            ends.append("saved")
        except Conflict:
            session.rollback()
            ends.append("told")

    threads = [threading.Thread(target=save, args=(sessions(), name)) for name in ("mine", "yours")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(ends) == ["saved", "told"]


def test_a_secret_goes_from_the_published_definition_into_the_draft_and_back(
    session: Session, drafts: Drafts, backends: Backends, workflow: Callable[..., Workflow]
) -> None:
    row = workflow()
    slack = {"id": "tell", "type": "SLACK_MESSAGE", "config": {"webhookUrl": "https://hooks.example.test/s3cret"}}
    mail = {"type": "email", "config": {"username": "ada@example.test", "password": "pa55word", "host": "mail.test"}}
    definition = {"name": "Both", "trigger": mail, "actions": [slack]}
    drafts.workflows.update(session, row.user_id, row.id, WorkflowChange.read(definition))
    shown = drafts.get(session, row.user_id, row.id).definition
    assert (shown["trigger"]["config"]["password"], shown["actions"][0]["config"]["webhookUrl"]) == (MASK, MASK)
    drafts.save(session, row.user_id, row.id, DraftChange({**shown, "name": "Again"}))
    drafts.publish(session, row.user_id, row.id, Publication())
    opened = drafts.workflows.form.opened({"trigger": row.trigger_definition, "actions": row.actions_definition})
    assert opened["trigger"]["config"]["password"] == "pa55word"
    assert opened["actions"][0]["config"]["webhookUrl"] == "https://hooks.example.test/s3cret"
