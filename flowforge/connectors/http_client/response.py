"""A whole answer to an HTTP request, and what its status means for the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self

from flowforge import jsonio
from flowforge.charsets import declared_in, decode, json_source
from flowforge.connectors.errors import ConnectorError

_RETRYABLE = {408, 425, 429, 500, 502, 503, 504, *range(520, 525), 529}
"""Answers after which the same call may succeed: those of RFC 9110 and RFC 8470, and what proxies say for an origin
that is away for a moment (https://developers.cloudflare.com/support/troubleshooting/http-status-codes/)."""
_OF_GATEWAYS = {499, 502, 504, *range(520, 528), 530, 598, 599}
"""Answers of something in between, which does not know what became of the call behind it."""
_LONGEST_REASON = 8 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    """Those that came several times are joined with commas (RFC 9110, 5.3)."""
    content: bytes
    repeated_headers: Mapping[str, list[str]] = field(default_factory=dict)
    """The values of those that came several times: some, like Set-Cookie, cannot be told apart once they are joined."""

    def values_of(self, name: str) -> list[str]:
        """Each value of a header, by its name in lower case; none where it did not come."""
        if name in self.repeated_headers:
            return self.repeated_headers[name]
        return [self.headers[name]] if name in self.headers else []

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return decode(self.content, self._declared_charset)

    @property
    def _declared_charset(self) -> str | None:
        return declared_in(self.headers.get("content-type", ""))

    def body(self) -> Any:
        """JSON where the content type says so and it can be read as such; text otherwise."""
        if "json" in self.headers.get("content-type", ""):
            try:
                return jsonio.loads(json_source(self.content, self._declared_charset))
            except ValueError:
                return self.text
        return self.text

    def json(self) -> Any:
        """The body as JSON, whatever the content type says; null where there is none. Raises ConnectorError."""
        try:
            return jsonio.loads(json_source(self.content, self._declared_charset)) if self.content.strip() else None
        except ValueError as error:
            raise ConnectorError("the answer is not JSON", permanent=True, answered=True) from error

    def raise_for_status(self, receiver: str, read_reason: Callable[[Self], str] | None = None) -> None:
        """Raises ConnectorError for anything but a 2xx, with the reason that the answer gives. `receiver` names it for
        people, without secrets; `read_reason` finds the reason where it knows how this receiver writes it."""
        if not self.ok:
            reason = (read_reason(self) if read_reason else "") or self._reason()
            raise ConnectorError(
                f"{receiver} answered {self.status}" + (f": {reason}" if reason else ""),
                permanent=self.status not in _RETRYABLE,
                retry_after=retry_after(self.headers.get("retry-after")),
                answered=self.status not in _OF_GATEWAYS,
            )

    def _reason(self) -> str:
        """The part of the body that a person can read; nothing of a page that is made for a browser.

        It may repeat secrets that were sent: the engine masks it before it is stored or shown.
        """
        kind = self.headers.get("content-type", "text/plain")
        readable = kind.startswith("text/") or "json" in kind or "xml" in kind
        reason = decode(self.content[:_LONGEST_REASON], declared_in(kind)).strip() if readable else ""
        return "" if "html" in kind and "<" in reason else reason


def retry_after(value: str | None) -> float | None:
    """Seconds, from either form of RFC 9110, 10.2.3."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
