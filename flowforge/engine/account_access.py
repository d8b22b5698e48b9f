"""The world as an account reaches it outside of steps: by the tools, and by its connections."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flowforge.connectors.host_binding import HostBinding
from flowforge.connectors.sdk import ConnectionKind, ConnectorError, Credentials, StepContext
from flowforge.db.credentials_store import CredentialsStore
from flowforge.db.oauth_grants_store import StoredGrant
from flowforge.ids import uuid7
from flowforge.oauth.renewal import HeldGrant
from flowforge.secrets import open_fields, secret_values
from flowforge.wiring import Backends

_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """`deadline`: by time.monotonic. `secrets`: texts that are masked in errors; what is opened adds its own."""

    backends: Backends
    user_id: UUID
    deadline: float
    secrets: list[str] = field(default_factory=list)

    def connection(self, name: str, kinds: Collection[ConnectionKind[Any]]) -> Credentials[Any]:
        """The connection by that name. Raises ConnectorError where there is none of these kinds, SecretUnreadable,
        Unavailable."""
        row = CredentialsStore(self.backends.engine).connection(self.user_id, name)
        kind = next((kind for kind in kinds if row is not None and kind.type == row.type), None)
        if row is None or kind is None:
            wanted = " or ".join(kind.type for kind in kinds)
            raise ConnectorError(f"there is no connection '{name}' of the type {wanted}", permanent=True)
        opened = self.opened(kind, row.config)
        return kind.read(opened, self.context(name, opened, row.grant))

    def opened(self, kind: ConnectionKind[Any], sealed: Mapping[str, Any]) -> Mapping[str, Any]:
        """The config of a connection, its secrets in clear. Raises SecretUnreadable."""
        opened = open_fields(sealed, kind.secret_keys(), self.backends.vault)
        self.secrets.extend(secret_values(opened, kind.secret_keys()))
        return opened

    def context(self, name: str, opened: Mapping[str, Any], grant: StoredGrant) -> StepContext:
        """A context of no step at all, in which a connection is used; `name` is empty for one that is tried out."""
        return StepContext(
            execution_id=_NO_ID,
            workflow_id=_NO_ID,
            user_id=self.user_id,
            step_index=0,
            step_id="",
            attempt=1,
            idempotency_key=f"no-step-{uuid7()}",
            deadline=self.deadline,
            trigger={},
            steps={},
            tools=self.backends.tools,
            binding=HostBinding.read(name, opened),
            grant=HeldGrant(self.backends.renewals, grant),
            secrets=self.secrets,
        )
