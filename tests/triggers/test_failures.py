"""A trigger that fails is told to the error workflow of its own workflow, once for each time it breaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from flowforge.db.tables import TriggerEventRow, User, Workflow
from flowforge.wiring import Backends
from flowforge.workflows import error_workflow
from flowforge.workflows.error_workflow import ErrorWorkflow
from tests.triggers.registrations import change, register
from workers.polls import run_poll


def told(engine: Engine, workflow_id: UUID) -> list[TriggerEventRow]:
    with Session(engine, expire_on_commit=False) as session:
        wanted = select(TriggerEventRow).where(TriggerEventRow.workflow_id == workflow_id)
        return list(session.scalars(wanted))


@pytest.fixture
def errors(engine: Engine) -> UUID:
    """The workflow that hears of errors."""
    return uuid4()


@pytest.fixture
def mails(engine: Engine, errors: UUID) -> UUID:
    """An email trigger whose server is not there."""
    workflow, user = uuid4(), uuid4()
    with Session(engine) as session:
        settings: dict[str, Any] = {"errorWorkflow": str(errors)}
        session.add(Workflow(id=workflow, name="Orders", user_id=user, settings=settings))
        session.commit()
    config = {"username": "u", "password": "p", "host": "127.0.0.1", "port": 1, "secure": False}
    created = datetime.now(UTC) - timedelta(minutes=1)
    columns = {"created_at": created, "updated_at": created, "workflow_id": workflow, "user_id": user}
    return register(engine, configuration=config, trigger_type="email", **columns)


def test_it_hears_of_it_once(backends: Backends, engine: Engine, mails: UUID, errors: UUID) -> None:
    run_poll(backends, mails)
    run_poll(backends, mails)
    [event] = told(engine, errors)
    assert event.trigger_type == "error"
    assert event.payload["workflow"]["name"] == "Orders"
    assert event.payload["trigger"] == {"id": str(mails), "type": "email"}


def test_it_hears_again_when_it_breaks_again(backends: Backends, engine: Engine, mails: UUID, errors: UUID) -> None:
    run_poll(backends, mails)
    change(engine, mails, last_success_at=datetime.now(UTC) + timedelta(seconds=1))
    run_poll(backends, mails)
    assert len(told(engine, errors)) == 2


def test_the_error_workflow_of_the_account_stands_in(
    backends: Backends, engine: Engine, mails: UUID, errors: UUID
) -> None:
    with Session(engine) as session:
        failing = session.scalars(select(Workflow)).one()
        owner = failing.user_id
        failing.settings = None
        session.add(User(id=owner, username="ada", email="ada@example.test", password="-"))
        session.add(Workflow(id=errors, name="Errors", user_id=owner))
        session.commit()
        error_workflow.choose(session, owner, ErrorWorkflow(errors))
    run_poll(backends, mails)
    assert [event.payload["trigger"]["id"] for event in told(engine, errors)] == [str(mails)]
