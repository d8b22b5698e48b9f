"""Executions that a limit of their workflow holds: which slots are free, which permits.

An orchestrator knows the slots it has freed itself, and lets the next executions begin right after. What others have
freed (a person who cancels, a process that died), it finds by looking: at a bounded number of queues at a time, never
at what is in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from flowforge.db import held_executions_store, permits_store, slots_store
from flowforge.db.engine import Connection
from flowforge.db.executions_store import ExecutionState
from flowforge.db.permits_store import Permits, PermitsUpdate
from flowforge.db.slots_store import SlotQueue
from flowforge.engine.admission import Admission, Candidate, permits_update
from flowforge.engine.plans import Plans, Version
from flowforge.engine.rate_window import RateWindow
from flowforge.language.definition import RateLimit

AT_ONCE = 500
"""Queues that are looked at, and executions that begin, in one transaction."""
_UNLIMITED = RateLimit(limit=AT_ONCE, seconds=1)
"""The limit of a version that cannot be read any more: its executions begin, and fail for that."""

_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class _Head:
    """The front of a key's queue: so many executions may begin, as long as they are of that version."""

    room: int
    version: Version

    @property
    def is_rate_limited(self) -> bool:
        return self.version.plan.settings.rate_limit is not None


class HeldExecutions:
    """The queues to look at. Which executions begin is decided under their locks, in a transaction of its own."""

    def __init__(self, plans: Plans) -> None:
        self._plans = plans
        self._freed: dict[str, None] = {}
        """Keys, in the order in which a slot of theirs was freed."""
        self._looked_up_to = ""
        self._at_once = AT_ONCE

    @property
    def at_once(self) -> int:
        """The number of executions that are taken at once: fewer, after that many were too much."""
        return self._at_once

    def note_taken(self, *, too_many: bool) -> None:
        self._at_once = max(1, self._at_once // 2) if too_many else min(AT_ONCE, self._at_once * 2)

    # Concurrency slots

    @property
    def has_freed_slots(self) -> bool:
        return bool(self._freed)

    def note_freed(self, keys: Iterable[str]) -> None:
        """Notes that a slot of each of these keys is free, committed before anything takes it."""
        self._freed |= dict.fromkeys(keys)

    def find_free_slots(self, connection: Connection) -> None:
        """Looks for keys that have a free slot and an execution that lacks one, from where the last look ended."""
        keys = slots_store.keys_lacking_slots(connection, after=self._looked_up_to, limit=AT_ONCE)
        self._looked_up_to = keys[-1] if len(keys) == AT_ONCE else ""
        if keys:
            self.note_freed(self._heads(connection, slots_store.slot_queues(connection, keys)))

    def take_slots(self, connection: Connection) -> list[ExecutionState]:
        """Gives the slots of freed keys to their oldest held executions. Returns, locked, those that begin now; those
        that lack a permit keep their slot until there is one."""
        keys = self._take_freed()
        held_executions_store.lock_keys(connection, keys)
        heads = self._heads(connection, slots_store.slot_queues(connection, keys))
        limited = {head.version.workflow_id for head in heads.values() if head.is_rate_limited}
        held_executions_store.lock_permits(connection, limited)
        wanted = _share_within({key: head.room for key, head in heads.items()}, self._at_once)
        found = held_executions_store.lock_lacking_slots(connection, wanted) if wanted else []
        taken, left = _split_by_version(found, heads)
        self._note_more(heads, wanted, taken, left)
        return _hold_without_permit(connection, taken, heads)

    def _take_freed(self) -> list[str]:
        """Takes keys off the list; what fails from here on is found again by looking."""
        keys = list(self._freed)[:AT_ONCE]
        for key in keys:
            del self._freed[key]
        return keys

    def _note_more(
        self,
        heads: Mapping[str, _Head],
        wanted: Mapping[str, int],
        taken: Sequence[ExecutionState],
        left: Sequence[ExecutionState],
    ) -> None:
        """Notes the keys that have more slots: executions of another version follow, or not all were requested."""
        of_other_version = {state.concurrency_key for state in left} & {state.concurrency_key for state in taken}
        self.note_freed(key for key, head in heads.items() if key in of_other_version or wanted.get(key, 0) < head.room)

    def _heads(self, connection: Connection, queues: Mapping[str, SlotQueue]) -> dict[str, _Head]:
        """The fronts of queues whose oldest execution finds a free slot."""
        pinned = {key: queue.next_version for key, queue in queues.items() if queue.next_version is not None}
        versions = self._plans.get(connection, pinned.values())
        readable = {key: versions[id_] for key, id_ in pinned.items() if id_ in versions}
        heads = {key: _Head(_room(version, queues[key]), version) for key, version in readable.items()}
        return {key: head for key, head in heads.items() if head.room > 0}

    # Rate permits

    def find_free_permits(self, connection: Connection, within: float) -> tuple[list[UUID], float]:
        """Returns workflows with a free permit that an execution waits for; and in how many seconds to look again."""
        awaited = permits_store.awaited_permits(connection, within=within, limit=AT_ONCE)
        later = [seconds for seconds in awaited.values() if seconds > 0]
        return [id_ for id_, seconds in awaited.items() if seconds <= 0], min(later, default=within)

    def take_permits(self, connection: Connection, workflow_ids: Sequence[UUID]) -> list[ExecutionState]:
        """Gives the free permits of these workflows to their oldest held executions. Returns those, locked."""
        held_executions_store.lock_permits(connection, workflow_ids)
        permits = permits_store.load_permits(connection, workflow_ids)
        windows = self._windows(connection, permits)
        wanted = _share_within({id_: window.free() for id_, window in windows.items()}, self._at_once)
        found = held_executions_store.lock_lacking_permits(connection, wanted) if wanted else []
        counts = Counter(state.workflow_id for state in found)
        for id_, window in windows.items():
            window.take(counts[id_], permits[id_].now)
        permits_store.save_permits(connection, _updates(permits, windows))
        return found

    def _windows(self, connection: Connection, permits: Mapping[UUID, Permits]) -> dict[UUID, RateWindow]:
        """The windows of workflows whose permits an execution waits for."""
        pinned = {id_: current.next_version for id_, current in permits.items() if current.next_version is not None}
        versions = self._plans.get(connection, pinned.values())
        readable = {id_: versions[version] for id_, version in pinned.items() if version in versions}
        rates = {id_: version.plan.settings.rate_limit or _UNLIMITED for id_, version in readable.items()}
        return {
            id_: RateWindow.of(rate, permits[id_].begun, permits[id_].transaction_began, permits[id_].late)
            for id_, rate in rates.items()
        }


def _updates(permits: Mapping[UUID, Permits], windows: Mapping[UUID, RateWindow]) -> list[PermitsUpdate]:
    awaited = [permits_update(id_, window, permits[id_], awaited=True) for id_, window in windows.items()]
    return awaited + [_no_longer_awaited(id_, current) for id_, current in permits.items() if id_ not in windows]


def _no_longer_awaited(workflow_id: UUID, permits: Permits) -> PermitsUpdate:
    return PermitsUpdate(workflow_id, permits.begun, datetime.fromtimestamp(permits.now, UTC), awaited=False)


def _hold_without_permit(
    connection: Connection, taken: Sequence[ExecutionState], heads: Mapping[str, _Head]
) -> list[ExecutionState]:
    """Returns the executions that have a permit, or need none; the others go on waiting, with their slot."""
    candidates = [Candidate(state.id, heads[key].version, key) for state in taken if (key := state.concurrency_key)]
    verdicts = Admission(connection).give_permits(candidates)
    begin_at = {id_: verdict.begin_at for id_, verdict in verdicts.items() if verdict.begin_at is not None}
    if begin_at:
        held_executions_store.put_off(connection, begin_at)
    return [state for state in taken if state.id not in begin_at]


def _room(version: Version, queue: SlotQueue) -> int:
    limit = version.plan.settings.concurrency
    return AT_ONCE if limit is None else limit.limit - queue.holders


def _share_within(wanted: Mapping[_Key, int], at_once: int) -> dict[_Key, int]:
    """Cut the numbers to `at_once` in total; keys that get nothing are left out."""
    left = at_once
    bounded = {}
    for key, count in wanted.items():
        granted = min(count, left)
        left -= granted
        if granted:
            bounded[key] = granted
    return bounded


def _split_by_version(
    found: Sequence[ExecutionState], heads: Mapping[str, _Head]
) -> tuple[list[ExecutionState], list[ExecutionState]]:
    """Splits off, of each key, what follows the first execution of another version, which may have other limits."""
    taken, left = [], []
    stopped = set()
    for state in found:
        key = state.concurrency_key or ""
        if key not in stopped and state.version_id == heads[key].version.id:
            taken.append(state)
        else:
            stopped.add(key)
            left.append(state)
    return taken, left
