"""Databases on the tests' PostgreSQL: new ones, and the migrated one that each test finds empty."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from flowforge.embedded.postgres import program_folder
from tests.waiting import eventually

_numbers = itertools.count()
_END_OTHER_SESSIONS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
"""Gives the number of those that there still were. With a time limit, PostgreSQL would look only every 100 ms."""
_TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname <> ALL ('{pg_catalog,information_schema}') AND tablename <> 'flowforge_migrations'
"""
_SHAPE = (
    "SELECT (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_constraint)"
)
"""Changes with every table, column and constraint that a test makes or drops."""


@contextmanager
def fresh_database(server: str, template: str = "template1") -> Iterator[str]:
    """A copy of `template`. Making and dropping one takes PostgreSQL longer than most tests do."""
    name = f"test_{next(_numbers)}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.format(database=name)
    finally:
        administer(server, f"DROP DATABASE {name} WITH (FORCE)")


class CleanDatabase:
    """One database, handed out again and again, each time without a row; replaced when its tables were changed."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._name: str | None = None
        self._shape: Any = None
        self._empty_all = ""

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Its URL. Whatever is connected to it afterwards is cut off."""
        name = self._name or self._made()
        url = self._server.format(database=name)
        try:
            yield url
        finally:
            if not self._cleaned(url):
                administer(self._server, f"DROP DATABASE {name} WITH (FORCE)")
                self._name = None

    def _made(self) -> str:
        self._name = f"test_{next(_numbers)}"
        administer(self._server, f"CREATE DATABASE {self._name} TEMPLATE {self._template}")
        with _cursor(self._server.format(database=self._name)) as cursor:
            cursor.execute(_SHAPE)
            self._shape = cursor.fetchone()
            cursor.execute(_TABLES)
            self._empty_all = "; ".join(f"DELETE FROM {table}" for (table,) in cursor.fetchall())
        return self._name

    def _cleaned(self, url: str) -> bool:
        with _cursor(url) as cursor:
            eventually(lambda: _others_ended(cursor), every=0.002)
            cursor.execute(_SHAPE)
            if cursor.fetchone() != self._shape:
                return False
            # In any order: rows that refer to others go, too.
            cursor.execute(f"SET session_replication_role = replica; BEGIN; {self._empty_all}; COMMIT")
            return True


def _others_ended(cursor: Any) -> bool:
    cursor.execute(_END_OTHER_SESSIONS)
    return bool(cursor.fetchone() == (0,))


def administer(server: str, statement: str) -> None:
    with _cursor(server.format(database="postgres")) as cursor:
        cursor.execute(statement)


def dump(url: str) -> str:
    """Every table, constraint, index and row of a database, as SQL."""
    dumped = subprocess.run([program_folder() / "pg_dump", url], capture_output=True, text=True, check=True)
    lines = dumped.stdout.splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))  # random keys


@contextmanager
def _cursor(url: str) -> Iterator[Any]:
    """Each statement commits by itself."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor
