"""A call on its way to the wire: made by a connector, made anew by redirects, signed for its origin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from pydantic import StringConstraints
from requests.utils import get_auth_from_url

from flowforge import jsonio
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.cookies import Cookies
from flowforge.connectors.http_client.parameters import Pair
from flowforge.connectors.http_client.request import Request, unique
from flowforge.connectors.http_client.signing import Signer, basic_credentials
from flowforge.connectors.http_client.streamed_body import StreamedBody
from flowforge.connectors.in_thread import is_small

REDIRECTS = {301, 302, 303, 307, 308}
_BECOME_GET = {301, 302, 303}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HeaderName = Annotated[str, StringConstraints(pattern=rf"^{_HEADER_NAME.pattern}$")]
"""The name of a header (RFC 9110, 5.1)."""
_HEADER_VALUE = re.compile(r"([^\s\0][^\r\n\0]*)?")
_FRAMING = frozenset({"content-length", "transfer-encoding"})
"""Headers that say where a body ends (RFC 9112, 6). They follow from the body: by others a server could read the rest
of it, or what the next step sends on this connection, as somebody else's request."""
_WITHOUT_BODY = frozenset({"GET", "HEAD"})
_FORM = "application/x-www-form-urlencoded"
_LONGEST_KEPT_URL = 2_000
_KEPT_ACROSS_HOSTS = {"accept", "content-type", "user-agent", "idempotency-key", "accept-encoding"}


Body = bytes | str | Sequence[Pair] | StreamedBody | None


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a connector makes it, or as a redirect makes it anew."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Sequence[Pair]
    body: Body
    signed_by: Signer | None
    cookies: Cookies | None = None

    is_large: bool = False
    """Whether to prepare it takes long, but for files, which are read while they are sent."""

    @property
    def takes_time(self) -> bool:
        """Whether it is prepared in a thread: it is large, or its signer may have to ask a server."""
        return self.is_large or (self.signed_by is not None and not self.signed_by.signs_at_once)

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
        signer = self.signed_by
        if _origin(url) != _origin(self.url):
            headers, signer = {n: value for n, value in headers.items() if n.lower() in _KEPT_ACROSS_HOSTS}, None
        is_large = self.is_large or not is_small(url)
        return replace(
            self, method=method, url=url, headers=headers, params=(), body=body, signed_by=signer, is_large=is_large
        )

    def prepared(self) -> Request:
        """The request as it is sent, signed. Raises ConnectorError."""
        with _refusing_what_is_not_valid():
            scheme = urlsplit(self.url).scheme
        if scheme not in {"http", "https"}:
            raise ConnectorError("only http:// and https:// addresses can be called", permanent=True)
        headers = _without_framing(self.headers)
        if (problem := _problem_of(headers)) is not None:
            raise ConnectorError(problem, permanent=True)
        with _refusing_what_is_not_valid():
            request = self._unsigned(_written(self.url, self.params), headers)
        if self.cookies is not None:
            request = self.cookies.added_to(request)
        return request if self.signed_by is None else _signed(request, self.signed_by)

    def _unsigned(self, url: str, headers: Mapping[str, str]) -> Request:
        """Raises ValueError."""
        method, file = self.method.upper(), self.body if isinstance(self.body, StreamedBody) else None
        body, is_form = _in_bytes(self.body)
        size = len(body) if file is None else len(file)
        kind = {"Content-Type": _FORM} if is_form else {}
        framing = {"Content-Length": str(size)} if size or method not in _WITHOUT_BODY else {}
        return Request(method, url, unique({**kind, **headers, **_authorization(url), **framing}), body, file)


def _in_bytes(body: Body) -> tuple[bytes, bool]:
    """A body that is no file, and whether it is a form."""
    if not body or isinstance(body, StreamedBody):
        return b"", False
    if isinstance(body, str | bytes):
        return body.encode() if isinstance(body, str) else body, False
    return urlencode(body).encode(), True


def _authorization(url: str) -> Mapping[str, str]:
    """The header by which a user in the address signs in."""
    user, password = get_auth_from_url(url) if "@" in url else ("", "")
    return {"Authorization": f"Basic {basic_credentials(user, password)}"} if user or password else {}


def _written(url: str, params: Sequence[Pair]) -> str:
    """The address as it is sent. Raises RequestException, UnicodeError."""
    is_short = not params and len(url) <= _LONGEST_KEPT_URL
    return _short_one_written(url) if is_short else _url_written(url, params)


@lru_cache(maxsize=1_000)
def _short_one_written(url: str) -> str:
    """Most steps call the same address each time, and to write it takes half of the time for a request."""
    return _url_written(url, ())


def _url_written(url: str, params: Sequence[Pair]) -> str:
    request = requests.PreparedRequest()
    request.prepare_url(url, list(params))
    return request.url or ""


def _problem_of(headers: Mapping[str, str]) -> str | None:
    """Names the header that HTTP does not allow (RFC 9110, 5.1 and 5.5), if there is one."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            return f"{jsonio.writable(name)[:100]!r} is not the name of a header"
        if not _HEADER_VALUE.fullmatch(value):
            return f"the header {name} holds a line break, or begins with a blank"
    return None


def _signed(unsigned: Request, signer: Signer) -> Request:
    """Raises ConnectorError. Whoever has refused a token says nothing about the call that it was for."""
    try:
        signed = signer.sign(unsigned)
    except ConnectorError as error:
        error.answered = False
        raise
    return signed if signed is unsigned else _taking_over(signed, unsigned)


def _taking_over(signed: Request, unsigned: Request) -> Request:
    """What signing may change: the URL and the headers. Raises ConnectorError, which quotes nothing of them."""
    framing = {name: value for name, value in unsigned.headers.items() if name.lower() in _FRAMING}
    headers = _without_framing(signed.headers)
    with _refusing_what_is_not_valid():
        if (problem := _problem_of(headers)) is not None:
            raise ValueError(problem)
        url = unsigned.url if signed.url == unsigned.url else _written(signed.url, ())
    return replace(unsigned, url=url, headers=unique({**headers, **framing}))


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
