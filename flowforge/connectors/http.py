"""The one HTTP client of all connectors: pooled, bounded in time, size and redirects, kept out of private networks."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from flowforge import jsonio
from flowforge.connectors.addresses import AddressGuard
from flowforge.connectors.deadlines import Deadlines, Watch
from flowforge.connectors.sdk import ConnectorError, StepContext

MAX_REDIRECTS = 5
CONNECT_SECONDS = 10.0
_RETRYABLE = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_REASON = 8 * 1024
_KEPT_ACROSS_HOSTS = {"accept", "content-type", "user-agent", "idempotency-key", "accept-encoding"}
_USER_AGENT = "FlowForge/0.1"


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def body(self) -> Any:
        """JSON where it says it is and is; else text."""
        if "json" in self.headers.get("content-type", ""):
            try:
                return jsonio.loads(self.content)
            except ValueError:
                return self.text
        return self.text

    def raise_for_status(self, receiver: str) -> None:
        """Raises ConnectorError for anything but a 2xx, with the reason that the answer gives. `receiver` names it for
        people, without secrets."""
        if not self.ok:
            reason = self._reason()
            raise ConnectorError(
                f"{receiver} answered {self.status}" + (f": {reason}" if reason else ""),
                permanent=self.status not in _RETRYABLE,
                retry_after=_retry_after(self.headers.get("retry-after")),
            )

    def _reason(self) -> str:
        """What a person can read of the body; nothing of a page that is made for a browser. It may repeat secrets that
        were sent: whoever keeps or shows it masks it first (flowforge.engine.step_output.told)."""
        kind = self.headers.get("content-type", "text/plain")
        readable = kind.startswith("text/") or "json" in kind or "xml" in kind
        said = self.content[:_LONGEST_REASON].decode("utf-8", "ignore").strip() if readable else ""
        return "" if "html" in kind and "<" in said else said


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes."""

    request: int
    response: int


class HttpClient:
    """Safe to share between threads."""

    def __init__(self, guard: AddressGuard, deadlines: Deadlines, limits: Limits, pool_size: int = 64) -> None:
        self._deadlines = deadlines
        self._limits = limits
        self._current = _Current()
        self._adapter = _GuardedAdapter(guard, self._current, pool_size)

    def send(
        self,
        context: StepContext,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: bytes | str | Mapping[str, Any] | None = None,
    ) -> Response:
        """One exchange, redirects followed, before the context's deadline.

        Raises ConnectorError for everything that keeps a whole answer from coming; a status is no error here.
        """
        body: Any = data
        sent = {"User-Agent": _USER_AGENT, "Idempotency-Key": context.idempotency_key}
        if json is not None:
            body = self.encode(json)
            sent["Content-Type"] = "application/json"
        sent |= dict(headers or {})
        for _ in range(MAX_REDIRECTS + 1):
            response = self._exchange(context, method, url, sent, params, body)
            target = response.headers.get("location")
            if response.status not in {301, 302, 303, 307, 308} or target is None:
                return response
            url, previous, params = urljoin(url, target), url, None
            if response.status in {301, 302, 303} and method not in {"GET", "HEAD"}:
                method, body = "GET", None
                sent = {name: value for name, value in sent.items() if name.lower() != "content-type"}
            if _origin(url) != _origin(previous):
                sent = {name: value for name, value in sent.items() if name.lower() in _KEPT_ACROSS_HOSTS}
        raise ConnectorError(f"{_host(url)} redirects more than {MAX_REDIRECTS} times", permanent=True)

    def encode(self, value: Any) -> bytes:
        """As JSON, not larger than a request may be. Raises ConnectorError."""
        try:
            return jsonio.dumps_within(value, self._limits.request)
        except jsonio.TooLarge as error:
            raise ConnectorError(f"the request body has {error}", permanent=True) from error
        except TypeError as error:
            raise ConnectorError("the request body is nested too deeply to be sent as JSON", permanent=True) from error

    def _exchange(
        self,
        context: StepContext,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: Mapping[str, Any] | None,
        body: Any,
    ) -> Response:
        request = _prepare(method, url, headers, params, body)
        size, limit = len(request.body or b""), self._limits.request
        if size > limit:
            raise ConnectorError(f"the request body has {size} bytes; the limit is {limit}", permanent=True)
        remaining = context.deadline - time.monotonic()
        if remaining <= 0:
            raise ConnectorError(f"no time was left to call {_host(url)}", permanent=False)
        try:
            with self._deadlines.watch(context.deadline) as self._current.watch:
                answer = self._adapter.send(
                    request, stream=True, timeout=(min(CONNECT_SECONDS, remaining), remaining), verify=True
                )
                with answer:
                    return Response(
                        answer.status_code,
                        {name.lower(): value for name, value in answer.headers.items()},
                        self._read(answer.raw, context.deadline, _host(url)),
                    )
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _as_connector_error(error, _host(url), context.deadline) from error

    def _read(self, raw: urllib3.HTTPResponse, deadline: float, host: str) -> bytes:
        declared = raw.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._limits.response:
            raise ConnectorError(
                f"{host} answers {declared} bytes; the limit is {self._limits.response}", permanent=True
            )
        chunks, size = [], 0
        while chunk := raw.read1(65536, decode_content=True):
            size += len(chunk)
            if size > self._limits.response:
                raise ConnectorError(f"{host} answers more than {self._limits.response} bytes", permanent=True)
            if time.monotonic() > deadline:
                raise ConnectorError(f"{host} did not finish its answer in time", permanent=False)
            chunks.append(chunk)
        return b"".join(chunks)


