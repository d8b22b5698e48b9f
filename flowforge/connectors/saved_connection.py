"""A saved connection that a step names: what it fills in, and how it signs or opens a session for the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flowforge.connectors.host_binding import HostBinding
from flowforge.connectors.http_client.pace import NoPace, Pace
from flowforge.connectors.sdk import ConnectionKind, Connector, StepContext
from flowforge.jsonio import JsonObject
from flowforge.oauth.renewal import HeldGrant


@dataclass(frozen=True, slots=True)
class SavedConnection:
    """`config`: as it is saved, its secrets in clear. It is taken literally: an expression has no meaning in it."""

    name: str
    kind: ConnectionKind[Any]
    config: Mapping[str, Any]
    grant: HeldGrant | None = None
    pace: Pace = field(default_factory=NoPace)

    def filled_in(self, connector: Connector[Any], config: Mapping[str, Any]) -> JsonObject:
        """The step's config, with the connection's fields where the step gives none itself."""
        shared = self.kind.own_fields if connector.holds(self.kind) else ()
        own = {key: value for key, value in config.items() if key not in shared or value not in (None, "")}
        return {key: self.config[key] for key in shared if key in self.config} | own

    def given_to(self, connector: Connector[Any], context: StepContext) -> StepContext:
        """The context of a step that uses it: bound to its hosts, and with its credentials, unless the step's config
        holds these once it is filled in. Raises ConnectorError."""
        binding = HostBinding.read(self.name, self.config)
        bound = replace(context, binding=binding, grant=self.grant, pace=self.pace)
        return bound if connector.holds(self.kind) else replace(bound, connection=self.kind.read(self.config, bound))
