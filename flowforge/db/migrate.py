"""Brings a database to the schema this code needs, adopting what an original implementation left in it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, text

from flowforge.db.engine import CONNECT_TIMEOUT_SECONDS, sqlalchemy_url

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
_LOCK = 0x0F10F0
_LONGEST_WAIT = "15min"


def upgrade(url: str) -> None:
    """Idempotent. Several starters may call it at once: an advisory lock lets one work and the others wait."""
    engine = create_engine(
        sqlalchemy_url(url),
        poolclass=NullPool,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "flowforge-migrations"},
    )
    # Two connections: the lock has to outlive the transactions of the migrations, also the one that fails.
    with engine.connect() as guard, engine.connect() as connection:
        guard.execute(text(f"SET statement_timeout = '{_LONGEST_WAIT}'"))
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        command.upgrade(configuration(connection=connection), "head")
        connection.commit()


def configuration(**attributes: object) -> Config:
    """Alembic's configuration; migrations/env.py runs on the `connection` among the attributes."""
    config = Config(MIGRATIONS / "alembic.ini")
    config.attributes.update(attributes)
    return config
