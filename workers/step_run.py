"""One attempt of one step: open its secrets, resolve its expressions, run its connector, keep the secrets in."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flowforge import jsonio
from flowforge.connectors.catalog import Catalog, UnknownAction
from flowforge.connectors.sdk import ConnectorError
from flowforge.connectors.sdk import StepContext as ConnectorContext
from flowforge.connectors.tools import make_tools
from flowforge.events import ExecutionStart
from flowforge.execution.retry import Failure
from flowforge.language.expressions import ExpressionError, resolve
from flowforge.language.plan import Step
from flowforge.operations.plans import Version
from flowforge.secrets import SecretUnreadable, Vault, mask_values
from flowforge.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StepRun:
    """What to run. `version` is None where another implementation's orchestrator sent it."""

    start: ExecutionStart
    version: Version | None

    @property
    def step(self) -> Step | None:
        return self.version.plan.step(self.start.step_index) if self.version else None

    @property
    def step_id(self) -> str:
        return self.step.id if self.step else f"step_{self.start.step_index}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: an output, or a failure."""

    output: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


class StepRunner:
    """Runs steps; shared by the executor's threads. Never raises: whatever goes wrong is the step's failure."""

    def __init__(self, settings: Settings, catalog: Catalog, vault: Vault) -> None:
        self._settings = settings
        self._catalog = catalog
        self._vault = vault
        self._tools = make_tools(settings)

    def time_limit(self, run: StepRun) -> float:
        """Seconds."""
        return (run.step.timeout if run.step else None) or self._settings.step_timeout_seconds

    def run(self, run: StepRun) -> Outcome:
        secrets: list[str] = []
        try:
            return self._run(run, secrets)
        except ConnectorError as error:
            failure = Failure(str(error), error.permanent, error.retry_after)
        except (ExpressionError, UnknownAction, SecretUnreadable) as error:
            failure = Failure(str(error), permanent=True)
        except Exception as error:
            # A connector may raise anything, and a worker must outlive it.
            logger.exception("connector %s failed unexpectedly", run.start.action_type)
            failure = Failure(f"{type(error).__name__} in connector {run.start.action_type}: {error}", permanent=True)
        return Outcome(failure=_without(failure, secrets))

    def _run(self, run: StepRun, secrets: list[str]) -> Outcome:
        start = run.start
        connector = self._catalog.get(start.action_type)
        opened = self._catalog.open(start.action_type, start.action_config, self._vault)
        secrets += self._catalog.secret_values(start.action_type, opened)
        config = connector.parse(self._resolved(run, opened))
        output = connector.run(config, self._context(run))
        return self._checked(mask_values(output, secrets), start)

    def _resolved(self, run: StepRun, config: dict[str, Any]) -> dict[str, Any]:
        if run.step is None or not run.step.templated:
            return config
        resolved: dict[str, Any] = resolve(config, self._scope(run), step=run.step_id, field="config")
        return resolved

    def _scope(self, run: StepRun) -> dict[str, Any]:
        assert run.version is not None
        return {
            "trigger": run.start.trigger_payload,
            "steps": run.version.plan.outputs(run.start.context.get("steps") or {}),
            "workflow": {"id": str(run.start.workflow_id), "name": run.version.name},
            "execution": {"id": str(run.start.execution_id)},
            "now": datetime.now(UTC),
        }

    def _context(self, run: StepRun) -> ConnectorContext:
        start = run.start
        return ConnectorContext(
            execution_id=start.execution_id,
            workflow_id=start.workflow_id,
            user_id=start.user_id,
            step_index=start.step_index,
            step_id=run.step_id,
            attempt=start.attempt,
            idempotency_key=f"{start.execution_id}-{start.step_index}-{start.iteration}-{start.attempt}",
            deadline=time.monotonic() + self.time_limit(run),
            trigger=start.trigger_payload,
            steps=start.context.get("steps") or {},
            tools=self._tools,
        )

    def _checked(self, output: Any, start: ExecutionStart) -> Outcome:
        if not isinstance(output, Mapping):
            raise ConnectorError(f"connector {start.action_type} gave {type(output).__name__}, not an object", True)
        size = len(jsonio.dumps(output))
        limit = self._settings.step_output_max_bytes
        if size > limit:
            raise ConnectorError(f"the step's output has {size} bytes; the limit is {limit}", permanent=True)
        return Outcome(output)


def _without(failure: Failure, secrets: Sequence[str]) -> Failure:
    return Failure(mask_values(failure.message, secrets), failure.permanent, failure.retry_after)
