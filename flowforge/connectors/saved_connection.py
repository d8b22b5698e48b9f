"""A saved connection that a step names: what it fills in, and how it signs or opens a session for the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowforge.connectors.sdk import ConnectionKind, Connector, Credentials, StepContext
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class SavedConnection:
    """`config`: as it is saved, its secrets in clear. It is taken literally: an expression has no meaning in it."""

    kind: ConnectionKind[Any]
    config: Mapping[str, Any]

    def filled_in(self, connector: Connector[Any], config: Mapping[str, Any]) -> JsonObject:
        """The step's config, with the connection's fields where the step gives none itself."""
        shared = self.kind.own_fields if connector.holds(self.kind) else ()
        own = {key: value for key, value in config.items() if key not in shared or value not in (None, "")}
        return {key: self.config[key] for key in shared if key in self.config} | own

    def credentials(self, connector: Connector[Any], context: StepContext) -> Credentials[Any] | None:
        """None where the step's config holds them once it is filled in. Raises ConnectorError."""
        return None if connector.holds(self.kind) else self.kind.read(self.config, context)
