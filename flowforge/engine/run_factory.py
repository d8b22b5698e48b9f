"""Executions as the state machine takes them: the plan of their version, the rules, what surrounds their steps."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from flowforge.connectors.catalog import Catalog, load_catalog
from flowforge.db import variables_store
from flowforge.db.engine import Connection
from flowforge.db.executions_store import ExecutionState
from flowforge.db.variables_store import NO_VALUES, Values
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
    """Makes runs and batches of them, by the settings of this process. `catalog`: the connectors that there are, if
    others than those that are installed."""

    def __init__(self, backends: Backends, catalog: Catalog | None = None) -> None:
        settings = backends.settings
        self.plans = Plans()
        self.starts = StartMessages(settings, self.plans, catalog or load_catalog(), backends.vault)
        self.foreign_results = ForeignResults(backends, self.plans)
        self._links = backends.resume_links
        self._defaults = RetryPolicy(attempts=settings.step_max_attempts)
        self._output_limit = settings.step_output_max_bytes

    def variables(self, connection: Connection, runs: Iterable[tuple[UUID, Version]]) -> Mapping[UUID, Values]:
        """The variables of the accounts by which versions are run, by account. No statement where none are called."""
        return variables_store.load(connection, {user_id for user_id, version in runs if version.may_call_variables})

    def new_run(self, version: Version, execution_id: UUID, payload: JsonObject, variables: Values) -> Run:
        now = datetime.now(UTC)
        rules = Rules(self._defaults, now, random.random(), self._output_limit)  # noqa: S311  (jitter, not a secret)
        return Run(
            version.plan,
            rules,
            payload,
            lambda frame: around(version, execution_id, frame, now, self._links, variables),
        )

    def new_batch(self, connection: Connection, post_commit: PostCommit) -> ExecutionBatch:
        return ExecutionBatch(connection, self.starts, post_commit)

    def load(self, connection: Connection, states: Sequence[ExecutionState], post_commit: PostCommit) -> ExecutionBatch:
        """Makes a batch of locked executions. Those whose version is gone cannot go on, and are left out."""
        versions = self.plans.get(connection, {state.version_id for state in states if state.version_id})
        batch = self.new_batch(connection, post_commit)
        found = [(state, versions[state.version_id]) for state in states if state.version_id in versions]
        variables = self.variables(connection, [(state.user_id, version) for state, version in found])
        for state, version in found:
            own = variables.get(state.user_id, NO_VALUES)
            run = self.new_run(version, state.id, state.trigger_payload or {}, own)
            batch.add(LoadedExecution.of(state, version, run))
        return batch
