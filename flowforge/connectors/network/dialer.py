"""Connections to services that do not speak HTTP: made by the guard, and cut at the deadline of what they are for."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.network.deadlines import Deadlines
from flowforge.connectors.network.service_ports import require_port

CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Dialer:
    guard: AddressGuard
    deadlines: Deadlines

    def connect(self, host: str, port: int, deadline: float, own_ports: frozenset[int]) -> socket.socket:
        """A connection to an allowed address, made in CONNECT_SECONDS or until the deadline (of time.monotonic).

        `own_ports`: those of the service that the caller speaks to. Raises ConnectorError, also for a host that does
        not answer.
        """
        try:
            return self.guard.connect(host, port, seconds_to_connect(deadline), own_ports)
        except OSError as error:
            raise unreachable(host, port) from error

    def addresses(self, host: str, port: int, own_ports: frozenset[int]) -> list[str]:
        """The allowed addresses of a host, for a client that connects by itself. Raises ConnectorError."""
        require_port(port, own_ports)
        return [address for _, address in self.guard.resolve(host, port)]

    @contextmanager
    def cutting(self, connection: socket.socket, deadline: float) -> Iterator[None]:
        """Cuts the connection at the deadline, unless the block has ended by then."""
        with self.deadlines.watch(deadline) as watch:
            watch.add(connection)
            yield

    @contextmanager
    def cutting_descriptor(self, descriptor: int, deadline: float) -> Iterator[None]:
        """The same for a connection whose socket a library keeps to itself."""
        with socket.socket(fileno=os.dup(descriptor)) as connection, self.cutting(connection, deadline):
            yield


def seconds_to_connect(deadline: float) -> float:
    return max(0.001, min(CONNECT_SECONDS, deadline - time.monotonic()))


def unreachable(host: str, port: int) -> ConnectorError:
    return ConnectorError(f"no connection to {host}, port {port}", permanent=False)
