"""Request headers as a workflow may see them: secrets are left out of what is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable

from werkzeug.datastructures import Headers

REDACTED = "[redacted]"
AS_SENT = "flowforge.headers_as_sent"
"""The key in a request's environ under which our web server leaves the pairs of name and value: WSGI joins repeated
ones."""
_SECRET = re.compile("authorization|cookie|signature|secret|token|password|api-?key|hmac")


def redact_headers(headers: Headers, as_sent: Iterable[tuple[str, str]] = ()) -> dict[str, str | list[str]]:
    """Names in lower case; text, or a list where a header came more than once (contract.md, section 1.4).

    Under a server that does not tell what was sent, the values of a repeated header are joined with commas.
    """
    sent: dict[str, list[str]] = {}
    for name, value in as_sent:
        sent.setdefault(name.lower(), []).append(value)
    return {name.lower(): _redact(name.lower(), value, sent) for name, value in headers.items()}


def _redact(name: str, value: str, sent: dict[str, list[str]]) -> str | list[str]:
    if _SECRET.search(name):
        return REDACTED
    values = sent.get(name, ())
    return list(values) if len(values) > 1 else value
