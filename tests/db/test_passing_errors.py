"""Whether an error of PostgreSQL passes is decided by its SQLSTATE."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from flowforge.db.engine import make_engine, sqlalchemy_url, transaction
from flowforge.errors import TooMuchAtOnce, Unavailable


@pytest.mark.parametrize(
    ("sqlstate", "raised"),
    [
        ("08006", Unavailable),
        ("25006", Unavailable),  # a standby, until it is promoted
        ("40001", Unavailable),
        ("40P01", Unavailable),
        ("53100", Unavailable),  # the disk is full
        ("53300", Unavailable),
        ("55P03", Unavailable),
        ("57P01", Unavailable),
        ("57P03", Unavailable),
        ("58030", Unavailable),
        ("57014", TooMuchAtOnce),
        ("22003", DBAPIError),
        ("23514", DBAPIError),
        ("42501", DBAPIError),
        ("54000", DBAPIError),  # more than an array or an object of PostgreSQL can hold
        ("P0001", DBAPIError),
        ("XX000", DBAPIError),
    ],
)
def test_an_error_of_the_server(database_url: str, sqlstate: str, raised: type[Exception]) -> None:
    engine = make_engine(database_url)
    with pytest.raises(raised), transaction(engine) as connection:
        connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$")
    engine.dispose()


def test_a_statement_that_takes_longer_than_it_may(database_url: str) -> None:
    options = {"options": "-c statement_timeout=20"}
    engine = create_engine(sqlalchemy_url(database_url), connect_args=options)
    with pytest.raises(TooMuchAtOnce), transaction(engine) as connection:
        connection.exec_driver_sql("SELECT pg_sleep(5)")
    engine.dispose()


def test_a_connection_that_is_ended(database_url: str) -> None:
    engine = make_engine(database_url)
    with pytest.raises(Unavailable), transaction(engine) as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    engine.dispose()


def test_a_server_that_is_not_there() -> None:
    engine = make_engine("postgresql://dev@127.0.0.1:1/devdb")
    with pytest.raises(Unavailable), transaction(engine):
        raise AssertionError("there is no connection")
