"""Results of other implementations' executors: the secrets of the steps are masked in them, as ours masks its own.

Their error texts may hold the address that was called, and an address may be a secret (contract.md, section 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard
from uuid import UUID

from flowforge import jsonio
from flowforge.connectors.catalog import load_catalog
from flowforge.db import executions_store
from flowforge.db.credentials_store import CredentialsStore
from flowforge.db.engine import Connection
from flowforge.db.executions_store import Origin
from flowforge.engine.plans import Plans, Version
from flowforge.events import ExecutionResult, TopicMessage
from flowforge.language.expressions.secret_values import SECRETS
from flowforge.language.plan import Step
from flowforge.secrets import SecretUnreadable, mask_values, worth_masking
from flowforge.wiring import Backends


def is_foreign(message: TopicMessage) -> TypeGuard[ExecutionResult]:
    """Whether it is a result that names no attempt: ours do."""
    return isinstance(message, ExecutionResult) and message.attempt is None


class ForeignResults:
    """Masks results that are foreign, and costs nothing where none is."""

    def __init__(self, backends: Backends, plans: Plans) -> None:
        self._plans = plans
        self._catalog = load_catalog()
        self._vault = backends.vault
        self._credentials = CredentialsStore(backends.engine)

    def masked(self, connection: Connection, results: Sequence[ExecutionResult]) -> Sequence[ExecutionResult]:
        """The results, in their order, without any secret of their steps."""
        foreign = {result.execution_id for result in results if is_foreign(result)}
        if not foreign:
            return results
        origins = executions_store.origins(connection, foreign)
        versions = self._plans.get(connection, {origin.version_id for origin in origins.values() if origin.version_id})
        return [self._masked(result, origins.get(result.execution_id), versions) for result in results]

    def _masked(
        self, result: ExecutionResult, origin: Origin | None, versions: Mapping[UUID, Version]
    ) -> ExecutionResult:
        version = versions.get(origin.version_id) if origin and origin.version_id else None
        step = version.plan.step(result.step_index) if version else None
        if origin is None or step is None or not is_foreign(result):
            return result
        secrets = self._secrets_of(step, origin.user_id)
        output, message = mask_values(result.output, secrets), mask_values(result.error_message, secrets)
        return result.model_copy(update={"output": output, "error_message": message})

    def _secrets_of(self, step: Step, user_id: UUID) -> list[str]:
        """Returns the secrets that it was sent: what cannot be opened was not."""
        try:
            opened = self._catalog.open(step.type, step.config, self._vault)
            named = self._credentials.secrets(user_id) if SECRETS.encode() in jsonio.dumps(opened) else {}
            values = worth_masking(map(self._vault.open, named.values()))
        except SecretUnreadable:
            return []
        return [*self._catalog.secret_values(step.type, opened), *values]
