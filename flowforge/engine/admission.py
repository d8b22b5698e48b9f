"""Whether an execution may begin: the concurrency limit and the rate limit of its workflow.

First it needs a slot among the executions of its key, then a rate permit of its workflow: what is dropped for want of a
slot takes no permit, and what waits for a permit keeps its slot. Nothing overtakes an older execution that waits.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flowforge import jsonio
from flowforge.db import held_executions_store, permits_store, slots_store
from flowforge.db.engine import Connection
from flowforge.db.permits_store import Permits, PermitsUpdate
from flowforge.engine.plans import Version
from flowforge.engine.rate_window import RateWindow
from flowforge.language.definition import ConcurrencyLimit, RateLimit
from flowforge.language.expressions.resolving import resolve


@dataclass(frozen=True, slots=True)
class Candidate:
    """An execution that is about to begin. `key` is that of its concurrency limit."""

    execution_id: UUID
    version: Version
    key: str | None

    @property
    def concurrency(self) -> ConcurrencyLimit | None:
        return self.version.plan.settings.concurrency

    @property
    def rate(self) -> RateLimit | None:
        return self.version.plan.settings.rate_limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """The refusal of an execution that may not begin now: it is held until `begin_at`, dropped (`skipped` says why), or
    displaced by a newer execution of its batch."""

    begin_at: datetime | None = None
    skipped: str | None = None
    displaced: bool = False


Verdicts = dict[UUID, Verdict]
"""Verdicts by execution; executions that may begin have none."""


@dataclass(slots=True)
class _Slots:
    """The slots of one key while the executions of a batch request them."""

    holders: int
    """Executions before the batch that hold a slot, without those that have to make room."""
    awaited: bool
    granted: list[Candidate] = field(default_factory=list)
    """Executions of the batch that have a slot, the oldest first."""
    to_displace: int = 0
    """Number of executions before the batch that have to end."""

    @property
    def taken(self) -> int:
        return self.holders + len(self.granted)

    def make_room(self, limit: int) -> list[Candidate]:
        """Takes slots from the oldest until a slot is free: first from executions before the batch, then from those of
        the batch, which are returned."""
        excess = max(0, self.taken - limit + 1)
        before = min(excess, self.holders)
        self.holders -= before
        self.to_displace += before
        displaced, self.granted = self.granted[: excess - before], self.granted[excess - before :]
        return displaced


@dataclass(slots=True)
class Admission:
    """Decides about batches of candidates, the oldest first. The caller's transaction holds no rows of executions."""

    connection: Connection
    to_displace: dict[str, int] = field(default_factory=dict)
    """Number of executions of each key that have to make room, the oldest first."""

    def admit(self, candidates: Sequence[Candidate]) -> Verdicts:
        """Gives slots and permits to executions that come for the first time."""
        verdicts = self._give_slots([candidate for candidate in candidates if candidate.key is not None])
        left = [candidate for candidate in candidates if candidate.execution_id not in verdicts]
        return verdicts | self.give_permits(left)

    def give_permits(self, candidates: Sequence[Candidate]) -> Verdicts:
        """Gives permits to executions that have a slot, or need none."""
        by_workflow: dict[UUID, list[Candidate]] = defaultdict(list)
        for candidate in candidates:
            if candidate.rate is not None:
                by_workflow[candidate.version.workflow_id].append(candidate)
        if not by_workflow:
            return {}
        held_executions_store.lock_permits(self.connection, by_workflow)
        permits = permits_store.load_permits(self.connection, list(by_workflow))
        verdicts: Verdicts = {}
        updates = [_take_permits(by_workflow[id_], id_, current, verdicts) for id_, current in permits.items()]
        permits_store.save_permits(self.connection, updates)
        return verdicts

    def _give_slots(self, candidates: Sequence[Candidate]) -> Verdicts:
        keys = [candidate.key for candidate in candidates if candidate.key is not None]
        if not keys:
            return {}
        held_executions_store.lock_keys(self.connection, keys)
        queues = slots_store.slot_queues(self.connection, keys)
        slots = {key: _Slots(queue.holders, queue.next_version is not None) for key, queue in queues.items()}
        verdicts: Verdicts = {}
        for candidate in candidates:
            if candidate.key is not None and candidate.concurrency is not None:
                _take_slot(candidate, candidate.concurrency, slots[candidate.key], verdicts)
        self.to_displace = {key: counted.to_displace for key, counted in slots.items() if counted.to_displace}
        return verdicts


def _take_slot(candidate: Candidate, limit: ConcurrencyLimit, slots: _Slots, verdicts: Verdicts) -> None:
    """Adds the verdict on the candidate, where it gets no slot, and on those that have to make room for it."""
    newest_first = limit.on_limit == "cancelOldest"
    if newest_first:
        verdicts |= {gone.execution_id: Verdict(displaced=True) for gone in slots.make_room(limit.limit)}
    if slots.taken < limit.limit and (newest_first or not slots.awaited):
        slots.granted.append(candidate)
    elif limit.on_limit == "skip":
        verdicts[candidate.execution_id] = Verdict(skipped=f"{slots.taken} executions run already, which is the limit")
    else:
        slots.awaited = True
        verdicts[candidate.execution_id] = Verdict(begin_at=held_executions_store.NO_SLOT)


def _take_permits(
    candidates: Sequence[Candidate], workflow_id: UUID, permits: Permits, verdicts: Verdicts
) -> PermitsUpdate:
    """Adds the verdicts on candidates of one workflow that get no permit."""
    rate = candidates[-1].rate
    assert rate is not None
    window = RateWindow.of(rate, permits.begun, permits.transaction_began, permits.late)
    taken = 0 if permits.next_version is not None else window.take(len(candidates), permits.now)
    awaited = permits.awaited or taken < len(candidates)
    update = permits_update(workflow_id, window, permits, awaited=awaited)
    verdicts |= {candidate.execution_id: Verdict(begin_at=update.taken_until) for candidate in candidates[taken:]}
    return update


def permits_update(workflow_id: UUID, window: RateWindow, permits: Permits, *, awaited: bool) -> PermitsUpdate:
    """The row that remembers the permits taken from the window."""
    free_at = datetime.fromtimestamp(window.next_free(permits.now), UTC)
    return PermitsUpdate(workflow_id, window.begun, free_at, awaited)


def concurrency_key(version: Version, payload: Mapping[str, Any]) -> str | None:
    """The key by which executions of the workflow are counted; None without a limit. Raises ExpressionError."""
    limit = version.plan.settings.concurrency
    if limit is None:
        return None
    roots = {"trigger": payload, "workflow": version.root}
    value = resolve(limit.key or "", roots, step="settings", field="concurrency.key")
    return f"{version.workflow_id}:{hashlib.sha256(jsonio.dumps(value)).hexdigest()[:32]}"
