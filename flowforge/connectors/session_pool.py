"""Sessions with services, kept open between steps: a new one costs several round trips, and a process there.

A session is lent to one step at a time. Only steps of the same account, by the same credentials, share it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast
from uuid import UUID

from flowforge.connectors.errors import ConnectorError

MOST_LENT = 8
"""Sessions that one connection has at once in a process: database servers admit few."""
_MOST_IDLE = 32
_IDLE_SECONDS = 60.0


class Session(Protocol):
    @property
    def is_reusable(self) -> bool:
        """Whether another step may go on with it: its connection is alive, and holds nothing of the step before."""

    def close(self) -> None: ...


S = TypeVar("S", bound=Session)


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The account, and a digest of the credentials (`token_key`)."""

    user_id: UUID
    credentials: bytes


@dataclass(slots=True)
class _Idle:
    key: SessionKey
    session: Session
    until: float


@dataclass(slots=True)
class SessionPool:
    """Safe to share between threads."""

    _changed: threading.Condition = field(default_factory=threading.Condition)
    _idle: list[_Idle] = field(default_factory=list)
    """The one that came back last stands last."""
    _lent: Counter[SessionKey] = field(default_factory=Counter)
    _sweeper: threading.Timer | None = None

    @contextmanager
    def lend(self, key: SessionKey, connect: Callable[[], S], deadline: float) -> Iterator[S]:
        """A session for the length of the block: an idle one, or a new one. Raises ConnectorError where none is free
        before the deadline (a time of time.monotonic)."""
        session = self._take(key, deadline)
        try:
            lent = connect() if session is None else cast(S, session)
            try:
                yield lent
            finally:
                self._end(lent, key, may_be_kept=lent.is_reusable)
        finally:
            with self._changed:
                self._lent -= Counter((key,))  # which forgets it at zero
                self._changed.notify_all()

    def close_idle(self) -> None:
        with self._changed:
            ended, self._idle = self._idle, []
        _close(ended)

    def _take(self, key: SessionKey, deadline: float) -> Session | None:
        with self._changed:
            left = deadline - time.monotonic()
            if not self._changed.wait_for(lambda: self._lent[key] < MOST_LENT, max(0.0, left)):
                raise ConnectorError(f"all {MOST_LENT} sessions of this connection are in use", permanent=False)
            self._lent[key] += 1
        while (idle := self._pop(key)) is not None:
            if idle.until > time.monotonic() and idle.session.is_reusable:
                return idle.session
            _close([idle])
        return None

    def _pop(self, key: SessionKey) -> _Idle | None:
        with self._changed:
            found = next((idle for idle in reversed(self._idle) if idle.key == key), None)
            if found is not None:
                self._idle.remove(found)
            return found

    def _end(self, session: Session, key: SessionKey, *, may_be_kept: bool) -> None:
        idle = _Idle(key, session, time.monotonic() + _IDLE_SECONDS)
        _close(self._keep(idle) if may_be_kept else [idle])

    def _keep(self, idle: _Idle) -> list[_Idle]:
        """Returns what has to go for it."""
        with self._changed:
            self._idle.append(idle)
            if self._sweeper is None:
                self._plan_sweep()
            return [] if len(self._idle) <= _MOST_IDLE else [self._crowding()]

    def _crowding(self) -> _Idle:
        """Takes out the oldest session of the account that has most."""
        counts = Counter(idle.key.user_id for idle in self._idle)
        crowding = max(counts, key=lambda user_id: counts[user_id])
        oldest = next(idle for idle in self._idle if idle.key.user_id == crowding)
        self._idle.remove(oldest)
        return oldest

    def _plan_sweep(self) -> None:
        self._sweeper = threading.Timer(_IDLE_SECONDS, self._sweep)
        self._sweeper.daemon = True
        self._sweeper.start()

    def _sweep(self) -> None:
        now = time.monotonic()
        with self._changed:
            ended = [idle for idle in self._idle if idle.until <= now]
            self._idle = [idle for idle in self._idle if idle.until > now]
            self._sweeper = None
            if self._idle:
                self._plan_sweep()
        _close(ended)


def _close(ended: list[_Idle]) -> None:
    for idle in ended:
        with suppress(Exception):  # the other side may have been faster
            idle.session.close()
