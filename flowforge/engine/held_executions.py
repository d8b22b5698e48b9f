"""Executions that a limit of their workflow holds back: whose place is free, whose turn has come.

An orchestrator knows the places it has freed itself, and lets the next ones begin right after. What others have freed
(somebody who cancels, a process that died), it finds by looking: at a bounded number of queues at a time, never at
what is in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from flowforge.db import executions_store as store
from flowforge.db import limits_store
from flowforge.db.executions_store import ExecutionState
from flowforge.db.limits_store import Queue, Turns
from flowforge.engine.admission import Admission, Candidate, turns_row
from flowforge.engine.plans import Plans, Version
from flowforge.engine.rate_permits import RateWindow
from flowforge.language.definition import RateLimit

AT_ONCE = 500
"""Queues that are looked at, and executions that begin, in one transaction."""
_UNLIMITED = RateLimit(limit=AT_ONCE, seconds=1)
"""Of a version that cannot be read any more: what waits of it begins, and fails for that."""

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class _Next:
    """What may be taken from the queue of a key: so many executions, as long as they are of that version."""

    room: int
    version: Version


class HeldExecutions:
    """The queues that are to be looked at. Who begins is decided under their locks, in a transaction of its own."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._freed: dict[str, None] = {}
        """Keys, in the order in which they were freed."""
        self._looked_up_to = ""

    @property
    def any_freed(self) -> bool:
        return bool(self._freed)

    def freed(self, keys: Iterable[str]) -> None:
        """A place of each of these keys is free, and that is committed when somebody takes it."""
        self._freed |= dict.fromkeys(keys)

    def look_for_places(self, connection: Connection) -> None:
        """Goes on where the last look ended."""
        keys = limits_store.awaited_keys(connection, after=self._looked_up_to, limit=AT_ONCE)
        self._looked_up_to = keys[-1] if len(keys) == AT_ONCE else ""
        if keys:
            self.freed(self._next(connection, limits_store.queues(connection, keys)))

    def take_places(self, connection: Connection) -> list[ExecutionState]:
        """Of the keys that were freed: as many executions as there is room for, the oldest of each first. Returns,
        locked, those that begin now; those that lack a turn keep their place until it comes."""
        keys = list(self._freed)[:AT_ONCE]
        for key in keys:  # what comes to grief from here on is found again by looking
            del self._freed[key]
        limits_store.lock_keys(connection, keys)
        next_ = self._next(connection, limits_store.queues(connection, keys))
        limits_store.lock_turns(connection, {one.version.workflow_id for one in next_.values() if _has_turns(one)})
        wanted = _bounded({key: one.room for key, one in next_.items()})
        found = store.lock_placeless(connection, wanted) if wanted else []
        taken, left = _led_by_their_version(found, next_)
        fed = {state.concurrency_key for state in taken}
        cut = {state.concurrency_key for state in left} & fed
        self.freed(key for key, one in next_.items() if key in cut or wanted.get(key, 0) < one.room)
        return _without_turnless(connection, taken, next_)

    def _next(self, connection: Connection, queues: Mapping[str, Queue]) -> dict[str, _Next]:
        """Of the keys whose oldest waiting execution finds a place."""
        heads = {key: queue.next_version for key, queue in queues.items() if queue.next_version is not None}
        versions = self._plans.get(connection, heads.values())
        known = {key: versions[id_] for key, id_ in heads.items() if id_ in versions}
        found = {key: _Next(_room(version, queues[key]), version) for key, version in known.items()}
        return {key: one for key, one in found.items() if one.room > 0}

    def look_for_turns(self, connection: Connection, within: float) -> tuple[list[UUID], float]:
        """Workflows with a turn that is free and awaited; and in how many seconds the next look is worth while."""
        awaited = limits_store.awaited_turns(connection, within=within, limit=AT_ONCE)
        later = [seconds for seconds in awaited.values() if seconds > 0]
        return [id_ for id_, seconds in awaited.items() if seconds <= 0], min(later, default=within)

    def take_turns(self, connection: Connection, workflow_ids: Sequence[UUID]) -> list[ExecutionState]:
        """Of these workflows: as many executions as there are turns, the oldest of each first. They are locked."""
        limits_store.lock_turns(connection, workflow_ids)
        turns = limits_store.turns(connection, workflow_ids)
        windows = self._windows(connection, turns)
        wanted = _bounded({id_: window.free() for id_, window in windows.items()})
        found = store.lock_turnless(connection, wanted) if wanted else []
        counts = Counter(state.workflow_id for state in found)
        for id_, window in windows.items():
            window.take(counts[id_], turns[id_].now)
        limits_store.keep_turns(
            connection,
            [turns_row(id_, window, turns[id_], awaited=True) for id_, window in windows.items()]
            + [_unawaited_row(id_, its) for id_, its in turns.items() if id_ not in windows],
        )
        return found

    def _windows(self, connection: Connection, turns: Mapping[UUID, Turns]) -> dict[UUID, RateWindow]:
        """Of the workflows whose turns somebody waits for."""
        heads = {id_: its.next_version for id_, its in turns.items() if its.next_version is not None}
        versions = self._plans.get(connection, heads.values())
        known = {id_: versions[head] for id_, head in heads.items() if head in versions}
        rates = {id_: version.plan.settings.rate_limit or _UNLIMITED for id_, version in known.items()}
        return {id_: RateWindow.of(rate, turns[id_].begun, turns[id_].asked_at) for id_, rate in rates.items()}


def _without_turnless(
    connection: Connection, taken: Sequence[ExecutionState], next_: Mapping[str, _Next]
) -> list[ExecutionState]:
    candidates = [Candidate(state.id, next_[key].version, key) for state in taken if (key := state.concurrency_key)]
    begin_at = {
        id_: verdict.begin_at
        for id_, verdict in Admission(connection).give_turns(candidates).items()
        if verdict.begin_at is not None
    }
    if begin_at:
        limits_store.put_off(connection, begin_at)
    return [state for state in taken if state.id not in begin_at]


def _room(version: Version, queue: Queue) -> int:
    limit = version.plan.settings.concurrency
    return AT_ONCE if limit is None else limit.limit - queue.placed


def _has_turns(one: _Next) -> bool:
    return one.version.plan.settings.rate_limit is not None


def _bounded(wanted: Mapping[_Key, int]) -> dict[_Key, int]:
    """No more than are taken at once; those that get nothing are left out."""
    left = AT_ONCE
    bounded = {}
    for key, count in wanted.items():
        given = min(count, left)
        left -= given
        if given:
            bounded[key] = given
    return bounded


def _led_by_their_version(
    found: Sequence[ExecutionState], next_: Mapping[str, _Next]
) -> tuple[list[ExecutionState], list[ExecutionState]]:
    """Of each key those before the first of another version, for which other limits may hold; and the others."""
    taken, left = [], []
    stopped = set()
    for state in found:
        key = state.concurrency_key or ""
        if key not in stopped and state.version_id == next_[key].version.id:
            taken.append(state)
        else:
            stopped.add(key)
            left.append(state)
    return taken, left


def _unawaited_row(workflow_id: UUID, turns: Turns) -> dict[str, Any]:
    """As limits_store.keep_turns takes it."""
    free_at = datetime.fromtimestamp(turns.now, UTC)
    return {"workflow_id": workflow_id, "begun": turns.begun, "taken_until": free_at, "awaited": False}
