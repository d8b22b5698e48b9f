"""The way to the server of MongoDB that takes changes: the only one, the router of a cluster, or a replica set's
primary.

https://github.com/mongodb/specifications/blob/master/source/server-discovery-and-monitoring/
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.resolver
from bson.errors import BSONError
from pymongo.auth_shared import MongoCredential, _build_credentials_tuple
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError
from pymongo.network_layer import NetworkingInterface
from pymongo.pool_options import PoolOptions
from pymongo.synchronous.pool import Connection, Pool
from pymongo.uri_parser_shared import split_hosts

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.network.dialer import Dialer, seconds_to_connect
from flowforge.connectors.network.service_ports import MONGODB_PORTS

Address = tuple[str, int]
_MOST_SERVERS = 16
_SERVICE = "_mongodb._tcp"
_MOST_ITERATIONS = 1_000_000
"""Of a password's digest: a server may ask for 2^31, which would take a quarter of an hour."""
_ITERATIONS = re.compile(rb",i=(\d+)")
_LARGEST_DOCUMENT = 16 * 1024 * 1024
_LARGEST_MESSAGE = _LARGEST_DOCUMENT + 64 * 1024
"""Servers send no more in one answer."""
_DENIED = {18, 8000}
"""https://www.mongodb.com/docs/manual/reference/error-codes/, and that of Atlas."""
NONSENSE = (KeyError, TypeError, ValueError, AttributeError, IndexError, AssertionError, ArithmeticError)
"""What the driver raises where an answer is not as it has to be."""


@dataclass(frozen=True, slots=True)
class MongoDeployment:
    """One server or several of a set, and who signs in to them."""

    hosts: str
    """Hosts, with a port where it is another one, separated by commas; or the name of a cluster."""
    port: int
    by_srv: bool
    """Whether the hosts are found by the name of a cluster."""
    username: str
    password: str
    auth_database: str
    tls: ssl.SSLContext | None


def connect(deployment: MongoDeployment, dialer: Dialer, deadline: float) -> Connection:
    """A connection, signed in, to the server that takes changes. Raises ConnectorError.

    Every address is checked on the way to it, also those that servers name. Members share the time, so that a silent
    one leaves some for the next.
    """
    failure = ConnectorError("host: none is given", permanent=True)
    addresses = _addresses(deployment, deadline)
    for tried, address in enumerate(addresses):
        left = deadline - time.monotonic()
        try:
            return _primary_by(address, deployment, dialer, time.monotonic() + left / (len(addresses) - tried))
        except ConnectorError as error:
            failure = error
            if error.permanent:
                break
    raise failure


def _primary_by(address: Address, deployment: MongoDeployment, dialer: Dialer, deadline: float) -> Connection:
    """The primary as that server knows it."""
    connection, primary = _greeted(address, deployment, dialer, deadline)
    if not connection.is_writable:
        connection.close_conn(None)
        if primary is None or primary == address:
            raise ConnectorError(f"{address[0]} is not the primary of its replica set, and knows none", permanent=False)
        connection, _ = _greeted(primary, deployment, dialer, deadline)
    if not connection.is_writable:
        connection.close_conn(None)
        raise ConnectorError("the replica set is choosing another primary", permanent=False)
    return connection


def _greeted(
    address: Address, deployment: MongoDeployment, dialer: Dialer, deadline: float
) -> tuple[Connection, Address | None]:
    """A connection, signed in where it is to a server that takes changes; and the primary that it names."""
    if "/" in address[0]:
        raise ConnectorError("host: has to be a name or an address, and no socket", permanent=True)
    wire = dialer.connect(*address, deadline, MONGODB_PORTS)
    with _closed_on_failure(wire), dialer.cutting(wire, deadline):
        if deployment.tls is not None:
            wire = deployment.tls.wrap_socket(wire, server_hostname=address[0])
    with _closed_on_failure(wire), dialer.cutting(wire, deadline):
        wire.settimeout(None)
        connection = _SignedIn(wire, address, _credentials(deployment))
        primary = connection.hello().primary
        if connection.is_writable:
            connection.authenticate()
        return connection, primary


