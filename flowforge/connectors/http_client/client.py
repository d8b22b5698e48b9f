"""The one HTTP client of all connectors: pooled, bounded in time, size and redirects, kept out of private networks."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import requests
import urllib3
from urllib3.exceptions import HTTPError

from flowforge import jsonio
from flowforge.charsets import header_text
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.call import REDIRECTS, Call, host_of
from flowforge.connectors.http_client.cookies import Cookies
from flowforge.connectors.http_client.guarded_adapter import (
    CONNECT_SECONDS,
    PUBLIC,
    Adapters,
    CurrentExchange,
    GuardedAdapter,
)
from flowforge.connectors.http_client.parameters import Pair, pairs_of
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.signing import Signer
from flowforge.connectors.http_client.streamed_body import StreamedBody
from flowforge.connectors.network.deadlines import Deadlines
from flowforge.connectors.network.routes import Routes
from flowforge.field_order import in_stored_order

MAX_REDIRECTS = 5
Parameters = Mapping[str, Any] | Sequence[Pair]
_USER_AGENT = "FlowForge/0.1"

E = TypeVar("E", bound=Exception)


class Attempt(Protocol):
    """The part of a step's context that requests need."""

    @property
    def deadline(self) -> float:
        """The latest end, as a time of `time.monotonic`."""

    @property
    def idempotency_key(self) -> str: ...


class BodyTaker(Protocol):
    """Takes the body of an answer while it comes: into a file, or event by event."""

    @property
    def most_bytes(self) -> int:
        """The most that a body may have."""

    @property
    def wants(self) -> Callable[[Response], bool]:
        """Whether it takes the body of an answer, by its status and headers."""

    def take(self, pieces: Iterator[bytes]) -> None: ...

    def close(self) -> None:
        """Lets go of a body that it has taken."""


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A request that no step makes, such as one for a token: an attempt by itself."""

    deadline: float
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes."""

    request: int
    response: int


class HttpClient:
    """Safe to share between threads."""

    def __init__(self, routes: Routes, deadlines: Deadlines, limits: Limits, pool_size: int = 64) -> None:
        self._deadlines = deadlines
        self._limits = limits
        self._current = CurrentExchange()
        self._adapters = Adapters(lambda identity: GuardedAdapter(routes, self._current, pool_size, identity))

    def send(
        self,
        attempt: Attempt,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Parameters = (),
        json: Any = None,
        data: bytes | str | Parameters | StreamedBody | None = None,
        signed_by: Signer | None = None,
        download: BodyTaker | None = None,
        cookies: Cookies | None = None,
        redirects: int = MAX_REDIRECTS,
    ) -> Response:
        """One exchange, redirects followed, before the attempt's deadline. Blanks around the URL do not count.

        `params` and `data` take any values; `pairs_of` tells, and lets choose, how objects and lists are written.
        A body that `download` wants goes there; the content of the response is empty then. `cookies` are sent, and take
        what is set, at each redirect. With `redirects=0` a redirect is an answer like any other. Raises ConnectorError
        for everything that keeps a whole answer from coming; a status is no error here.
        """
        own = {"User-Agent": _USER_AGENT, "Idempotency-Key": attempt.idempotency_key}
        if json is not None:
            data = self.encode(json)
            own["Content-Type"] = "application/json"
        if isinstance(data, StreamedBody):
            own["Content-Type"] = data.type
        body = _listed(data) if isinstance(data, Mapping) else data
        call = Call(method, url.strip(), {**own, **(headers or {})}, _listed(params), body, signed_by, cookies)
        for _ in range(redirects + 1):
            response = self._answer(attempt, call, download)
            target = response.headers.get("location")
            if response.status not in REDIRECTS or target is None or not redirects:
                return response
            call = call.redirected(response.status, target)
        raise ConnectorError(f"{host_of(call.url)} redirects more than {redirects} times", permanent=True)

    def encode(self, value: Any) -> bytes:
        """Encode the value as JSON. Raises ConnectorError where it is larger than a request may be."""
        try:
            return jsonio.dumps_within(value, self._limits.request)
        except jsonio.TooLarge as error:
            raise ConnectorError(f"the request body has {error}", permanent=True) from error
        except TypeError as error:
            raise ConnectorError("the request body is nested too deeply to be sent as JSON", permanent=True) from error

    def _answer(self, attempt: Attempt, call: Call, download: BodyTaker | None) -> Response:
        """The answer to the call; to a second try where the first is refused and its signature can be renewed."""
        response = self._paced(attempt, call, download)
        if response.status == 401 and call.signed_by is not None and call.signed_by.renew(response):
            return self._paced(attempt, call, download)
        return response

    def _paced(self, attempt: Attempt, call: Call, download: BodyTaker | None) -> Response:
        """The answer, once it is the turn of the call."""
        if call.signed_by is None:
            return self._exchange(attempt, call, download)
        with call.signed_by.pace.turn(attempt.idempotency_key, attempt.deadline):
            response = self._exchange(attempt, call, download)
        call.signed_by.pace.note(response)
        return response

    def _exchange(self, attempt: Attempt, call: Call, download: BodyTaker | None) -> Response:
        if download is not None:
            download.close()  # of an answer that is left for this one: a redirect, a refusal
        request = call.prepared()
        self._require_size(request)
        seconds = attempt.deadline - time.monotonic()
        if seconds <= 0:
            raise ConnectorError(f"no time was left to call {host_of(call.url)}", permanent=False)
        timeout = min(CONNECT_SECONDS, seconds), seconds
        adapter = self._adapters.get(call.signed_by.identity if call.signed_by else PUBLIC)
        try:
            with (
                self._deadlines.watch(attempt.deadline) as self._current.watch,
                adapter.send(request, stream=True, timeout=timeout, verify=True) as answer,
            ):
                if call.cookies is not None:
                    call.cookies.take(request, answer.raw)
                response = _response(answer.status_code, answer.raw.headers)
                if download is not None and download.wants(response):
                    download.take(_read(answer.raw, attempt.deadline, host_of(call.url), download.most_bytes))
                    return response
                pieces = _read(answer.raw, attempt.deadline, host_of(call.url), self._limits.response)
                return replace(response, content=b"".join(pieces))
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _as_connector_error(error, host_of(call.url), attempt.deadline) from error

    def _require_size(self, request: requests.PreparedRequest) -> None:
        """Raises ConnectorError for a body that is too large. Files have a limit of their own."""
        body: Any = request.body
        size, limit = len(body or b""), self._limits.request
        if size > limit and not isinstance(body, StreamedBody):
            raise ConnectorError(f"the request body has {size} bytes; the limit is {limit}", permanent=True)


