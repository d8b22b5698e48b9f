"""Definitions go on doing what they did before a default changed its meaning."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from alembic import command
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.db.engine import make_engine
from flowforge.db.migrate import configuration, upgrade
from flowforge.db.tables import Workflow, WorkflowDraft, WorkflowVersion
from flowforge.language.former_meanings import with_former_meanings
from flowforge.secrets import Vault
from flowforge.workflows.drafts import opened_draft
from tests.migrations.originals import connected

_BEFORE = "0034"
_OWNER, _WORKFLOW = UUID(int=1), UUID(int=2)

APPROVAL = {"type": "WAIT", "config": {"for": "approval"}}
MAIL = {"type": "SEND_EMAIL", "config": {"to": "{{ trigger.to }}"}}
WRITTEN: list[Any] = [
    APPROVAL,
    {"type": "FOR_EACH", "config": {"items": [1]}, "actions": [{**APPROVAL, "type": "wait"}, MAIL]},
    {"type": "WAIT", "config": {"for": "resume"}},
    {**APPROVAL, "onReject": []},
    {"type": "SEND_EMAIL", "config": {"to": "a@x.test, b@x.test"}},
    {"type": "SEND_EMAIL", "config": {"to": ["{{ trigger.to }}"]}},
    "no action",
]
KEPT: list[Any] = [
    {**APPROVAL, "onReject": "continue"},
    {
        "type": "FOR_EACH",
        "config": {"items": [1]},
        "actions": [
            {**APPROVAL, "type": "wait", "onReject": "continue"},
            {"type": "SEND_EMAIL", "config": {"to": "{{ trigger.to }}", "severalAddresses": True}},
        ],
    },
    *WRITTEN[2:],
]


def test_what_is_stored_says_what_it_meant(empty_database_url: str) -> None:
    vault = Vault([Fernet.generate_key().decode()])
    with connected(empty_database_url) as connection:
        command.upgrade(configuration(connection=connection), _BEFORE)
        _store(connection, vault.seal(jsonio.dumps_for_database({"name": "w", "actions": WRITTEN})))
    upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    with Session(engine) as session:
        assert session.get_one(Workflow, _WORKFLOW).actions_definition == KEPT
        assert session.get_one(WorkflowVersion, _WORKFLOW).definition == {"name": "w", "actions": KEPT}
        draft = session.get_one(WorkflowDraft, _WORKFLOW)
        assert opened_draft(vault, draft) == {"name": "w", "actions": KEPT}
        draft.meanings = 1
        assert opened_draft(vault, draft) == {"name": "w", "actions": WRITTEN}
    engine.dispose()


def test_it_is_written_once() -> None:
    assert with_former_meanings(KEPT) == KEPT
    assert with_former_meanings("no list") == "no list"


def _store(connection: Any, sealed: str) -> None:
    statements = (
        "INSERT INTO workflow.workflows (id, user_id, name, enabled, actions_definition)"
        " VALUES (:id, :owner, 'w', true, :actions)",
        "INSERT INTO workflow.workflow_versions (id, workflow_id, number, definition, templated)"
        " VALUES (:id, :id, 1, :definition, true)",
        "INSERT INTO workflow.workflow_drafts (id, definition, revision, updated_by)"
        " VALUES (:id, to_jsonb(CAST(:sealed AS text)), 1, :owner)",
    )
    values = {
        "id": _WORKFLOW,
        "owner": _OWNER,
        "actions": jsonio.dumps_for_database(WRITTEN),
        "definition": jsonio.dumps_for_database({"name": "w", "actions": WRITTEN}),
        "sealed": sealed,
    }
    for statement in statements:
        connection.execute(text(statement), values)
    connection.commit()
