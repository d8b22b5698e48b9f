"""Trying a connection out, as its kind says how, without doing anything to the service."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flowforge.connectors.sdk import ConnectionKind, ConnectorError
from flowforge.db.oauth_grants_store import StoredGrant
from flowforge.engine.account_access import AccountAccess
from flowforge.engine.step_output import error_text
from flowforge.wiring import Backends

TEST_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Trial:
    """`tried`: whether it could be tested at all. `problem`: why it does not work; None where it does."""

    tried: bool
    problem: str | None = None


def try_out(
    backends: Backends, kind: ConnectionKind[Any], sealed: Mapping[str, Any], user_id: UUID, grant: StoredGrant
) -> Trial:
    """Takes up to TEST_SECONDS. Raises SecretUnreadable."""
    access = AccountAccess(backends, user_id, time.monotonic() + TEST_SECONDS)
    opened = access.opened(kind, sealed)
    try:
        return Trial(kind.try_out(opened, access.context("", opened, grant)))
    except ConnectorError as error:
        return Trial(True, error_text(error, access.secrets))
