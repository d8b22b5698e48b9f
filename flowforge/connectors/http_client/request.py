"""A request as it goes over the wire, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from flowforge.connectors.http_client.parameters import without_parameters
from flowforge.connectors.http_client.streamed_body import StreamedBody

_VISIBLE = re.compile(r"[!-~]+")
_PORTS = {"http": 80, "https": 443}
_LONGEST_KEPT_URL = 2_000


@dataclass(frozen=True, slots=True)
class Request:
    """The URL holds the query, the body is final. No two headers have one name, in whatever case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    """Empty for a file."""
    file: StreamedBody | None = None
    """A body that is read only while it is sent."""

    @property
    def size(self) -> int:
        """Bytes of its body."""
        return len(self.body) if self.file is None else len(self.file)

    @property
    def target(self) -> Target:
        """Raises ValueError for an address that cannot be called."""
        return _kept_target(self.url) if len(self.url) <= _LONGEST_KEPT_URL else Target.of(self.url)

    def header(self, name: str) -> str:
        """The value of a header, in whatever case it is written; empty where there is none."""
        return next((value for own, value in self.headers.items() if own.lower() == name.lower()), "")

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """A copy with the headers added, or replaced where one of that name is there, in whatever case."""
        return replace(self, headers=unique({**self.headers, **headers})) if headers else self

    def with_first_segment(self, segment: str) -> Request:
        """A copy whose path begins with the segment: `/sendMessage` becomes `/bot123:abc/sendMessage`."""
        parts = urlsplit(self.url)
        path = f"/{quote(segment, safe=':')}/{parts.path.removeprefix('/')}"
        return replace(self, url=urlunsplit(parts._replace(path=path)))

    def with_query(self, **parameters: str) -> Request:
        """A copy with the parameters added to the query, or replaced where one of that name is there."""
        parts = urlsplit(without_parameters(self.url, parameters))
        query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
        return replace(self, url=urlunsplit(parts._replace(query=query)))

    def with_cookie(self, name: str, value: str) -> Request:
        """A copy with the cookie after those that are there (RFC 6265, 5.4)."""
        cookies = [sent for header, sent in self.headers.items() if header.lower() == "cookie"]
        return self.with_headers({"Cookie": "; ".join([*cookies, f"{name}={value}"])})


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the server, and what it is asked for."""

    secure: bool
    host: str
    """Without the brackets of an IPv6 address."""
    port: int
    authority: str
    """What the header Host says (RFC 9110, 7.2)."""
    path: str
    """With the query."""

    @classmethod
    def of(cls, url: str) -> Target:
        """That of an address as a request holds it. Raises ValueError."""
        parts = urlsplit(url)
        host, usual = parts.hostname, _PORTS.get(parts.scheme)
        if not host or usual is None:
            raise ValueError("not an address of HTTP")
        port = parts.port or usual
        name = f"[{host}]" if ":" in host else host.rstrip(".")
        authority = name if port == usual else f"{name}:{port}"
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        if not _VISIBLE.fullmatch(authority + path):
            raise ValueError("an address holds what a request line must not")
        return cls(parts.scheme == "https", host, port, authority, path)


_kept_target = lru_cache(maxsize=1_000)(Target.of)
"""Most steps call the same address each time."""


def unique(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers; of those that have one name, in whatever case, the last."""
    names = {name.lower(): name for name in headers}
    return headers if len(names) == len(headers) else {name: headers[name] for name in names.values()}
