"""Brings a database to the schema this code needs, adopting what an original implementation left in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine, text

from flowforge.db.engine import CONNECT_TIMEOUT_SECONDS, sqlalchemy_url
from flowforge.db.schema import MIGRATIONS, refuse_newer_schema

__all__ = ["MIGRATIONS", "PREVIOUS_RELEASE", "configuration", "downgrade", "upgrade"]

PREVIOUS_RELEASE = "0012"
"""The schema of the release before this one (0.1.0): `downgrade` goes back to it."""
_LOCK = 0x0F10F0
_LONGEST_WAIT = "15min"


def upgrade(url: str) -> None:
    """Idempotent. Several starters may call it at once: an advisory lock lets one work and the others wait. Raises
    OtherSchema for a database that is newer than this code."""
    refuse_newer_schema(url)
    with _lock(url) as connection:
        command.upgrade(configuration(connection=connection), "head")


def downgrade(url: str) -> None:
    """Undoes the migrations of this release, so that the one before can run again. Rows that it knew stay; what only
    this release knows goes. Raises OtherSchema for a database that is newer than this code."""
    refuse_newer_schema(url)
    with _lock(url) as connection:
        command.downgrade(configuration(connection=connection), PREVIOUS_RELEASE)


@contextmanager
def _lock(url: str) -> Iterator[Connection]:
    engine = create_engine(
        sqlalchemy_url(url),
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "flowforge-migrations"},
    )
    # Two connections: the lock has to outlive the transactions of the migrations, also the one that fails.
    with engine.connect() as guard, engine.connect() as connection:
        guard.execute(text(f"SET statement_timeout = '{_LONGEST_WAIT}'"))
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        yield connection
        connection.commit()


def configuration(**attributes: object) -> Config:
    """Alembic's configuration; migrations/env.py runs on the `connection` among the attributes."""
    config = Config(MIGRATIONS / "alembic.ini")
    config.attributes.update(attributes)
    return config
