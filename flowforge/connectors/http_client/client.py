"""The one HTTP client of all connectors: pooled, bounded in time, size and redirects, kept out of private networks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from urllib3.exceptions import HTTPError

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.guarded_adapter import CONNECT_SECONDS, CurrentExchange, GuardedAdapter
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.network.deadlines import Deadlines

MAX_REDIRECTS = 5
_KEPT_ACROSS_HOSTS = {"accept", "content-type", "user-agent", "idempotency-key", "accept-encoding"}
_USER_AGENT = "FlowForge/0.1"


class Attempt(Protocol):
    """The part of a step's context that requests need."""

    @property
    def deadline(self) -> float:
        """By time.monotonic."""

    @property
    def idempotency_key(self) -> str: ...


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
        self._current = CurrentExchange()
        self._adapter = GuardedAdapter(guard, self._current, pool_size)

    def send(
        self,
        attempt: Attempt,
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
        sent = {"User-Agent": _USER_AGENT, "Idempotency-Key": attempt.idempotency_key}
        if json is not None:
            body = self.encode(json)
            sent["Content-Type"] = "application/json"
        sent |= dict(headers or {})
        for _ in range(MAX_REDIRECTS + 1):
            response = self._exchange(attempt, method, url, sent, params, body)
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
        attempt: Attempt,
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
        remaining = attempt.deadline - time.monotonic()
        if remaining <= 0:
            raise ConnectorError(f"no time was left to call {_host(url)}", permanent=False)
        try:
            with self._deadlines.watch(attempt.deadline) as self._current.watch:
                answer = self._adapter.send(
                    request, stream=True, timeout=(min(CONNECT_SECONDS, remaining), remaining), verify=True
                )
                with answer:
                    return Response(
                        answer.status_code,
                        {name.lower(): value for name, value in answer.headers.items()},
                        self._read(answer.raw, attempt.deadline, _host(url)),
                    )
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _as_connector_error(error, _host(url), attempt.deadline) from error

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
