"""Whether an execution may begin: the concurrency and the rate limit of its workflow.

First it needs a place among the executions of its key, then a turn of its workflow: what is dropped for want of a place
takes no turn, and what waits for its turn keeps its place. Nobody overtakes an older one that waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db import limits_store
from flowforge.db.limits_store import Turns
from flowforge.engine.plans import Version
from flowforge.engine.rate_permits import RateWindow
from flowforge.language.definition import ConcurrencyLimit, RateLimit
from flowforge.language.expressions.resolving import resolve


@dataclass(frozen=True, slots=True)
class Candidate:
    """An execution that wants to begin. `key` is that of its concurrency limit."""

    execution_id: UUID
    version: Version
    key: str | None

    @property
    def limit(self) -> ConcurrencyLimit | None:
        return self.version.plan.settings.concurrency

    @property
    def rate(self) -> RateLimit | None:
        return self.version.plan.settings.rate_limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """It begins now, or is held back, or never begins: it is dropped (`skipped` says why), or displaced by a newer one
    of its batch."""

    begin_at: datetime | None = None
    skipped: str | None = None
    displaced: bool = False


Verdicts = dict[UUID, Verdict]
"""Of those that may not begin now."""


@dataclass(slots=True)
class _Places:
    """The places of one key while a batch asks for them."""

    placed: int
    """Before the batch, without those that have to make room."""
    awaited: bool
    entered: list[Candidate] = field(default_factory=list)
    """Those of the batch that have a place, the oldest first."""
    to_displace: int = 0
    """Of the executions before the batch."""

    @property
    def taken(self) -> int:
        return self.placed + len(self.entered)

    def make_room(self, limit: int) -> list[Candidate]:
        """The oldest go until there is room for one: those before the batch, then of the batch. Returns the latter."""
        excess = max(0, self.taken - limit + 1)
        before = min(excess, self.placed)
        self.placed -= before
        self.to_displace += before
        gone, self.entered = self.entered[: excess - before], self.entered[excess - before :]
        return gone


@dataclass(slots=True)
class Admission:
    """Decides about batches of candidates, the oldest first. The caller's transaction holds no rows of executions."""

    connection: Connection
    to_displace: dict[str, int] = field(default_factory=dict)
    """How many executions of a key have to make room, the oldest first."""

    def admit(self, candidates: Sequence[Candidate]) -> Verdicts:
        """Of executions that come for the first time."""
        verdicts = self._give_places([one for one in candidates if one.key is not None])
        return verdicts | self.give_turns([one for one in candidates if one.execution_id not in verdicts])

    def _give_places(self, candidates: Sequence[Candidate]) -> Verdicts:
        keys = [one.key for one in candidates if one.key is not None]
        if not keys:
            return {}
        limits_store.lock_keys(self.connection, keys)
        queues = limits_store.queues(self.connection, keys)
        places = {key: _Places(queue.placed, queue.next_version is not None) for key, queue in queues.items()}
        verdicts: Verdicts = {}
        for one in candidates:
            if one.key is not None and one.limit is not None:
                _ask_for_place(one, one.limit, places[one.key], verdicts)
        self.to_displace = {key: its.to_displace for key, its in places.items() if its.to_displace}
        return verdicts

    def give_turns(self, candidates: Sequence[Candidate]) -> Verdicts:
        """Of executions that have a place, or need none."""
        by_workflow: dict[UUID, list[Candidate]] = {}
        for one in candidates:
            if one.rate is not None:
                by_workflow.setdefault(one.version.workflow_id, []).append(one)
        if not by_workflow:
            return {}
        limits_store.lock_turns(self.connection, by_workflow)
        verdicts: Verdicts = {}
        rows = []
        for workflow_id, turns in limits_store.turns(self.connection, list(by_workflow)).items():
            its = by_workflow[workflow_id]
            rate = its[-1].rate
            assert rate is not None
            window = RateWindow.of(rate, turns.begun, turns.asked_at)
            taken = 0 if turns.next_version is not None else window.take(len(its), turns.now)
            row = turns_row(workflow_id, window, turns, awaited=turns.awaited or taken < len(its))
            verdicts |= {one.execution_id: Verdict(begin_at=row["taken_until"]) for one in its[taken:]}
            rows.append(row)
        limits_store.keep_turns(self.connection, rows)
        return verdicts


def _ask_for_place(one: Candidate, limit: ConcurrencyLimit, places: _Places, verdicts: Verdicts) -> None:
    """Adds the verdict on it, where it gets none, and on those that have to make room for it."""
    newest_first = limit.on_limit == "cancelOldest"
    if newest_first:
        verdicts |= {gone.execution_id: Verdict(displaced=True) for gone in places.make_room(limit.limit)}
    if places.taken < limit.limit and (newest_first or not places.awaited):
        places.entered.append(one)
    elif limit.on_limit == "skip":
        verdicts[one.execution_id] = Verdict(skipped=f"{places.taken} executions run already, which is the limit")
    else:
        places.awaited = True
        verdicts[one.execution_id] = Verdict(begin_at=limits_store.NO_PLACE)


def turns_row(workflow_id: UUID, window: RateWindow, turns: Turns, *, awaited: bool) -> dict[str, Any]:
    """As limits_store.keep_turns takes it."""
    free_at = datetime.fromtimestamp(window.next_free(turns.now), UTC)
    return {"workflow_id": workflow_id, "begun": window.begun, "taken_until": free_at, "awaited": awaited}


def concurrency_key(version: Version, payload: Mapping[str, Any]) -> str | None:
    """What executions of the workflow are counted by; None where nothing limits them. Raises ExpressionError."""
    limit = version.plan.settings.concurrency
    if limit is None:
        return None
    workflow = {"id": str(version.workflow_id), "name": version.name}
    value = resolve(
        limit.key or "", {"trigger": payload, "workflow": workflow}, step="settings", field="concurrency.key"
    )
    text = jsonio.dumps(value)
    return f"{version.workflow_id}:{hashlib.sha256(text).hexdigest()[:32]}"
