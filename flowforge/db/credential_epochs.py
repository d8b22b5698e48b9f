"""Credentials epochs of accounts, in memory: what was issued under an earlier epoch has ended. So has what was issued
to a session that was ended by itself.

A token can name the epoch and the session it was issued for, so whether it still counts is asked of memory, not of the
database; sessions that ended so long ago that no access token of theirs is left are not remembered. A change is told by
PostgreSQL (NOTIFY), in all processes as soon as it is committed. What is remembered is also read again all the time,
and counts for STALE_SECONDS after it was read, in case the telling is lost.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import wait
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg2
from sqlalchemy import ARRAY, Connection, Engine, Uuid, event, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from flowforge.db.engine import unavailable_when_down
from flowforge.db.tables import RefreshToken, User

STALE_SECONDS = 5.0
_CHECK_SECONDS = 2.0
_RECONNECT_SECONDS = 1.0
_JOIN_SECONDS = 5.0
_UNASKED_SECONDS = 900.0
"""Accounts that nobody asked about for so long are forgotten."""
_SETTLED_SECONDS = 1.0
"""What was read less long ago needs nobody to watch for changes yet."""
_CHANNEL = "flowforge_credentials"
_MARGIN = timedelta(minutes=2)
"""Time for which an ended session is remembered beyond the life of its last access token: clocks differ."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Validity:
    """What counts of an account's credentials."""

    epoch: int | None
    """None: there is no such account."""
    ended: frozenset[UUID] = frozenset()
    """Sessions that were ended lately."""


@dataclass(frozen=True, slots=True)
class _Known:
    validity: Validity
    read_at: float


def tell_of_change(session: Session, user_id: UUID) -> None:
    """Makes all processes look at their accounts again once the transaction is committed, this one before the commit
    returns."""
    session.execute(select(func.pg_notify(_CHANNEL, str(user_id))))
    own = _own_epochs.get(session.get_bind())
    if own is not None:
        event.listen(session, "after_commit", lambda _committed: own.forget(user_id), once=True)


class CredentialEpochs:
    """The present epochs of the accounts that are asked about. Safe between threads.

    A thread of its own watches for changes. It begins with the first account that is asked about for longer than a
    moment: never before a server forks.
    """

    def __init__(self, engine: Engine, access_token_lifetime: timedelta) -> None:
        self._engine = engine
        self._remembered_for = access_token_lifetime + _MARGIN
        self._known: dict[UUID, _Known] = {}
        self._asked_at: dict[UUID, float] = {}
        self._changes = 0
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None
        self._ending, self._end = socket.socketpair()
        _own_epochs[engine] = self

    def current(self, user_id: UUID) -> Validity:
        """What counts of the account's credentials, as it was at most STALE_SECONDS ago. Raises Unavailable."""
        now = time.monotonic()
        self._asked_at[user_id] = now
        known = self._known.get(user_id)
        if known is None or now - known.read_at > STALE_SECONDS:
            return self._read(user_id)
        if self._watcher is None and now - known.read_at > _SETTLED_SECONDS:
            self._watch_from_now()
        return known.validity

    def forget(self, user_id: UUID) -> None:
        """Makes the next look at the account ask the database."""
        with self._lock:
            self._changes += 1
            self._known.pop(user_id, None)

    def close(self) -> None:
        """Ends the thread."""
        self._end.close()
        if self._watcher is not None:
            self._watcher.join(_JOIN_SECONDS)
        self._ending.close()

    def _read(self, user_id: UUID) -> Validity:
        with unavailable_when_down(), self._engine.connect() as connection:
            return self._remember(connection, [user_id])[user_id].validity

    def _remember(self, connection: Connection, user_ids: Collection[UUID]) -> dict[UUID, _Known]:
        """Read what counts, and remember it unless an account has changed meanwhile."""
        changes, now = self._changes, time.monotonic()
        found = self._validities(connection, user_ids)
        read = {user_id: _Known(found.get(user_id, Validity(None)), now) for user_id in user_ids}
        with self._lock:
            if changes == self._changes:
                self._known |= read
        return read

    def _validities(self, connection: Connection, user_ids: Collection[UUID]) -> dict[UUID, Validity]:
        ended = (
            select(RefreshToken.family_id)
            .distinct()
            .where(RefreshToken.user_id == User.id, RefreshToken.revoked_at > func.now() - self._remembered_for)
        )
        ended_sessions = func.array(ended.scalar_subquery(), type_=ARRAY(Uuid))
        rows = connection.execute(select(User.id, User.credentials_epoch, ended_sessions).where(User.id.in_(user_ids)))
        return {user_id: Validity(epoch, frozenset(sessions)) for user_id, epoch, sessions in rows}

    def _watch_from_now(self) -> None:
        with self._lock:
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="credential-epochs", daemon=True)
                self._watcher.start()

    def _watch(self) -> None:
        reconnect_in = 0.0
        while not wait([self._ending], reconnect_in):
            try:
                with self._listening() as connection:
                    self._follow(connection)
            except (SQLAlchemyError, psycopg2.Error, OSError) as error:
                log.warning(
                    "credentials are checked with PostgreSQL each time, since it tells of no changes: %s", error
                )
            reconnect_in = _RECONNECT_SECONDS

    @contextmanager
    def _listening(self) -> Iterator[Connection]:
        """A connection of its own, beside the pool, that is told of changes."""
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.detach()
            connection.exec_driver_sql(f"LISTEN {_CHANNEL}")
            yield connection

    def _follow(self, connection: Connection) -> None:
        """Read again what is remembered, now and whenever a change is told, until the end."""
        told: Any = connection.connection.dbapi_connection
        ending = False
        while not ending:
            told.notifies.clear()
            self._remember(connection, self._still_asked_about())
            ending = self._ending in _wait_for_news(told, self._ending)

    def _still_asked_about(self) -> Collection[UUID]:
        """Forget the accounts that nobody asks about any more; return the others."""
        long_ago = time.monotonic() - _UNASKED_SECONDS
        for user_id in [user_id for user_id, asked_at in list(self._asked_at.items()) if asked_at < long_ago]:
            self._asked_at.pop(user_id, None)
            self._known.pop(user_id, None)
        return list(self._asked_at)


_own_epochs: WeakKeyDictionary[Engine | Connection, CredentialEpochs] = WeakKeyDictionary()
"""What this process remembers, by the engine it is read with."""


def _wait_for_news(told: Any, *others: Any) -> Sequence[Any]:
    """Wait until a change is told, or one of the others can be read, or it is time to look; return what can be read."""
    if told.notifies:  # they came with the answer to a query
        return []
    readable = wait([told, *others], _CHECK_SECONDS)
    told.poll()
    return readable
