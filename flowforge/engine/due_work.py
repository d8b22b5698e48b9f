"""Work that becomes due by time alone: retries, ends of waits, time limits."""

from __future__ import annotations

from uuid import UUID

from flowforge import events
from flowforge.bus import Message
from flowforge.db import ending_store, executions_store, timers_store, waits_store
from flowforge.db.engine import Connection
from flowforge.db.sizes_store import MOST_BYTES
from flowforge.db.waits_store import EndedWait
from flowforge.engine.advancing import advance
from flowforge.engine.announcements import wait_result
from flowforge.engine.completion import PostCommit
from flowforge.engine.run_factory import RunFactory
from flowforge.settings import Settings
from flowforge.wiring import log_topic

AT_ONCE = 500
_OVERDUE_AT_ONCE = 100


class DueWork:
    """Does what is due, in transactions of the caller's, of all executions or of `only` one."""

    def __init__(self, runs: RunFactory, settings: Settings) -> None:
        self._runs = runs
        self._log_topic = log_topic(settings, events.EXECUTION_RESULT)

    def do(self, connection: Connection, post_commit: PostCommit, only: UUID | None = None) -> bool:
        """Returns whether more of it may be due."""
        retries = self._send_retries(connection, post_commit, only)
        waits = self._end_waits(connection, post_commit, only)
        self._end_overdue(connection, post_commit, only)
        return AT_ONCE in (retries, len(waits)) or sum(wait.size for wait in waits) > MOST_BYTES // 2

    def executions(self, connection: Connection) -> list[UUID]:
        """Returns the executions in which something is due."""
        return timers_store.due_executions(connection, AT_ONCE)

    def _send_retries(self, connection: Connection, post_commit: PostCommit, only: UUID | None) -> int:
        due = timers_store.take_due_retries(connection, AT_ONCE, only)
        if due:
            post_commit.messages += self._runs.starts.remake(connection, due)
        return len(due)

    def _end_waits(self, connection: Connection, post_commit: PostCommit, only: UUID | None) -> list[EndedWait]:
        """Goes on from waits at once: many may be due at the same moment. Their results are published for the log."""
        ended = waits_store.end_due_waits(connection, AT_ONCE, only)
        if ended:
            results = [wait_result(wait, applied=True) for wait in ended]
            advance(self._runs, connection, results, post_commit)
            post_commit.messages += [Message.of(self._log_topic, result) for result in results]
        return ended

    def _end_overdue(self, connection: Connection, post_commit: PostCommit, only: UUID | None) -> None:
        """Fails executions whose time limit is over."""
        overdue = executions_store.lock_overdue(connection, _OVERDUE_AT_ONCE, only)
        if not overdue:
            return
        batch = self._runs.load(connection, overdue, post_commit)
        for execution in batch.executions:
            execution.fail(execution.run.why_overdue)
        batch.write()
        ending_store.drop_pending_attempts(connection, [execution.execution_id for execution in batch.executions])
