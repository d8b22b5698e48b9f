"""Signing: the last change to a request before it goes out, so that the receiver knows who sends it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from flowforge.connectors.http_client.pace import Pace
from flowforge.connectors.http_client.parameters import without_parameters
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.tls import TlsIdentity


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire: the URL holds the query, the body is final."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    """Empty for a file, which is read only while it is sent."""

    def header(self, name: str) -> str:
        """The value of a header, in whatever case it is written; empty where there is none."""
        return next((value for own, value in self.headers.items() if own.lower() == name.lower()), "")

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """A copy with the headers added, or replaced where one of that name is there, in whatever case."""
        if not headers:
            return self
        replaced = {name.lower() for name in headers}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in replaced}
        return replace(self, headers={**kept, **headers})

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


def basic_credentials(username: str, password: str) -> str:
    """The text after `Basic` in the header Authorization (RFC 7617, 2)."""
    return base64.b64encode(f"{username}:{password}".encode()).decode()


class Signer(Protocol):
    """Signs every request to the origin that a connector calls; none to an origin it is redirected to."""

    def sign(self, request: Request) -> Request:
        """The request with headers or query parameters added, or another path. Raises ConnectorError."""

    @property
    def identity(self) -> TlsIdentity:
        """The certificates by which the connection is made."""

    @property
    def signs_at_once(self) -> bool:
        """Whether signing asks nobody and takes no time."""

    @property
    def pace(self) -> Pace:
        """The pace of requests that are signed."""

    def renew(self, refusal: Response) -> bool:
        """Whether a request that was answered 401 is worth signing and sending once more. Raises ConnectorError."""
