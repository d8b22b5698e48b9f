"""Trying a connection out, as its kind says how, without doing anything to the service."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowforge.connectors.host_binding import HostBinding
from flowforge.connectors.sdk import ConnectionKind, ConnectorError, StepContext
from flowforge.db.oauth_grants_store import StoredGrant
from flowforge.engine.step_output import error_text
from flowforge.ids import uuid7
from flowforge.oauth.renewal import HeldGrant
from flowforge.secrets import open_fields, secret_values
from flowforge.wiring import Backends

TEST_SECONDS = 15.0
_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Trial:
    """`tried`: whether it could be tested at all. `problem`: why it does not work; None where it does."""

    tried: bool
    problem: str | None = None


def try_out(
    backends: Backends, kind: ConnectionKind[Any], sealed: Mapping[str, Any], user_id: UUID, grant: StoredGrant
) -> Trial:
    """Takes up to TEST_SECONDS. Raises SecretUnreadable."""
    opened = open_fields(sealed, kind.secret_keys(), backends.vault)
    secrets = secret_values(opened, kind.secret_keys())
    context = _context(backends, user_id, secrets, HostBinding.read("", opened), HeldGrant(backends.renewals, grant))
    try:
        return Trial(kind.try_out(opened, context))
    except ConnectorError as error:
        return Trial(True, error_text(error, context.secrets))


def _context(
    backends: Backends, user_id: UUID, secrets: list[str], binding: HostBinding, grant: HeldGrant
) -> StepContext:
    """A context of no step at all."""
    return StepContext(
        execution_id=_NO_ID,
        workflow_id=_NO_ID,
        user_id=user_id,
        step_index=0,
        step_id="test",
        attempt=1,
        idempotency_key=f"connection-test-{uuid7()}",
        deadline=time.monotonic() + TEST_SECONDS,
        trigger={},
        steps={},
        tools=backends.tools,
        binding=binding,
        grant=grant,
        secrets=secrets,
    )
