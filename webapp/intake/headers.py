"""Headers and queries as a workflow may see them: secrets, known by their names, are left out of what is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from werkzeug.datastructures import Headers, MultiDict

from flowforge.charsets import header_text
from flowforge.field_order import in_stored_order
from flowforge.secret_names import change_secrets, is_secret_name

REDACTED = "[redacted]"
_CHALLENGES = frozenset({"validationToken", "crc_token"})
"""Parameters by which Microsoft Graph and X check an address: words made up for the moment, which the workflow has to
answer."""
AS_SENT = "flowforge.headers_as_sent"
"""The key in a request's environ under which our web server leaves the pairs of name and value: WSGI joins repeated
ones."""


def redact_headers(
    headers: Headers, as_sent: Iterable[tuple[str, str]] = (), secret: Collection[str] = ()
) -> dict[str, str | list[str]]:
    """Names in lower case; values as they were sent: text, or a list where a header came more than once (contract.md,
    section 1.4). `secret`: names, in lower case, that are secret whatever they look like.

    Under a server that does not tell what was sent, the values of a repeated header are joined with commas.
    """
    sent: dict[str, list[str]] = {}
    for name, value in as_sent:
        sent.setdefault(name.lower(), []).append(value)
    kept = {name.lower(): _redact(name.lower(), value, sent) for name, value in headers.items()}
    return in_stored_order(kept | {name: REDACTED for name in secret if name in kept})


def redact_query(query: MultiDict[str, str]) -> dict[str, str | list[str]]:
    """Text, or a list where a parameter came more than once."""
    return {name: _redact_parameter(name, values) for name, values in query.lists()}


def _redact_parameter(name: str, values: list[str]) -> str | list[str]:
    if is_secret_name(name) and name not in _CHALLENGES:
        return REDACTED
    return values[0] if len(values) == 1 else values


def _redact(name: str, value: str, sent: dict[str, list[str]]) -> str | list[str]:
    if is_secret_name(name):
        return REDACTED
    values = sent.get(name, ())
    return [_redact_value(each) for each in values] if len(values) > 1 else _redact_value(value)


def _redact_value(sent: str) -> str:
    """The value as text; without the secrets of the address, where it is one (`Referer`, `X-Original-URL`)."""
    value = header_text(sent)
    return str(change_secrets(value, lambda _text, _name: REDACTED)) if "?" in value or "://" in value else value
