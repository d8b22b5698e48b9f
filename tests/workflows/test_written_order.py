"""Definitions are read, shown and run in the order in which they were written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.connectors.catalog import load_catalog
from flowforge.db.tables import Workflow, WorkflowVersion
from flowforge.engine.plans import Plans
from flowforge.language.definition import read
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.workflows import Workflows
from tests.engine.pipeline import OWNER

BODY = {"$type": "circle", "id": 7, "radius": 2, "parts": [{"zip": 1, "id": 2}, {"id": 1, "zip": 2}]}


@pytest.fixture
def workflows(backends: Backends) -> Workflows:
    return Workflows(load_catalog(), backends.vault, Triggers(backends.settings, backends.vault))


def definition(body: Any) -> dict[str, Any]:
    config = {"url": "https://api.example.test/", "method": "POST", "body": body}
    return {"name": "w", "actions": [{"type": "HTTP_REQUEST", "config": config}]}


def body_of(actions: Any) -> str:
    return json.dumps(actions[0]["config"]["body"])


def test_a_definition_keeps_its_order(backends: Backends, workflows: Workflows) -> None:
    with Session(backends.engine) as session:
        made = workflows.create(session, OWNER, WorkflowChange.read(definition(BODY)))
    with Session(backends.engine) as session:
        workflow, version = session.get_one(Workflow, made.id), session.scalars(select(WorkflowVersion)).one()
        shown, shown_version = workflows.view(workflow), workflows.version_view(version)
        plan = Plans().get(session.connection(), [version.id])[version.id].plan

        assert body_of(shown.actions) == body_of(shown_version.actions) == json.dumps(BODY)
        assert json.dumps(plan.steps[0].config["body"]) == json.dumps(BODY)

        session.expire_all()
        assert body_of(workflow.actions_definition) == body_of(version.definition["actions"]) == json.dumps(BODY)


def test_another_order_is_a_change(backends: Backends, workflows: Workflows) -> None:
    turned = dict(reversed(BODY.items()))
    with Session(backends.engine) as session:
        made = workflows.create(session, OWNER, WorkflowChange.read(definition(BODY)))
        session.expire_all()
        workflow = session.get_one(Workflow, made.id)
        assert not workflows.differs(session, workflow, read(definition(BODY)).usable())
        assert workflows.differs(session, workflow, read(definition(turned)).usable())

        workflows.update(session, OWNER, made.id, WorkflowChange.read(definition(turned)))
        assert body_of(workflows.view(workflow).actions) == json.dumps(turned)
