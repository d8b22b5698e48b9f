"""Whether an execution may begin: the concurrency and the rate limit of its workflow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from flowforge import jsonio
from flowforge.db import limits_store
from flowforge.language.definition import ConcurrencyLimit
from flowforge.language.expressions import resolve
from flowforge.operations.plans import Version


@dataclass(frozen=True, slots=True)
class Candidate:
    """An execution that wants to begin. `key` is that of its concurrency limit."""

    execution_id: UUID
    version: Version
    key: str | None

    @property
    def limit(self) -> ConcurrencyLimit | None:
        return self.version.plan.settings.concurrency


@dataclass(frozen=True, slots=True)
class Verdict:
    """It begins now, or at a time, or never (`skipped` says why)."""

    begin_at: datetime | None = None
    skipped: str | None = None


@dataclass(slots=True)
class Admission:
    """Decides about a batch. `displaced` are running executions that have to make room."""

    connection: Connection
    displaced: list[UUID]

    def admit(self, candidates: Sequence[Candidate], *, new: bool) -> dict[UUID, Verdict]:
        """`new`: they come for the first time; those that come back from the queue have had their turn."""
        verdicts = {one.execution_id: Verdict() for one in candidates}
        if new:
            verdicts |= self._by_rate(candidates)
        due = [one for one in candidates if verdicts[one.execution_id].begin_at is None]
        return verdicts | self._by_concurrency([one for one in due if one.key is not None])

    def _by_rate(self, candidates: Sequence[Candidate]) -> dict[UUID, Verdict]:
        verdicts = {}
        for workflow_id in sorted({one.version.workflow_id for one in candidates}):
            its = [one for one in candidates if one.version.workflow_id == workflow_id]
            rate = its[0].version.plan.settings.rate_limit
            if rate is None:
                continue
            turns = limits_store.take_turns(
                self.connection, workflow_id, len(its), limit=rate.limit, seconds=rate.seconds
            )
            now = datetime.now(UTC)
            for one, turn in zip(its, turns, strict=True):
                if turn > now:
                    verdicts[one.execution_id] = Verdict(begin_at=turn)
        return verdicts

    def _by_concurrency(self, candidates: Sequence[Candidate]) -> dict[UUID, Verdict]:
        keys = [one.key for one in candidates if one.key is not None]
        if not keys:
            return {}
        limits_store.lock_keys(self.connection, keys)
        running = limits_store.running(self.connection, keys)
        verdicts = {}
        for one in candidates:
            assert one.key is not None
            assert one.limit is not None
            taken = running.get(one.key, 0)
            if taken >= one.limit.limit and one.limit.on_limit == "cancelOldest":
                displaced = limits_store.oldest_running(self.connection, one.key, taken - one.limit.limit + 1)
                self.displaced += [id_ for id_ in displaced if id_ not in self.displaced]
                taken -= len(displaced)
            if taken < one.limit.limit:
                running[one.key] = taken + 1
            elif one.limit.on_limit == "skip":
                verdicts[one.execution_id] = Verdict(skipped=f"{taken} executions run already, which is the limit")
            else:
                verdicts[one.execution_id] = Verdict(begin_at=limits_store.NO_PLACE)
        return verdicts


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
