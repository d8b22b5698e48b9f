"""Signing: the last change to a request before it goes out, so that the receiver knows who sends it."""

from __future__ import annotations

import base64
from typing import Protocol

from flowforge.connectors.http_client.pace import Pace
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.tls import TlsIdentity


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
