"""Brings a database to the schema this code needs, adopting what an original implementation left in it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, text

from flowforge.db.engine import sqlalchemy_url

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
_LOCK = 0x0F10F0


def upgrade(url: str) -> None:
    """Idempotent. Several starters may call it at once: an advisory lock lets one work and the others wait."""
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.connect() as guard, engine.connect() as connection:
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        config = Config(MIGRATIONS / "alembic.ini")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()
