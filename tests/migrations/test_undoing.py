"""The migrations of this release can be undone, with whatever rows there are, and done again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import Connection, text

from flowforge.db.engine import make_engine
from flowforge.db.log_repair_store import RepairPosition, lock_repair_position
from flowforge.db.migrate import PREVIOUS_RELEASE, configuration, downgrade, upgrade
from flowforge.logbook.port import NewEntry
from flowforge.logbook.postgres import PostgresLogStore
from tests.migrations.originals import connected
from tests.services.databases import dump

_ROWS = """
INSERT INTO auth.users (id, username, email, password) VALUES
    ('00000000-0000-0000-0000-000000000001', 'ada', 'ada@example.test', 'hashed'),
    ('00000000-0000-0000-0000-000000000002', 'bob', 'bob@example.test', 'hashed');
INSERT INTO workflow.workflows (id, user_id, name, enabled, actions_definition) VALUES
    ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000001', 'w', true, '[]');
INSERT INTO trigger_service.trigger_events (id, workflow_id, user_id, trigger_type, payload, metadata) VALUES
    ('00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000003',
     '00000000-0000-0000-0000-000000000001', 'webhook', '{}', '{}');
INSERT INTO orchestrator.workflow_executions (id, workflow_id, user_id, status, current_step, event_id) VALUES
    ('00000000-0000-0000-0000-000000000005', '00000000-0000-0000-0000-000000000003',
     '00000000-0000-0000-0000-000000000001', 'RUNNING', 0, '00000000-0000-0000-0000-000000000004');
INSERT INTO orchestrator.step_attempts (execution_id, workflow_id, step_index, iteration, attempt, state, due_at) VALUES
    ('00000000-0000-0000-0000-000000000005', '00000000-0000-0000-0000-000000000003', 0, 0, 1, 'QUEUED', now());
INSERT INTO orchestrator.bus_memory (name, epoch, seen_at) VALUES ('streams', 'a mark', now());
"""

_LINE = text(
    """
    INSERT INTO logbook.execution_logs
        (id, dedup_key, user_id, execution_id, event_id, event_type, status, data, timestamp)
    VALUES (:id, :dedup_key, :user_id, :execution_id, :event_id, :event_type, :status, :data,
            now() - CAST(:age AS interval))
    """
)


@pytest.fixture
def previous_release(empty_database_url: str) -> str:
    """A database as the release before has left it."""
    with connected(empty_database_url) as connection:
        command.upgrade(configuration(connection=connection), PREVIOUS_RELEASE)
        connection.execute(text(_ROWS))
        connection.commit()
    return empty_database_url


def execute(url: str, statement: str) -> None:
    with connected(url) as connection:
        connection.execute(text(statement))
        connection.commit()


def contents(url: str) -> list[str]:
    """Tables and rows, whatever order the rows stand in."""
    return sorted(dump(url).splitlines())


def test_tables_and_rows_are_as_they_were(previous_release: str) -> None:
    before = contents(previous_release)
    upgrade(previous_release)
    assert contents(previous_release) != before
    downgrade(previous_release)
    assert contents(previous_release) == before


def test_what_was_undone_is_done_again(previous_release: str) -> None:
    upgrade(previous_release)
    before = contents(previous_release)
    downgrade(previous_release)
    upgrade(previous_release)
    assert contents(previous_release) == before


def test_the_log_is_checked_on_from_where_it_was(previous_release: str) -> None:
    reached = RepairPosition(datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC), UUID(int=5))
    upgrade(previous_release)
    execute(
        previous_release,
        "INSERT INTO orchestrator.log_repair_positions (name, finished_at, execution_id)"
        f" VALUES ('ended executions', '{reached.finished_at.isoformat()}', '{reached.execution_id}')",
    )
    downgrade(previous_release)
    upgrade(previous_release)
    with connected(previous_release) as connection:
        assert lock_repair_position(connection, longest_look_back_hours=1_000_000) == reached


def test_who_was_disabled_stays_out(previous_release: str) -> None:
    upgrade(previous_release)
    execute(previous_release, "UPDATE auth.users SET disabled_at = now() WHERE username = 'bob'")
    downgrade(previous_release)
    with connected(previous_release) as connection:
        assert passwords(connection) == {"ada": "hashed", "bob": "!hashed"}


def test_a_token_never_gains_rights(previous_release: str) -> None:
    upgrade(previous_release)
    for number, (name, scopes) in enumerate([("full", "{read,run,write,admin}"), ("narrow", "{read}")]):
        execute(
            previous_release,
            "INSERT INTO auth.access_tokens (id, user_id, name, token_hash, start, scopes) VALUES"
            f" ('{UUID(int=number)}', '{UUID(int=1)}', '{name}', '{name}', 'ff', '{scopes}')",
        )
    downgrade(previous_release)
    with connected(previous_release) as connection:
        assert list(connection.scalars(text("SELECT name FROM auth.access_tokens"))) == ["full"]


def test_the_log_says_all_that_it_said(previous_release: str) -> None:
    user, execution, event = UUID(int=1), UUID(int=5), UUID(int=9)
    said = {"userId": str(user), "executionId": str(execution), "stepIndex": 2, "iteration": 0, "attempt": 1}
    much = said | {"output": "x" * 5_000}
    lines = [
        NewEntry(f"trigger:{event}", user, None, None, event, "TRIGGER", "FIRED", {"eventId": str(event)}),
        NewEntry(f"start:{execution}:2:0:1", user, None, execution, None, "START", "STARTED", said),
        NewEntry(f"result:{execution}:2:0:1", user, None, execution, None, "RESULT", "SUCCESS", much),
        NewEntry(f"execution:{execution}:RETRYING:2:0:1", user, None, execution, None, "EXECUTION", "RETRYING", said),
        NewEntry(f"execution:{execution}:COMPLETED", user, None, execution, None, "EXECUTION", "COMPLETED", {}),
    ]
    upgrade(previous_release)
    engine = make_engine(previous_release)
    PostgresLogStore(engine).append(lines)
    engine.dispose()
    downgrade(previous_release)
    with connected(previous_release) as connection:
        found = connection.execute(text("SELECT dedup_key, data FROM logbook.execution_logs")).all()
    assert {row.dedup_key: row.data for row in found} == {line.dedup_key: line.data for line in lines}


def test_lines_of_the_release_before_are_known_by_their_keys(previous_release: str) -> None:
    """Those of the last hour, of which messages may come again, and all when lines are looked for that are missing."""
    user, execution, event = UUID(int=1), UUID(int=5 << 112), UUID(int=9 << 112)
    recent = [
        NewEntry(f"result:{execution}:0:0:1", user, None, execution, None, "RESULT", "SUCCESS", {}),
        NewEntry(f"trigger:{event}", user, None, None, event, "TRIGGER", "FIRED", {}),
    ]
    old = NewEntry(f"start:{execution}:0:0:1", user, None, execution, None, "START", "STARTED", {})
    with connected(previous_release) as connection:
        for number, (line, age) in enumerate([*((line, "0 hours") for line in recent), (old, "1 day")]):
            connection.execute(_LINE, {"id": f"{number:024}", "age": age} | asdict(line) | {"data": None})
        connection.commit()
    upgrade(previous_release)
    engine = make_engine(previous_release)
    log = PostgresLogStore(engine)
    assert log.missing([*(line.dedup_key for line in (*recent, old)), "never"]) == {"never"}
    assert log.append(recent) == []
    engine.dispose()


def passwords(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT username, password FROM auth.users"))
    return {row.username: row.password for row in rows}
