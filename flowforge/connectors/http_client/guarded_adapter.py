"""Pooled connections that go only where the address guard allows, and are cut at the deadline of their exchange."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from io import BufferedReader, RawIOBase
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

from flowforge.connectors.http_client.answer import IncomingAnswer
from flowforge.connectors.http_client.tls import MOST_IDENTITIES, PUBLIC, TlsIdentity
from flowforge.connectors.http_client.transport import CONNECT_SECONDS
from flowforge.connectors.network.deadlines import Watch
from flowforge.connectors.network.routes import Routes


class CurrentExchange(threading.local):
    """The exchange that this thread is in."""

    watch: Watch
    answer: IncomingAnswer


class GuardedAdapter(HTTPAdapter):
    """An adapter of `requests`. Every connection is made by the guard, and watched until its exchange ends."""

    def __init__(
        self, routes: Routes, current: CurrentExchange, pool_size: int, identity: TlsIdentity = PUBLIC
    ) -> None:
        def connect(connection: HTTPConnection) -> socket.socket:
            left = max(0.001, current.watch.deadline - time.monotonic())
            host, port = connection.host, connection.port or connection.default_port
            secure, within = isinstance(connection, HTTPSConnection), min(CONNECT_SECONDS, left)
            return routes.connect(host, port, within, current.watch.add, secure=secure)

        class BoundedResponse(http.client.HTTPResponse):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.fp = BufferedReader(_Noted(self.fp.detach(), current.answer))

            def begin(self) -> None:
                """Passes over informational answers, of which http.client knows 100 alone."""
                super().begin()
                while 100 <= self.status < 200 and self.status != HTTPStatus.SWITCHING_PROTOCOLS:
                    self.headers = self.msg = None  # type: ignore[assignment]
                    super().begin()
                current.answer.end_head()

        class GuardedConnection(HTTPConnection):
            response_class = BoundedResponse

            def _new_conn(self) -> socket.socket:
                return connect(self)

            def request(self, *args: Any, **kwargs: Any) -> None:
                if self.sock is not None:  # from the pool
                    current.watch.add(self.sock)
                super().request(*args, **kwargs)

            def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3
                if self.sock is None:  # it was closed while the request was sent
                    raise ConnectionResetError
                return super().getresponse()

        class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
            """A guarded connection with TLS."""

        class Pool(HTTPConnectionPool):
            ConnectionCls = GuardedConnection

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = GuardedTlsConnection

        self._identity = identity
        self._pools = {"http": Pool, "https": TlsPool}
        super().__init__(pool_connections=pool_size, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        if self._identity != PUBLIC:
            kwargs["ssl_context"] = self._identity.context()
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        """Adds the public authorities, unless the identity has its own."""
        if not self._identity.authorities:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]


class _Noted(RawIOBase):
    """What comes from a connection, noted for the bounds of the answer."""

    def __init__(self, connection: RawIOBase, answer: IncomingAnswer) -> None:
        self._connection = connection
        self._answer = answer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Raises ConnectorError."""
        size: int | None = self._connection.readinto(buffer)
        self._answer.note(size or 0)
        return size

    def close(self) -> None:
        self._connection.close()
        super().close()


class Adapters:
    """An adapter for each identity, with connections of its own; those that were used last are kept. Safe between
    threads."""

    def __init__(self, make: Callable[[TlsIdentity], GuardedAdapter]) -> None:
        self._public = make(PUBLIC)
        self._make = make
        self._others: OrderedDict[TlsIdentity, GuardedAdapter] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, identity: TlsIdentity) -> GuardedAdapter:
        """Raises ConnectorError for an identity that cannot be used."""
        if identity == PUBLIC:
            return self._public
        with self._lock:
            found = self._others.pop(identity, None) or self._make(identity)
            self._others[identity] = found
            if len(self._others) > MOST_IDENTITIES:
                self._others.popitem(last=False)
        return found
