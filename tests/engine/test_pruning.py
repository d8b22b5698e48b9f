"""Upkeep deletes what is older than the settings keep, in small bites, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, insert, select, text

from flowforge.db.tables import (
    AuditEntryRow,
    Base,
    DeadLetter,
    ExecutionRow,
    LogEntryRow,
    MailboxState,
    RefreshToken,
    StepAttempt,
    TriggerEventRow,
    WebSession,
    Workflow,
    WorkflowVersion,
)
from flowforge.engine import pruning
from flowforge.ids import uuid7
from flowforge.wiring import Backends
from tests.statements import counting_statements
from tests.triggers.registrations import register

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def add(engine: Engine, table: type[Base], **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(insert(table.__table__).values(**values))


def execution(engine: Engine, finished_at: datetime | None, status: str = "COMPLETED") -> Any:
    id_, workflow_id = uuid7(), uuid7()
    common = {"id": id_, "workflow_id": workflow_id, "user_id": uuid7(), "status": status, "current_step": 0}
    add(engine, ExecutionRow, **common, created_at=days_ago(200), finished_at=finished_at)
    attempt = {"execution_id": id_, "workflow_id": workflow_id, "step_index": 0, "iteration": 0, "attempt": 1}
    add(engine, StepAttempt, **attempt, state="APPLIED", due_at=days_ago(200))
    return id_


def event(engine: Engine, created_at: datetime, handled_at: datetime | None) -> Any:
    id_ = uuid7()
    common = {"id": id_, "workflow_id": uuid7(), "user_id": uuid7(), "trigger_type": "webhook", "payload": {}}
    add(engine, TriggerEventRow, **common, metadata={}, created_at=created_at, handled_at=handled_at)
    return id_


def left(engine: Engine, column: Any) -> list[Any]:
    with engine.connect() as connection:
        return sorted(connection.scalars(select(column)))


def test_old_finished_executions_go_with_their_attempts(backends: Backends, engine: Engine) -> None:
    execution(engine, finished_at=days_ago(91))
    recent = execution(engine, finished_at=days_ago(89))
    running = execution(engine, finished_at=None, status="RUNNING")
    assert pruning.prune(backends, NOW)["executions"] == 1
    assert left(engine, ExecutionRow.id) == sorted([recent, running])
    assert left(engine, StepAttempt.execution_id) == sorted([recent, running])


def test_old_events_go_once_they_are_handled(backends: Backends, engine: Engine) -> None:
    event(engine, days_ago(91), days_ago(91))
    recent = event(engine, days_ago(89), days_ago(89))
    unhandled = event(engine, days_ago(91), None)
    assert pruning.prune(backends, NOW)["events"] == 1
    assert left(engine, TriggerEventRow.id) == sorted([recent, unhandled])


def test_versions_that_were_only_tried_go_with_their_executions(backends: Backends, engine: Engine) -> None:
    def version(age: int, number: int | None, workflow_id: UUID) -> UUID:
        id_ = uuid7()
        values = {"id": id_, "workflow_id": workflow_id, "number": number, "definition": {}, "templated": True}
        add(engine, WorkflowVersion, **values, created_at=days_ago(age))
        return id_

    workflow_id = uuid7()
    workflow = {
        "id": workflow_id,
        "name": "w",
        "user_id": uuid7(),
        "actions_definition": [],
        "trigger_definition": None,
    }
    add(engine, Workflow, **workflow)
    version(100, None, workflow_id)
    still_run, published, recent = (
        version(100, None, workflow_id),
        version(100, 1, workflow_id),
        version(80, None, uuid7()),
    )
    common = {"user_id": uuid7(), "status": "RUNNING", "current_step": 0, "created_at": days_ago(100)}
    add(engine, ExecutionRow, id=uuid7(), workflow_id=workflow_id, version_id=still_run, **common)
    assert pruning.prune(backends, NOW)["versions"] == 1
    assert left(engine, WorkflowVersion.id) == sorted([still_run, published, recent])


def test_versions_of_a_deleted_workflow_go_with_its_executions(backends: Backends, engine: Engine) -> None:
    values = {"workflow_id": uuid7(), "number": 1, "definition": {}, "templated": True}
    add(engine, WorkflowVersion, id=uuid7(), **values, created_at=days_ago(100))
    assert pruning.prune(backends, NOW)["versions"] == 1
    assert left(engine, WorkflowVersion.id) == []


def test_sessions_of_browsers_that_never_came_back_go(backends: Backends, engine: Engine) -> None:
    for age in (91, 1):
        session = {"id": uuid7(), "user_id": uuid7(), "user_agent": "a", "address": "b"}
        add(engine, WebSession, **session, last_seen_at=days_ago(age))
    assert pruning.prune(backends, NOW)["web sessions"] == 1
    assert len(left(engine, WebSession.id)) == 1


def test_expired_tokens_and_old_dead_letters_and_logs_go(backends: Backends, engine: Engine) -> None:
    for number, age in enumerate([40, 1]):
        token = {"id": uuid7(), "user_id": uuid7(), "family_id": uuid7(), "token_hash": bytes([number])}
        add(engine, RefreshToken, **token, expires_at=days_ago(age))
        letter = {"id": uuid7(), "topic": "t", "consumer_group": "g", "position": str(number), "key": "k"}
        add(engine, DeadLetter, **letter, value=b"v", reason="r", created_at=days_ago(age))
        entry = {"id": f"{number:024}", "dedup_key": str(number), "user_id": uuid7(), "event_type": "RESULT"}
        add(engine, LogEntryRow, **entry, status="SUCCESS", timestamp=days_ago(age))
    deleted = pruning.prune(backends, NOW)
    assert (deleted["refresh tokens"], deleted["dead letters"], deleted["log entries"]) == (1, 1, 1)
    assert pruning.prune(backends, NOW) == dict.fromkeys(deleted, 0)


def test_a_mailbox_is_forgotten_with_its_trigger(backends: Backends, engine: Engine) -> None:
    kept = register(engine, "email", {})
    for trigger_id in (kept, uuid7()):
        position = {"uid_validity": 1, "last_uid": 2, "source": "s", "backlog_uid": 2, "updated_at": days_ago(1)}
        add(engine, MailboxState, trigger_id=trigger_id, **position)
    assert pruning.prune(backends, NOW)["mailbox states"] == 1
    assert left(engine, MailboxState.trigger_id) == [kept]


def test_events_stay_as_long_as_a_signed_call_counts(backends: Backends, engine: Engine) -> None:
    backends.settings.execution_retention_days = 1
    event(engine, days_ago(3), days_ago(3))
    recent = event(engine, days_ago(2) + timedelta(minutes=1), days_ago(2))
    assert pruning.prune(backends, NOW)["events"] == 1
    assert left(engine, TriggerEventRow.id) == [recent]


def test_more_rows_than_one_transaction_takes(backends: Backends, engine: Engine) -> None:
    for _ in range(5):
        event(engine, days_ago(91), days_ago(91))
    assert pruning.prune(backends, NOW, rows_at_once=2)["events"] == 5


def test_kinds_of_rows_take_turns(backends: Backends, engine: Engine) -> None:
    for _ in range(3):
        execution(engine, finished_at=days_ago(91))
        event(engine, days_ago(91), days_ago(91))
    with counting_statements(backends.engine) as order:
        pruning.prune(backends, NOW, rows_at_once=1)
    tables = [sent.split()[2].partition(".")[2] for sent in order if sent.lstrip().startswith("DELETE")]
    rounds = [table for table in tables if table in ("workflow_executions", "trigger_events")]
    assert rounds == ["workflow_executions", "trigger_events"] * 4


def refuse_audit_entries(engine: Engine) -> datetime:
    """The clock is a year ahead: the audit log refuses to give up entries that are a minute old."""
    recent = datetime.now(UTC) - timedelta(minutes=1)
    add(engine, AuditEntryRow, id=uuid7(), occurred_at=recent, action="sign-in.succeeded", details={})
    return recent + timedelta(days=400)


def refuse_executions(engine: Engine) -> datetime:
    """A table of somebody else refers to executions."""
    execution(engine, finished_at=days_ago(91))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes AS SELECT id FROM orchestrator.workflow_executions"))
        connection.execute(text("ALTER TABLE notes ADD FOREIGN KEY (id) REFERENCES orchestrator.workflow_executions"))
    return NOW


@pytest.mark.parametrize(
    ("refuse", "refused"), [(refuse_audit_entries, "audit entries"), (refuse_executions, "executions")]
)
def test_a_kind_that_cannot_be_deleted_holds_up_no_other(
    backends: Backends,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    refuse: Callable[[Engine], datetime],
    refused: str,
) -> None:
    now = refuse(engine)
    event(engine, days_ago(91), days_ago(91))
    entry = {"id": "1" * 24, "dedup_key": "1", "user_id": uuid7(), "event_type": "RESULT", "status": "SUCCESS"}
    add(engine, LogEntryRow, **entry, timestamp=days_ago(91))
    deleted = pruning.prune(backends, now)
    assert (deleted["events"], deleted["log entries"], deleted[refused]) == (1, 1, 0)
    assert f"No {refused} can be deleted" in caplog.text


def test_it_stops_when_its_time_is_over(backends: Backends, engine: Engine) -> None:
    event(engine, days_ago(91), days_ago(91))
    assert pruning.prune(backends, NOW, seconds=0)["events"] == 0