@contextmanager
def _closed_on_failure(wire: socket.socket) -> Iterator[None]:
    """Raises ConnectorError for what the driver raises."""
    try:
        yield
    except (PyMongoError, BSONError, OSError, *NONSENSE) as error:
        wire.close()
        raise _sign_in_error(error) from error


class _SignedIn(Connection):
    """A connection of the library over a socket that it is given; it makes none itself, and no threads."""

    def __init__(self, wire: Any, address: Address, credentials: MongoCredential | None) -> None:
        pool = Pool(address, PoolOptions(credentials=credentials, appname="FlowForge"))
        super().__init__(NetworkingInterface(wire), pool, address, 0, False)
        self.pool = pool  # which it refers to only weakly

    def command(self, dbname: str, spec: Any, *args: Any, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = super().command(dbname, spec, *args, **options)
        if not self.ready:
            _require_bearable(answer)
            _require_bearable(answer.get("speculativeAuthenticate") or {})
        return answer

    def hello(self) -> Any:
        greeting = super().hello()
        self.max_message_size = min(self.max_message_size, _LARGEST_MESSAGE)
        self.max_bson_size = min(self.max_bson_size, _LARGEST_DOCUMENT)
        return greeting


def _require_bearable(answer: Mapping[str, Any]) -> None:
    found = _ITERATIONS.search(bytes(answer.get("payload") or b""))
    if found and int(found[1][:20]) > _MOST_ITERATIONS:
        raise ValueError("more iterations than anybody needs")


def _credentials(deployment: MongoDeployment) -> MongoCredential | None:
    if not deployment.username:
        return None
    return _build_credentials_tuple(
        "DEFAULT", deployment.auth_database, deployment.username, deployment.password, {}, None
    )


def _addresses(deployment: MongoDeployment, deadline: float) -> Sequence[Address]:
    """Raises ConnectorError."""
    if deployment.by_srv:
        return list(_by_srv(deployment.hosts.strip(), seconds_to_connect(deadline)))[:_MOST_SERVERS]
    try:
        hosts = ",".join(host.strip() for host in deployment.hosts.split(","))
        found = split_hosts(hosts, deployment.port)
    except (ConfigurationError, ValueError) as error:
        raise ConnectorError(f"host: {error}", permanent=True) from error
    return [(host, int(port or 0)) for host, port in found][:_MOST_SERVERS]


def _by_srv(name: str, seconds: float) -> Iterator[Address]:
    """The members of a cluster by its name; they have to be of its domain (initial-dns-seedlist-discovery)."""
    domain = name.lower().partition(".")[2]
    try:
        found = dns.resolver.resolve(f"{_SERVICE}.{name}", "SRV", lifetime=seconds)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, UnicodeError) as error:
        raise ConnectorError(f"host: there is no cluster called {name!r} (SRV)", permanent=True) from error
    except dns.exception.DNSException as error:
        raise ConnectorError(f"host: the cluster {name!r} could not be looked up", permanent=False) from error
    for record in found:
        host = record.target.to_text(omit_final_dot=True).lower()
        if not domain or not host.endswith(f".{domain}"):
            raise ConnectorError(f"host: the cluster {name!r} names servers of another domain", permanent=True)
        yield host, record.port


def _sign_in_error(error: Exception) -> ConnectorError:
    match error:
        case OperationFailure() if error.code in _DENIED:
            return ConnectorError("MongoDB refused the user name or password", permanent=True, answered=True)
        case OperationFailure():
            return ConnectorError(f"MongoDB refused the sign-in: {error}", permanent=True, answered=True)
        case ssl.SSLCertVerificationError():
            return ConnectorError("the server shows no certificate that can be trusted", permanent=True)
        case PyMongoError() | OSError():
            return ConnectorError("the connection to MongoDB failed, or did not answer in time", permanent=False)
    return ConnectorError("the server does not answer as MongoDB does", permanent=True)
