"""redis: a server of Redis or Valkey."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any

from redis.connection import Connection as RedisConnection
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from flowforge.connectors.sdk import (
    AUTHORITIES_FIELD,
    TLS_FIELD,
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Credentials,
    SessionKey,
    Tls,
    field,
    ports,
    secret,
    tls_context,
    token_key,
)


class RedisServer(ConnectorConfig):
    host: str = field(title="Host", max_length=253)
    port: int = field(6379, title="Port", ge=1, le=65535)
    username: str = field("", title="User name", description="Of an access list; empty: the default user.")
    password: str = secret("", title="Password")
    database: int = field(0, title="Database", ge=0, le=1_000)
    tls: Tls = TLS_FIELD
    authorities: str | None = AUTHORITIES_FIELD


class _Wired(RedisConnection):
    """A connection of the library over a socket that it is given; it makes none itself."""

    def __init__(self, wire: socket.socket, **options: Any) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            retry=None, protocol=2, **options
        )
        self._wire = wire

    def _connect(self) -> socket.socket:
        return self._wire


@dataclass(slots=True)
class RedisSession:
    connection: Any
    is_between_answers: bool = attribute(default=True)

    @property
    def is_reusable(self) -> bool:
        """Whether it is alive, and nothing is left to be read."""
        try:
            return self.is_between_answers and not self.connection.can_read(0)
        except (RedisError, OSError):
            return False

    def ask(self, *command: Any) -> Any:
        """The answer: numbers, bytes, or lists of them. Raises ConnectorError for a refusal."""
        self.is_between_answers = False
        self.connection.send_command(*command)
        try:
            answer = self.connection.read_response(disable_decoding=True)
        except ResponseError as error:
            self.is_between_answers = True
            raise ConnectorError(f"Redis refused it: {error}", permanent=True, answered=True) from error
        self.is_between_answers = True
        return answer

    def close(self) -> None:
        self.connection.disconnect()


@contextmanager
def _open(credentials: Credentials[RedisServer]) -> Iterator[RedisSession]:
    context, config = credentials.context, credentials.config
    key = SessionKey(context.user_id, token_key(context.user_id, f"redis {config.model_dump_json()}"))
    dialer = context.tools.dialer
    try:
        with (
            context.tools.sessions.lend(key, lambda: _session(credentials), context.deadline) as session,
            dialer.cutting_descriptor(session.connection._sock.fileno(), context.deadline),
        ):
            yield session
    except AuthenticationError as error:
        raise ConnectorError("Redis refused the user name or password", permanent=True, answered=True) from error
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise ConnectorError("the connection to Redis failed, or did not answer in time", permanent=False) from error
    except RedisError as error:
        raise ConnectorError(f"Redis refused it: {error}", permanent=True, answered=True) from error


def _session(credentials: Credentials[RedisServer]) -> RedisSession:
    context, config = credentials.context, credentials.config
    dialer = context.tools.dialer
    wire = dialer.connect(config.host, config.port, context.deadline, ports.REDIS_PORTS)
    tls = tls_context(config.tls, config.authorities)
    try:
        with dialer.cutting(wire, context.deadline):
            wire = wire if tls is None else tls.wrap_socket(wire, server_hostname=config.host)
            connection = _Wired(
                wire, username=config.username or None, password=config.password or None, db=config.database
            )
            connection.connect()  # type: ignore[no-untyped-call]
    except BaseException:
        wire.close()
        raise
    return RedisSession(connection)


def _test(credentials: Credentials[RedisServer]) -> bool:
    """Signs in, and asks for an answer."""
    with credentials.open() as session:
        session.ask("PING")
        return True


REDIS = ConnectionKind(
    "redis",
    RedisServer,
    title="Redis",
    help="A server of Redis or Valkey.",
    icon="table",
    keywords=("redis", "valkey", "cache", "queue"),
    open=_open,
    test=_test,
)
