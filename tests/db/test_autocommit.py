"""Statements that the driver executes alone, without SQLAlchemy around them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from flowforge.db.autocommit import autocommitting, run_alone
from flowforge.db.engine import make_engine, unavailable_when_down
from flowforge.errors import Unavailable
from tests.statements import counting_statements

NAME = "SELECT %(name)s::text, 1"
PID = "SELECT pg_backend_pid() WHERE %(yes)s"


def end_session(engine: Engine, pid: int) -> None:
    with autocommitting(engine) as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(%(pid)s)", {"pid": pid})


def test_gives_the_rows(engine: Engine) -> None:
    assert run_alone(engine, NAME, {"name": "it's %s"}) == [("it's %s", 1)]


def test_commits_by_itself(engine: Engine) -> None:
    key = str(uuid4())
    made = run_alone(
        engine,
        "INSERT INTO trigger_service.trigger_events (id, workflow_id, user_id, trigger_type, payload, metadata)"
        " VALUES (%(id)s::uuid, %(id)s::uuid, %(id)s::uuid, 'webhook', '{}', '{}') RETURNING id::text",
        {"id": key},
    )
    assert made == [(key,)]
    assert run_alone(
        engine, "SELECT count(*) FROM trigger_service.trigger_events WHERE id = %(id)s::uuid", {"id": key}
    ) == [(1,)]


def test_who_listens_hears_of_it(engine: Engine) -> None:
    with counting_statements(engine) as sent:
        run_alone(engine, NAME, {"name": "a"})
    assert sent == [NAME]


def test_is_prepared_once_and_leaves_the_connection_as_it_was(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)
    for name in ("a", "b"):
        run_alone(engine, NAME, {"name": name})
    with engine.connect() as connection:
        known = connection.exec_driver_sql("SELECT generic_plans + custom_plans FROM pg_prepared_statements")
        assert known.scalars().all() == [2]
        assert connection.in_transaction()
        assert not connection.connection.driver_connection.autocommit  # type: ignore[union-attr]
    engine.dispose()


def test_what_postgresql_refuses_is_raised_as_by_sqlalchemy(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match="division by zero") as raised:
        run_alone(engine, "SELECT 1 / %(zero)s::int", {"zero": 0})
    assert not raised.value.connection_invalidated
    assert run_alone(engine, NAME, {"name": "next"}) == [("next", 1)]


def test_a_session_that_was_ended_fails_one_call_and_empties_the_pool(database_url: str, engine: Engine) -> None:
    pool = make_engine(database_url, pool_size=2)
    with pool.connect() as first, pool.connect() as second:
        pids = [each.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() for each in (first, second)]
    for pid in pids:
        end_session(engine, pid)

    with pytest.raises(Unavailable), unavailable_when_down():
        run_alone(pool, PID, {"yes": True})
    assert run_alone(pool, PID, {"yes": True})[0][0] not in pids
    pool.dispose()


def test_however_many_sessions_are_ended_the_pool_keeps_its_size(database_url: str, engine: Engine) -> None:
    name = str(uuid4())
    pool = make_engine(database_url, pool_size=3, application_name=name)
    for _ in range(6):
        with pool.connect(), pool.connect():
            end_session(engine, run_alone(pool, PID, {"yes": True})[0][0])
            with pytest.raises(Unavailable), unavailable_when_down():
                run_alone(pool, PID, {"yes": True})
    open_now = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %(name)s"
    assert run_alone(engine, open_now, {"name": name})[0][0] <= 3
    pool.dispose()


def test_a_server_that_is_away_is_unavailable(database_url: str) -> None:
    engine = make_engine(database_url.replace("5432", "5433") + "&port=5433")
    with pytest.raises(Unavailable), unavailable_when_down():
        run_alone(engine, NAME, {"name": "x"})
