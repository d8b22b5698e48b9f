"""Executions as the state machine takes them: the plan of their version, the rules, what surrounds their steps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flowforge.connectors.catalog import load_catalog
from flowforge.db.engine import Connection
from flowforge.db.executions_store import ExecutionState
from flowforge.engine.completion import PostCommit
from flowforge.engine.execution_batch import ExecutionBatch
from flowforge.engine.foreign_results import ForeignResults
from flowforge.engine.loaded_execution import LoadedExecution
from flowforge.engine.plans import Plans, Version
from flowforge.engine.start_messages import StartMessages, around
from flowforge.execution.machine import Rules, Run
from flowforge.jsonio import JsonObject
from flowforge.language.definition import RetryPolicy
from flowforge.wiring import Backends


class RunFactory:
    """Makes runs and batches of them, by the settings of this process."""

    def __init__(self, backends: Backends) -> None:
        settings = backends.settings
        self.plans = Plans()
        self.starts = StartMessages(settings, self.plans, load_catalog(), backends.vault)
        self.foreign_results = ForeignResults(backends, self.plans)
        self._links = backends.resume_links
        self._defaults = RetryPolicy(attempts=settings.step_max_attempts)
        self._output_limit = settings.step_output_max_bytes

    def new_run(self, version: Version, execution_id: UUID, payload: JsonObject) -> Run:
        now = datetime.now(UTC)
        rules = Rules(self._defaults, now, random.random(), self._output_limit)  # noqa: S311  (jitter, not a secret)
        return Run(version.plan, rules, payload, lambda frame: around(version, execution_id, frame, now, self._links))

    def new_batch(self, connection: Connection, post_commit: PostCommit) -> ExecutionBatch:
        return ExecutionBatch(connection, self.starts, post_commit)

    def load(self, connection: Connection, states: Sequence[ExecutionState], post_commit: PostCommit) -> ExecutionBatch:
        """Makes a batch of locked executions. Those whose version is gone cannot go on, and are left out."""
        versions = self.plans.get(connection, {state.version_id for state in states if state.version_id})
        batch = self.new_batch(connection, post_commit)
        for state in states:
            version = versions.get(state.version_id) if state.version_id else None
            if version is not None:
                run = self.new_run(version, state.id, state.trigger_payload or {})
                batch.add(LoadedExecution.of(state, version, run))
        return batch
