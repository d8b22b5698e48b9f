"""The hosts that a connection is bound to: its secrets are sent nowhere else, whatever a step asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.network.host_patterns import EVERY_HOST, HostPatterns

HOSTS = "hosts"
"""The field of a connection that lists them."""


@dataclass(frozen=True, slots=True)
class HostBinding:
    """`connection`: its name; empty for one that is only being tried out."""

    connection: str = ""
    hosts: HostPatterns = EVERY_HOST

    @classmethod
    def read(cls, connection: str, saved: Mapping[str, Any]) -> Self:
        """The binding of a saved connection; to any host where it lists none."""
        return cls(connection, HostPatterns(tuple(saved.get(HOSTS) or ())))

    def require(self, url: str) -> None:
        """Raises ConnectorError for an address at another host, as the HTTP client reads the address."""
        if self.hosts.patterns:
            self.require_host(_host_of(url))

    def require_host(self, host: str) -> None:
        """Raises ConnectorError for another host."""
        if not self.hosts.allow(host):
            name = f"the connection '{self.connection}'" if self.connection else "the connection"
            bound = ", ".join(self.hosts.patterns)
            raise ConnectorError(f"{name} is bound to {bound}: its secrets are not sent to {host}", permanent=True)


ANY_HOST = HostBinding()


def _host_of(url: str) -> str:
    try:
        return parse_url(url).host or ""
    except LocationParseError:
        return ""
