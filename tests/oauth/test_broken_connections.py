"""Owners are told, once, that somebody has to sign in again; workflows about errors are started."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge import broken_connections
from flowforge.connections.changes import ConnectionChange
from flowforge.connections.connections import Connections
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import ConnectionBroken
from flowforge.db.tables import TriggerEventRow, User
from flowforge.settings import Settings
from flowforge.wiring import Backends
from flowforge.workflows import error_workflow
from flowforge.workflows.error_workflow import ErrorWorkflow
from tests.engine.pipeline import Pipeline
from tests.oauth.connected import NAME, OWNER, call, connect, kept, sign_in
from tests.services.oauth_provider import Provider
from tests.services.smtp import Inbox, serving
from tests.triggers.registrations import register


@pytest.fixture
def broken(backends: Backends, provider: Provider) -> UUID:
    """A connection of Ada's whose sign-in was revoked, as a step has found."""
    with Session(backends.engine) as session:
        session.add(User(id=OWNER, username="ada", email="ada@example.test", password="-"))
        session.commit()
    connection = connect(backends, provider)
    sign_in(backends, provider, connection, ends_in=-1)
    provider.revoke_all()
    with pytest.raises(ConnectionBroken):
        call(backends, provider)
    return connection


def test_workflows_about_errors_are_started_once(backends: Backends, provider: Provider, broken: UUID) -> None:
    pipeline = Pipeline(backends, owner=OWNER)
    about_errors = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"n": 1}}})
    step = {"type": "HTTP_REQUEST", "config": {"url": f"{provider.url}/api", "connection": NAME}}
    using = pipeline.workflow(step, settings={"errorWorkflow": str(about_errors.id)})
    pipeline.workflow(step)
    for _ in range(2):
        broken_connections.tend(backends)
    with Session(backends.engine) as session:
        [event] = session.scalars(select(TriggerEventRow)).all()
    assert (event.workflow_id, event.trigger_type) == (about_errors.id, "error")
    assert event.payload is not None
    assert event.payload["workflow"]["id"] == str(using.id)
    assert event.payload["error"]["connection"] == NAME
    assert kept(backends, broken).row.told_at is not None


def test_the_error_workflow_of_the_account_stands_in(backends: Backends, provider: Provider, broken: UUID) -> None:
    pipeline = Pipeline(backends, owner=OWNER)
    about_errors = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"n": 1}}})
    using = pipeline.workflow({"type": "HTTP_REQUEST", "config": {"url": f"{provider.url}/api", "connection": NAME}})
    with Session(backends.engine) as session:
        error_workflow.choose(session, OWNER, ErrorWorkflow(about_errors.id))
    broken_connections.tend(backends)
    with Session(backends.engine) as session:
        [event] = session.scalars(select(TriggerEventRow)).all()
    assert event.workflow_id == about_errors.id
    assert event.payload["workflow"]["id"] == str(using.id)


def test_a_workflow_whose_trigger_uses_it_is_told_too(backends: Backends, broken: UUID) -> None:
    pipeline = Pipeline(backends, owner=OWNER)
    about_errors = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"n": 1}}})
    settings = {"errorWorkflow": str(about_errors.id)}
    using = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {"n": 1}}}, settings=settings)
    register(backends.engine, "email", {"connection": NAME}, user_id=OWNER, workflow_id=using.id)
    broken_connections.tend(backends)
    with Session(backends.engine) as session:
        [event] = session.scalars(select(TriggerEventRow)).all()
    assert event.payload is not None
    assert event.payload["workflow"]["id"] == str(using.id)


def test_it_is_shown_as_broken_whatever_is_done_with_it(backends: Backends, broken: UUID) -> None:
    connections = Connections(load_catalog(), backends.vault)
    with Session(backends.engine) as session:
        shown = connections.get(session, OWNER, broken)
        changed = connections.update(session, OWNER, broken, ConnectionChange(shown.config))
        tested = connections.test(session, backends, OWNER, broken)
        listed = connections.all(session, OWNER)
    assert [view.is_broken for view in (shown, changed, tested, *listed)] == [True] * 4


def test_a_mail_says_what_to_do(backends: Backends, settings: Settings, broken: UUID) -> None:
    inbox = Inbox()
    with serving(inbox) as port:
        own = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_from": "flow@example.test"}
        sending = Backends(settings.model_copy(update=own), "telling")
        broken_connections.tend(sending)
        broken_connections.tend(sending)
        sending.close()
    [mail] = inbox.mails
    assert mail["To"] == "ada@example.test"
    assert NAME in str(mail["Subject"])
    assert f"/connections/{broken}" in mail.get_payload()
