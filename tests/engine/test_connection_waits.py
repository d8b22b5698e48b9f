"""Steps whose connection has to be signed in with again: they wait for a day, and go on as if nothing had happened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from flowforge.db.connection_waits_store import go_on
from flowforge.db.engine import transaction
from flowforge.db.tables import ExecutionRow, OAuthGrant, StepAttempt
from flowforge.wiring import Backends
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.oauth.connected import NAME, connect, kept, sign_in
from tests.services.oauth_provider import Provider
from tests.waiting import eventually


def call(provider: Provider, **more: Any) -> dict[str, Any]:
    return {"type": "HTTP_REQUEST", "config": {"url": f"{provider.url}/api", "connection": NAME}, **more}


def waiting(backends: Backends) -> list[StepAttempt]:
    with Session(backends.engine) as session:
        return list(session.scalars(select(StepAttempt).where(StepAttempt.state == "WAITING")))


def broken(pipeline: Pipeline, provider: Provider) -> UUID:
    """A connection whose sign-in was revoked at the provider."""
    connection = connect(pipeline.backends, provider, owner=OWNER)
    sign_in(pipeline.backends, provider, connection, ends_in=-1)
    provider.revoke_all()
    return connection


def reconnect(backends: Backends, provider: Provider, connection_id: UUID) -> None:
    tokens = backends.vault.seal(f'{{"access": "{provider.issue().access_token}", "refresh": null}}')
    with Session(backends.engine) as session:
        mended = {"tokens": tokens, "ends_at": None, "renew_at": None, "broken_at": None, "problem": None}
        session.execute(update(OAuthGrant).values(generation=OAuthGrant.generation + 1, **mended))
        go_on(session.connection(), connection_id)
        session.commit()


def test_they_wait_and_go_on_once_somebody_has_signed_in(pipeline: Pipeline, provider: Provider) -> None:
    connection = broken(pipeline, provider)
    loop = {"type": "FOR_EACH", "config": {"items": [1, 2, 3]}, "actions": [call(provider)]}
    workflow = pipeline.workflow(loop, call(provider, retry={"attempts": 1}))
    with working(pipeline.backends):
        event = pipeline.accept(workflow.id).event_id
        first, *_ = eventually(lambda: waiting(pipeline.backends))
        assert first.attempt == 1
        assert first.waiting is not None
        assert "signed in with again" in first.waiting["message"]
        reconnect(pipeline.backends, provider, connection)
        done = pipeline.finished(event)
    assert done.status == "COMPLETED", done.error
    assert len(provider.asked) == 1
    with Session(pipeline.backends.engine) as session:
        attempts = session.scalars(select(StepAttempt)).all()
        assert {(one.attempt, one.claims) for one in attempts if one.succeeded} == {(1, 1)}, "no attempt was used up"


def test_after_a_day_they_fail_and_say_why(pipeline: Pipeline, provider: Provider) -> None:
    broken(pipeline, provider)
    workflow = pipeline.workflow(
        call(provider, onError="continue"), {"type": "TRANSFORM", "config": {"output": {"n": 1}}}
    )
    with working(pipeline.backends):
        event = pipeline.accept(workflow.id).event_id
        eventually(lambda: waiting(pipeline.backends))
        with transaction(pipeline.backends.engine) as connection:
            connection.execute(text("UPDATE orchestrator.step_attempts SET due_at = now() WHERE state = 'WAITING'"))
        done = pipeline.finished(event)
    assert done.status == "COMPLETED"
    assert "within a day" in done.step_outputs["step_0"]["error"]["message"]


def test_a_cancelled_execution_waits_for_nothing(pipeline: Pipeline, provider: Provider) -> None:
    connection = broken(pipeline, provider)
    workflow = pipeline.workflow(call(provider))
    with working(pipeline.backends):
        pipeline.accept(workflow.id)
        eventually(lambda: waiting(pipeline.backends))
        with Session(pipeline.backends.engine) as session:
            execution = session.scalars(select(ExecutionRow)).one()
        pipeline.cancel(execution.id)
        reconnect(pipeline.backends, provider, connection)
        assert waiting(pipeline.backends) == []
    assert kept(pipeline.backends, connection).row.problem is None
