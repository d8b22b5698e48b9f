"""Connections that fit a step or a trigger: the builder offers no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.connectors.connection_kind import ConnectionKind
from flowforge.connectors.host_binding import HostBinding
from flowforge.connectors.presets.all_presets import presets
from flowforge.connectors.presets.preset import Preset


@dataclass(frozen=True, slots=True)
class Fitting:
    """What connections have to be: of one of the kinds, allowed to sign in at the host, at a provider that has mail by
    the protocol. No host and no protocol: whatever there is."""

    kinds: Sequence[ConnectionKind[Any]]
    host: str = ""
    mail: str = ""
    """`imap` or `smtp`."""

    def takes(self, type_: str, config: Mapping[str, Any]) -> bool:
        """Whether a connection of that type fits, as it is saved; a secret in it may be masked."""
        return any(kind.type == type_ for kind in self.kinds) and self._has_mail(config) and self._may_reach(config)

    def takes_preset(self, preset: Preset) -> bool:
        return self.takes(preset.type, preset.config)

    def _has_mail(self, config: Mapping[str, Any]) -> bool:
        preset = presets().get(str(config.get("preset"))) if self.mail else None
        return preset is None or self.mail in preset.mail

    def _may_reach(self, config: Mapping[str, Any]) -> bool:
        return not self.host or HostBinding.read("", config).hosts.allow(self.host)