def _read(raw: urllib3.HTTPResponse, deadline: float, host: str, limit: int) -> Iterator[bytes]:
    """The body in pieces. Raises ConnectorError where it has more than `limit` bytes, or comes too late."""
    declared = raw.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise ConnectorError(f"{host} answers {declared} bytes; the limit is {limit}", permanent=True)
    size = 0
    while piece := raw.read1(65536, decode_content=True):
        size += len(piece)
        if size > limit:
            raise ConnectorError(f"{host} answers more than {limit} bytes", permanent=True)
        if time.monotonic() > deadline:
            raise ConnectorError(f"{host} did not answer in time", permanent=False)
        yield piece


def _listed(parameters: Parameters) -> Sequence[Pair]:
    return pairs_of(parameters) if isinstance(parameters, Mapping) else parameters


def _response(status: int, sent: urllib3.HTTPHeaderDict) -> Response:
    values = {name.lower(): [header_text(value) for value in sent.getlist(name)] for name in sent}
    joined = in_stored_order({name: ", ".join(several) for name, several in values.items()})
    return Response(status, joined, b"", {name: several for name, several in values.items() if len(several) > 1})


def _as_connector_error(error: Exception, host: str, deadline: float) -> ConnectorError:
    own = _first_behind(error, ConnectorError)
    if own is not None:
        return own
    if time.monotonic() >= deadline or isinstance(error, requests.Timeout | TimeoutError):
        return ConnectorError(f"{host} did not answer in time", permanent=False)
    tls = _first_behind(error, ssl.SSLError)
    if isinstance(tls, ssl.SSLCertVerificationError) or (
        tls is None and isinstance(error, requests.exceptions.SSLError)
    ):
        return ConnectorError(f"{host} shows no certificate that can be trusted", permanent=True)
    if tls is not None and tls.reason:
        return ConnectorError(
            f"no secure connection to {host} was made: {tls.reason}", permanent="CERTIFICATE" in tls.reason
        )
    return ConnectorError(f"the connection to {host} failed", permanent=False)


def _first_behind(error: Exception, kind: type[E]) -> E | None:
    """The first error of that kind among the error and its causes."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, kind):
        cause = cause.__cause__ or cause.__context__
    return cause