class _Current(threading.local):
    """The exchange this thread is in."""

    watch: Watch


class _GuardedAdapter(HTTPAdapter):
    """Connections go only where the guard allows, and are cut at the deadline of the exchange."""

    def __init__(self, guard: AddressGuard, current: _Current, pool_size: int) -> None:
        def connect(host: str, port: int) -> socket.socket:
            left = max(0.001, current.watch.deadline - time.monotonic())
            connection = guard.connect(host, port, min(CONNECT_SECONDS, left))
            current.watch.add(connection)
            return connection

        class GuardedConnection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return connect(self.host, self.port or self.default_port)

            def request(self, *args: Any, **kwargs: Any) -> None:
                if self.sock is not None:  # from the pool
                    current.watch.add(self.sock)
                super().request(*args, **kwargs)

        class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
            """The same with TLS."""

        class Pool(HTTPConnectionPool):
            ConnectionCls = GuardedConnection

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = GuardedTlsConnection

        self._pools = {"http": Pool, "https": TlsPool}
        super().__init__(pool_connections=pool_size, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


def _prepare(
    method: str, url: str, headers: Mapping[str, str], params: Mapping[str, Any] | None, body: Any
) -> requests.PreparedRequest:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ConnectorError("only http:// and https:// addresses can be called", permanent=True)
    request = requests.PreparedRequest()
    try:
        request.prepare(method=method, url=url, headers=dict(headers), params=dict(params or {}), data=body)
    except (requests.RequestException, UnicodeError, ValueError) as error:
        raise ConnectorError("the address or a header of the request is not valid", permanent=True) from error
    return request


def _as_connector_error(error: Exception, host: str, deadline: float) -> ConnectorError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectorError):
            return cause
        cause = cause.__cause__ or cause.__context__
    if time.monotonic() >= deadline or isinstance(error, requests.Timeout | TimeoutError):
        return ConnectorError(f"{host} did not answer in time", permanent=False)
    if isinstance(error, requests.exceptions.SSLError):
        return ConnectorError(f"{host} shows no certificate that can be trusted", permanent=True)
    return ConnectorError(f"the connection to {host} failed", permanent=False)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the receiver"
    except ValueError:
        return "the receiver"


def _retry_after(value: str | None) -> float | None:
    """Seconds, from either form of RFC 9110, 10.2.3."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
