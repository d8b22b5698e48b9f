"""Statements that PostgreSQL parses and plans once for each connection, rather than for each call.

psycopg2 sends statements as text, each to be planned anew: for a short one that takes longer than the work. Those of
the hot path are sent with the execution options `PREPARED`: the first call on a connection sends PREPARE, and every
call is an EXECUTE. Callers, and who listens to statements, see the statement as it was written.

For statements whose plan does not depend on the values: rows by their keys, whole batches as one JSON array.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import ExecutionContext

_OPTION = "flowforge_prepared"
PREPARED = {_OPTION: True}
"""Execution options of such a statement. Its parameters are named, `%(name)s`; where a list is given, its type follows:
`%(ids)s::uuid[]`."""

_KNOWN = "flowforge_prepared"
"""The key under which a driver's connection, which `Connection.info` belongs to, has the names of what it knows."""
_PARAMETER = re.compile(r"%\((\w+)\)s(::\w+(?:\[\])?)?")


def prepare_statements(engine: Engine) -> None:
    """Lets the engine prepare statements that are sent with `PREPARED`; without it they are sent as they are."""
    event.listen(engine, "do_execute", _execute)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The two statements that stand for one."""

    name: str
    prepare: str
    execute: str


def _execute(cursor: Any, statement: str, parameters: Any, context: ExecutionContext) -> bool:
    """Executes what is to be prepared; False: SQLAlchemy is to execute the statement as it is."""
    if not context.execution_options.get(_OPTION):
        return False
    return execute_prepared(cursor, context.root_connection.info, statement, parameters)


def execute_prepared(cursor: Any, info: dict[str, Any], statement: str, parameters: Mapping[str, Any]) -> bool:
    """Executes a statement as with `PREPARED`, by a cursor of the driver's; `info` belongs to its connection. False:
    nothing can be prepared on this connection, so the statement is to be executed as it is."""
    if _KNOWN not in info:
        info[_KNOWN] = set() if _has_session(cursor) else None
    known: set[str] | None = info[_KNOWN]
    if known is None:
        return False
    prepared = _split(statement)
    if prepared.name not in known:
        cursor.execute(prepared.prepare)
        known.add(prepared.name)
    cursor.execute(prepared.execute, parameters)
    return True


def _has_session(cursor: Any) -> bool:
    """Whether the server's session is the connection's own, so that what is prepared will be known there. A pooler that
    gives every transaction another one (PgBouncer) has told the client a number of its own for the backend."""
    cursor.execute("SELECT pg_backend_pid()")
    return bool(cursor.fetchone()[0] == cursor.connection.info.backend_pid)


@lru_cache
def _split(statement: str) -> _Prepared:
    parameters: dict[str, str] = {}
    for name, type_ in _PARAMETER.findall(statement):
        parameters[name] = parameters.get(name) or type_
    places = {name: f"${place}" for place, name in enumerate(parameters, start=1)}
    numbered = _PARAMETER.sub(lambda found: places[found[1]] + (found[2] or ""), statement).replace("%%", "%")
    name = f"flowforge_{sha256(statement.encode()).hexdigest()[:16]}"
    values = ", ".join(f"%({each})s{type_}" for each, type_ in parameters.items())
    return _Prepared(name, f"PREPARE {name} AS {numbered}", f"EXECUTE {name} ({values})")
