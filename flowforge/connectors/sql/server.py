"""Servers of databases: where they are, how the way there is protected, and the sessions with them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

import certifi

from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.http_client.tls import TlsIdentity
from flowforge.connectors.session_pool import Session, SessionKey, SessionPool
from flowforge.connectors.tokens import token_key
from flowforge.fields import field, secret

Tls = Literal["verify", "unverified", "off"]
TLS_FIELD: Any = field(
    "verify",
    title="TLS",
    description="verify: the server has to show a certificate for its host; unverified: encrypted, whoever it is;"
    " off: in clear, for servers on a network that you trust.",
)
AUTHORITIES_FIELD: Any = field(
    None,
    multiline=True,
    title="Certificate authorities",
    description="Their certificates, as PEM: the server has to show one of theirs. Empty: the public authorities.",
)


class TimedSession(Session, Protocol):
    deadline: float
    """Of the step that has it, of time.monotonic."""


S = TypeVar("S", bound=TimedSession)


class DatabaseServer(ConnectorConfig):
    """The fields that all servers of databases have; each kind has a port of its own."""

    host: str = field(title="Host", max_length=253)
    database: str = field(title="Database", max_length=128)
    username: str = field(title="User name", max_length=128)
    password: str = secret("", title="Password")
    tls: Tls = TLS_FIELD
    authorities: str | None = AUTHORITIES_FIELD


def tls_context(tls: Tls, authorities: str | None) -> ssl.SSLContext | None:
    """None: in clear. Raises ConnectorError for certificates that cannot be read."""
    if tls == "off":
        return None
    own = TlsIdentity(authorities).context() if authorities else None
    context = own or ssl.create_default_context(cafile=certifi.where())
    context.check_hostname = tls == "verify"
    context.verify_mode = ssl.CERT_REQUIRED if tls == "verify" else ssl.CERT_NONE
    return context


@contextmanager
def lent_session(
    pool: SessionPool, user_id: UUID, config: ConnectorConfig, connect: Callable[[], S], deadline: float
) -> Iterator[S]:
    """A session of the account by that config, from the pool or new, for one step. Raises ConnectorError."""
    key = SessionKey(user_id, token_key(user_id, f"{type(config).__name__} {config.model_dump_json()}"))
    with pool.lend(key, connect, deadline) as session:
        session.deadline = deadline
        yield session
