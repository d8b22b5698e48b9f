"""Orchestrator, executor and log sink in one process, driven step by step on real PostgreSQL and Valkey."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from flowforge.bus import Message
from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.db.tables import ExecutionRow, StepAttempt, TriggerEventRow
from flowforge.engine import intake, redelivery
from flowforge.engine.consumer import Consumer
from flowforge.engine.executor import Executor
from flowforge.engine.intake import NewEvent
from flowforge.engine.log_sink import LogSink
from flowforge.engine.orchestrator import Orchestrator
from flowforge.events import TopicMessage
from flowforge.executions import executions
from flowforge.triggers.registrations import Triggers
from flowforge.wiring import Backends
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.views import WorkflowView
from flowforge.workflows.workflows import Workflows
from tests.waiting import eventually
from workers.runner import Runner

OWNER = uuid4()


class Pipeline:
    """What a test does with the engine: save workflows, accept events, look at executions."""

    def __init__(
        self,
        backends: Backends,
        catalog: Catalog | None = None,
        redelivery_grace: float = redelivery.GRACE_SECONDS,
        owner: UUID = OWNER,
    ) -> None:
        triggers = Triggers(backends.settings, backends.vault)
        self.backends = backends
        self._owner = owner
        self.workflows = Workflows(catalog or load_catalog(), backends.vault, triggers)
        self._redelivery_grace = redelivery_grace

    def workflow(self, *actions: dict[str, Any], **more: Any) -> WorkflowView:
        with Session(self.backends.engine, expire_on_commit=False) as session:
            change = WorkflowChange.read({"name": "w", "actions": list(actions), **more})
            return self.workflows.create(session, self._owner, change)

    def accept(self, workflow_id: UUID, payload: dict[str, Any] | None = None) -> NewEvent:
        """An event of the workflow's owner."""
        new = NewEvent(None, workflow_id, self._owner, "webhook", payload or {}, {"source": "webhook"})
        self.hand_in(new)
        return new

    def hand_in(self, new: NewEvent) -> None:
        """Commits an event, and announces it."""
        with self.backends.engine.begin() as connection:
            intake.record(connection, [new])
        intake.announce(self.backends.bus, [new], inline_limit=self.backends.settings.payload_inline_limit)

    def publish(self, topic: str, message: TopicMessage) -> None:
        self.backends.bus.publish([Message.of(topic, message)])

    def execution(self, event_id: UUID) -> ExecutionRow | None:
        with Session(self.backends.engine) as session:
            return session.scalar(select(ExecutionRow).where(ExecutionRow.event_id == event_id))

    def started(self, event_id: UUID) -> ExecutionRow:
        """The execution of the event, once the orchestrator has made it."""
        row = eventually(lambda: self.execution(event_id))
        assert row is not None
        return row

    def over(self, event_id: UUID) -> ExecutionRow | None:
        """The execution of the event, if it has ended."""
        row = self.execution(event_id)
        return row if row is not None and row.finished_at is not None else None

    def dropped_because(self, event_id: UUID) -> str:
        """Why the event led to no execution; empty where it was not dropped."""
        with Session(self.backends.engine) as session:
            return session.scalar(select(TriggerEventRow.dropped_because).where(TriggerEventRow.id == event_id)) or ""

    def finished(self, event_id: UUID) -> ExecutionRow:
        row = eventually(lambda: self.over(event_id))
        assert row is not None
        return row

    def last_of(
        self, workflow_id: UUID, *, trigger_type: str | None = None, finished: bool = True
    ) -> ExecutionRow | None:
        """The newest execution of the workflow, once there is one (that is over)."""
        wanted = select(ExecutionRow).where(ExecutionRow.workflow_id == workflow_id)
        if trigger_type is not None:
            wanted = wanted.where(ExecutionRow.trigger_type == trigger_type)
        if finished:
            wanted = wanted.where(ExecutionRow.finished_at.is_not(None))
        with Session(self.backends.engine) as session:
            return session.scalars(wanted.order_by(ExecutionRow.created_at.desc())).first()

    def count_of(self, workflow_id: UUID) -> int:
        with Session(self.backends.engine) as session:
            wanted = select(func.count()).select_from(ExecutionRow).where(ExecutionRow.workflow_id == workflow_id)
            return session.scalar(wanted) or 0

    def cancel(self, execution_id: UUID) -> None:
        with Session(self.backends.engine) as session:
            executions.cancel(session, self.backends, self._owner, execution_id)

    def attempts(self, execution_id: UUID) -> Sequence[StepAttempt]:
        with Session(self.backends.engine) as session:
            wanted = select(StepAttempt).where(StepAttempt.execution_id == execution_id)
            return session.scalars(wanted.order_by(StepAttempt.step_index, StepAttempt.attempt)).all()

    def change_attempts(self, what: str, execution_id: UUID | None = None, **values: object) -> None:
        """Sets columns of step attempts, of all there are or of one execution's."""
        of_one = "" if execution_id is None else " WHERE execution_id = :execution_id"
        statement = text(f"UPDATE orchestrator.step_attempts SET {what}{of_one}")
        with self.backends.engine.begin() as connection:
            connection.execute(statement, {"execution_id": execution_id, **values})

    def held_by_a_dead_executor(self, action: dict[str, Any], claims: int) -> NewEvent:
        """An execution whose step an executor has claimed that is dead; with no claims counted, it has not begun it."""
        workflow = self.workflow(action)
        with working(self.backends, Orchestrator):
            event = self.accept(workflow.id)
            self.started(event.event_id)
        self.backends.redis.flushall()
        self.change_attempts(
            "state = 'RUNNING', lease_owner = 'dead', claims = :claims, lapsed_at = now() - interval '1 minute',"
            " started_at = CASE WHEN :claims > 0 THEN now() END, lease_until = now() - interval '1 minute'",
            claims=claims,
        )
        return event

    def resend(self) -> redelivery.Redelivered:
        return redelivery.resend(self.backends, self._redelivery_grace)


@contextmanager
def working(backends: Backends, *consumers: Callable[[Backends], Consumer]) -> Iterator[None]:
    """Run these consumers (all three if none is named) until the block ends."""
    stopping = threading.Event()
    made: list[Consumer] = [consumer(backends) for consumer in consumers or (Orchestrator, Executor, LogSink)]
    threads = [threading.Thread(target=Runner(backends, consumer, stopping).run) for consumer in made]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        _end(threads, backends.redis)


def _end(threads: Sequence[threading.Thread], redis: Redis) -> None:
    """Waits for consumers that are to stop, waking those that wait for messages: that would take a second."""
    deadline = time.monotonic() + 20
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        with suppress(RedisError):
            _wake_readers(redis)
        for thread in threads:
            thread.join(0.02)


def _wake_readers(redis: Redis) -> None:
    clients: Any = redis.client_list()
    for client in clients:
        if "b" in client["flags"]:
            redis.client_unblock(int(client["id"]))
