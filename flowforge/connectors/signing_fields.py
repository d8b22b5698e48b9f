"""The fields that every connection has whose kind signs in to HTTP services, beside those of the kind."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from flowforge.connectors.config import ConnectorConfig
from flowforge.connectors.network.host_patterns import require_pattern
from flowforge.fields import field

_MOST_HOSTS = 50
_GROUP = "Hosts and limits"
Host = Annotated[str, AfterValidator(require_pattern)]


class SigningFields(ConnectorConfig):
    hosts: list[Host] = field(
        [],
        group=_GROUP,
        max_length=_MOST_HOSTS,
        title="Hosts",
        description="Its secrets are sent to these alone: api.example.com, or *.example.com for all below it. Empty: to"
        " whatever a step calls.",
    )

    requests_per_second: float | None = field(
        None,
        group=_GROUP,
        gt=0,
        le=1000,
        title="Requests per second",
        description="All executors together; 0.5 is one in two seconds.",
    )
    concurrent_requests: int | None = field(None, group=_GROUP, ge=1, le=1000, title="Concurrent requests")


class TrialAddress(ConnectorConfig):
    """The field of those that are tested by a request to an address of their user's choice."""

    test_url: str = field(
        "",
        title="Test URL",
        description="Called with GET, signed; it works where the answer is a 2xx. Mail servers: imaps://… or smtp://….",
    )
