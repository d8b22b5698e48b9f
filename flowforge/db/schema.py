"""The schema that a database has, beside the one that this code needs."""

from __future__ import annotations

import logging
import sys
from contextlib import closing
from pathlib import Path

import psycopg2

from flowforge.db.engine import CONNECT_TIMEOUT_SECONDS
from flowforge.errors import OtherSchema, Unavailable
from flowforge.sentences import sentence

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

logger = logging.getLogger(__name__)


def exit_on_other_schema(url: str | None) -> None:
    """Ends this process with that sentence. A database that does not answer is waited for elsewhere."""
    try:
        if url is not None:
            demand_schema(url)
    except OtherSchema as error:
        sys.exit(f"FlowForge: {error}")
    except Unavailable as error:
        logger.warning("The schema is not checked: %s", error)


def demand_schema(url: str) -> None:
    """Raises OtherSchema for one that is older or newer, and Unavailable."""
    found = refuse_newer_schema(url)
    if found is None:
        raise OtherSchema("this database has no schema of FlowForge yet: `python -m flowforge db upgrade` makes it")
    if found != needed_schema():
        raise OtherSchema(
            f"the database has schema {found} and this release needs {needed_schema()}: "
            "run `python -m flowforge db upgrade` before anything else of it"
        )


def refuse_newer_schema(url: str) -> str | None:
    """Returns the schema that the database has; None: none of ours. Raises OtherSchema for a newer one, and
    Unavailable."""
    found = _found_schema(url)
    if found is not None and _number(found) > _number(needed_schema()):
        raise OtherSchema(
            f"the database has schema {found}, which is newer than this release ({needed_schema()}): "
            "run the newer release, or let it undo its migrations with `python -m flowforge db downgrade`"
        )
    return found


def needed_schema() -> str:
    """The newest of the migrations, which are called 0001, 0002, ..."""
    return max(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def _found_schema(url: str) -> str | None:
    try:
        with closing(_connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('public.flowforge_migrations') IS NOT NULL")
            if cursor.fetchone() != (True,):
                return None
            cursor.execute("SELECT version_num FROM public.flowforge_migrations")
            row = cursor.fetchone()
            return str(row[0]) if row else None
    except psycopg2.Error as error:
        raise Unavailable(sentence("PostgreSQL does not answer")) from error


def _connect(url: str) -> psycopg2.extensions.connection:
    address = url.replace("postgresql+psycopg2://", "postgresql://", 1)
    return psycopg2.connect(address, connect_timeout=CONNECT_TIMEOUT_SECONDS)


def _number(revision: str) -> int:
    """A revision that is called otherwise is not ours: it counts as newer than all of them."""
    return int(revision) if revision.isdecimal() else sys.maxsize
