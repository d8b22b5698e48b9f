"""The transport of plain functions: `requests`, which waits in the thread that calls it.

Its coroutines never suspend: `client.HttpClient` runs them to their ends like ordinary calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests
import urllib3
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.answer import Header, IncomingAnswer
from flowforge.connectors.http_client.failures import as_connector_error
from flowforge.connectors.http_client.guarded_adapter import Adapters, CurrentExchange, GuardedAdapter
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.http_client.tls import TlsIdentity
from flowforge.connectors.http_client.transport import CONNECT_SECONDS, Attempt
from flowforge.connectors.network.deadlines import Deadlines
from flowforge.connectors.network.routes import Routes

_PIECE_BYTES = 64 * 1024
T = TypeVar("T")


class BlockingTransport:
    """Safe to share between threads."""

    def __init__(self, routes: Routes, deadlines: Deadlines, pool_size: int) -> None:
        self._deadlines = deadlines
        self._current = CurrentExchange()
        self._adapters = Adapters(lambda identity: GuardedAdapter(routes, self._current, pool_size, identity))

    async def exchange(self, attempt: Attempt, request: Request, identity: TlsIdentity, answer: IncomingAnswer) -> None:
        """See Transport."""
        seconds = attempt.deadline - time.monotonic()
        adapter = self._adapters.get(identity)
        self._current.answer = answer
        try:
            with (
                self._deadlines.watch(attempt.deadline) as self._current.watch,
                adapter.send(
                    _prepared(request), stream=True, timeout=(min(CONNECT_SECONDS, seconds), seconds), verify=True
                ) as received,
            ):
                answer.begin(received.status_code, _headers(received.raw.headers))
                _read(received.raw, attempt.deadline, answer)
        except (requests.RequestException, HTTPError, OSError) as error:
            raise as_connector_error(error, answer.host, attempt.deadline) from error

    async def do(self, attempt: Attempt, work: Callable[[], T], *, computes: bool = False, signs: bool = False) -> T:
        """See Transport."""
        return work()

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def _prepared(request: Request) -> requests.PreparedRequest:
    """The request as `requests` takes it. Headers that are not ASCII go out as UTF-8."""
    prepared = requests.PreparedRequest()
    body: Any = request.file or request.body or None
    headers: Any = ((name, _as_bytes(value)) for name, value in request.headers.items())
    prepared.method, prepared.url, prepared.body = request.method, request.url, body
    prepared.headers = CaseInsensitiveDict(headers)
    return prepared


def _as_bytes(value: str) -> str | bytes:
    return value if value.isascii() else jsonio.writable(value).encode()


def _headers(sent: urllib3.HTTPHeaderDict) -> list[Header]:
    return [(name, value) for name in sent for value in sent.getlist(name)]


def _read(raw: urllib3.HTTPResponse, deadline: float, answer: IncomingAnswer) -> None:
    """Raises ConnectorError where the body is too large, or comes too late."""
    while piece := raw.read1(_PIECE_BYTES, decode_content=True):
        answer.add(piece)
        if time.monotonic() > deadline:
            raise ConnectorError(f"{answer.host} did not answer in time", permanent=False)
