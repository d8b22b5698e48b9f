"""A call on its way to the wire: made by a connector, made anew by redirects, signed for its origin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urljoin, urlsplit

import requests
from pydantic import StringConstraints

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.cookies import Cookies
from flowforge.connectors.http_client.parameters import Pair
from flowforge.connectors.http_client.signing import Request, Signer
from flowforge.connectors.http_client.streamed_body import StreamedBody

REDIRECTS = {301, 302, 303, 307, 308}
_BECOME_GET = {301, 302, 303}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HeaderName = Annotated[str, StringConstraints(pattern=rf"^{_HEADER_NAME.pattern}$")]
"""The name of a header (RFC 9110, 5.1)."""
_HEADER_VALUE = re.compile(r"([^\s\0][^\r\n\0]*)?")
_FRAMING = frozenset({"content-length", "transfer-encoding"})
"""Headers that say where a body ends (RFC 9112, 6). They follow from the body: by others a server could read the rest
of it, or what the next step sends on this connection, as somebody else's request."""
_LONGEST_KEPT_URL = 2_000
_KEPT_ACROSS_HOSTS = {"accept", "content-type", "user-agent", "idempotency-key", "accept-encoding"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a connector makes it, or as a redirect makes it anew."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Sequence[Pair]
    body: Any
    signed_by: Signer | None
    cookies: Cookies | None = None

    @property
    def given(self) -> tuple[Any, ...]:
        """All that it is prepared from, but for files, which are read while they are sent."""
        return self.url, self.headers, self.params, self.body

    def redirected(self, status: int, target: str) -> Call:
        """The call that follows a redirect (RFC 9110, 15.4). Another origin gets no secrets. Raises ConnectorError."""
        with _refusing_what_is_not_valid():
            return self._redirected(status, target)

    def _redirected(self, status: int, target: str) -> Call:
        """Raises ValueError for an address that is none."""
        method, body, headers, url = self.method, self.body, self.headers, urljoin(self.url, target)
        if status in _BECOME_GET and method not in {"GET", "HEAD"}:
            method, body = "GET", None
            headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        if _origin(url) == _origin(self.url):
            return Call(method, url, headers, (), body, self.signed_by, self.cookies)
        kept = {name: value for name, value in headers.items() if name.lower() in _KEPT_ACROSS_HOSTS}
        return Call(method, url, kept, (), body, None, self.cookies)

    def prepared(self) -> requests.PreparedRequest:
        """The request as it is sent, signed. Raises ConnectorError."""
        with _refusing_what_is_not_valid():
            scheme = urlsplit(self.url).scheme
        if scheme not in {"http", "https"}:
            raise ConnectorError("only http:// and https:// addresses can be called", permanent=True)
        request = requests.PreparedRequest()
        headers = _without_framing(self.headers)
        _require_valid(headers)
        with _refusing_what_is_not_valid():
            # As `prepare` does, but for the jar of cookies, which costs as much as all of the headers.
            request.prepare_method(self.method)
            request.url = _written(self.url, self.params)
            request.prepare_headers(headers)
            request.prepare_body(self.body, None)
            request.prepare_auth(None)
        if self.cookies is not None:
            self.cookies.add_to(request)
        if self.signed_by is not None:
            unsigned = _as_sent(request)
            _apply(unsigned, _signed(unsigned, self.signed_by), request)
        _write_as_bytes(request)
        return request


def _written(url: str, params: Sequence[Pair]) -> str | None:
    """The address as it is sent. Raises RequestException, UnicodeError."""
    is_short = not params and len(url) <= _LONGEST_KEPT_URL
    return _short_one_written(url) if is_short else _url_written(url, params)


@lru_cache(maxsize=1_000)
def _short_one_written(url: str) -> str | None:
    """Most steps call the same address each time, and to write it takes half of the time for a request."""
    return _url_written(url, ())


def _url_written(url: str, params: Sequence[Pair]) -> str | None:
    request = requests.PreparedRequest()
    request.prepare_url(url, list(params))
    return request.url


def _require_valid(headers: Mapping[str, str]) -> None:
    """Raises ConnectorError, which names the header that HTTP does not allow (RFC 9110, 5.1 and 5.5)."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ConnectorError(f"{jsonio.writable(name)[:100]!r} is not the name of a header", permanent=True)
        if not _HEADER_VALUE.fullmatch(value):
            raise ConnectorError(f"the header {name} holds a line break, or begins with a blank", permanent=True)


def _write_as_bytes(request: requests.PreparedRequest) -> None:
    """Headers that are not ASCII go out as UTF-8, by whichever library, and so does the body."""
    if isinstance(request.body, str):
        request.body = request.body.encode()
    for name, value in list(request.headers.items()):
        if not value.isascii():
            request.headers[name] = jsonio.writable(value).encode()  # type: ignore[assignment]


def _as_sent(request: requests.PreparedRequest) -> Request:
    body = b"" if isinstance(request.body, StreamedBody) else request.body or b""
    content = body.encode() if isinstance(body, str) else body
    return Request(request.method or "", request.url or "", dict(request.headers), content)


def _signed(unsigned: Request, signer: Signer) -> Request:
    """Raises ConnectorError. Whoever has refused a token says nothing about the call that it was for."""
    try:
        return signer.sign(unsigned)
    except ConnectorError as error:
        error.answered = False
        raise


def _apply(unsigned: Request, signed: Request, request: requests.PreparedRequest) -> None:
    """Takes over what signing may change: the URL and the headers."""
    with _refusing_what_is_not_valid():
        if signed.url != unsigned.url:
            request.prepare_url(signed.url, None)
        if signed.headers is not unsigned.headers:
            framing = {name: value for name, value in request.headers.items() if name.lower() in _FRAMING}
            request.prepare_headers({**_without_framing(signed.headers), **framing})


def _without_framing(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _FRAMING}


@contextmanager
def _refusing_what_is_not_valid() -> Iterator[None]:
    try:
        yield
    except (requests.RequestException, UnicodeError, ValueError) as error:
        raise ConnectorError("the address or a header of the request is not valid", permanent=True) from error


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the receiver"
    except ValueError:
        return "the receiver"
