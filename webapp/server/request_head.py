"""The head of a request: its grammar (RFC 9112), and what it says about the body and the connection.

The grammar is a few regular expressions, and refuses what another reader could understand otherwise (request
smuggling): lines that end without CR, folded values, control characters, two lengths, a length beside chunks.
docs/decisions/0054-the-web-servers-worker.md tells why no library reads it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import unquote_to_bytes, urlsplit

from webapp.server.refusals import Refused

_REQUEST_LINE = re.compile(r"([!$%&'*+.^_`|~0-9A-Z-]{3,20}) ([\x21-\x7e]+) HTTP/1\.([0-9])")
"""Methods are tokens (RFC 9110, section 5.6.2), but shorter, and without the small letters that none has."""
_FIELDS = re.compile(r"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[\t\x20-\x7e\x80-\xff]*+\r\n)*")
_DIGITS = re.compile(r"[0-9]{1,1000}")
_ONE_VALUE_ONLY = frozenset({"HTTP_HOST", "CONTENT_TYPE", "CONTENT_LENGTH"})
_REMEMBERED_NAMES = 1024

Field = tuple[str, str]
"""The name of a header, as it was sent, and its value (latin-1, as WSGI has it)."""


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """The limits on a head; sizes in bytes."""

    request_line: int = 4094
    fields: int = 100
    field: int = 8190
    """Name and value of one header, and the end of its line."""


@dataclass(slots=True)
class RequestHead:
    """The head of a request that is valid."""

    method: str
    target: str
    """As it was sent."""
    path: str
    """Without its percent encoding: bytes, as latin-1."""
    query: str
    protocol: str
    """`HTTP/1.1` or `HTTP/1.0`."""
    fields: Sequence[Field]
    """The headers in the order in which they were sent."""
    headers: Mapping[str, str]
    """The same under their names in a WSGI environment, those that came more than once joined with commas."""
    body_length: int | None
    """None: the body comes in chunks."""
    expects_continue: bool
    """The sender waits for `100 Continue` before it sends the body (RFC 9110, section 10.1.1)."""
    keeps_alive: bool
    """The sender leaves the connection open for another request."""


def parse_head(head: bytes, limits: HeadLimits) -> RequestHead:
    """Read the bytes before the empty line that ends a head. Raises Refused."""
    text = head.decode("latin-1").removeprefix("\r\n")  # one empty line may stand before it (RFC 9112, section 2.2)
    line, _, rest = f"{text}\r\n".partition("\r\n")
    method, target, minor = _request_line(line, limits)
    path, query = _split_target(method, target)
    fields, headers = _fields(rest, limits)
    is_newer = minor != "0"
    return RequestHead(
        method,
        target,
        path,
        query,
        "HTTP/1.1" if is_newer else "HTTP/1.0",
        fields,
        headers,
        _body_length(headers, is_newer),
        _expects_continue(headers) and is_newer,
        _keeps_alive(headers, is_newer),
    )


def parse_trailers(text: bytes, limits: HeadLimits) -> None:
    """Check the headers behind a body in chunks, of which nothing is kept. Raises Refused."""
    _, headers = _fields(text.decode("latin-1"), limits)
    if not _FORBIDDEN_IN_TRAILERS.isdisjoint(headers):
        raise Refused(HTTPStatus.BAD_REQUEST, "a header stands behind the body that must stand before it")


_FORBIDDEN_IN_TRAILERS = frozenset(
    {"HTTP_HOST", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_TRAILER", "HTTP_AUTHORIZATION", "HTTP_TE"}
)
"""They change what has been decided by the head (RFC 9110, section 6.5.1)."""


def _request_line(line: str, limits: HeadLimits) -> tuple[str, str, str]:
    if len(line) > limits.request_line:
        raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG, "the request line is too long")
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise Refused(HTTPStatus.BAD_REQUEST, "the request line is no valid HTTP/1.1")
    method, target, minor = found.groups()
    return method, target, minor


def _split_target(method: str, target: str) -> tuple[str, str]:
    """Path and query (RFC 9112, section 3.2). A fragment, which browsers do not send, is left out."""
    if target.startswith("/") and method != "CONNECT":
        path, _, query = target.partition("#")[0].partition("?")
    elif "://" in target and method != "CONNECT":
        try:
            parts = urlsplit(target)
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST, "the request's target is no valid address") from None
        path, query = parts.path, parts.query
    elif target == "*" and method == "OPTIONS":
        path, query = target, ""
    else:
        raise Refused(HTTPStatus.BAD_REQUEST, "the request's target is no path")
    return (unquote_to_bytes(path).decode("latin-1") if "%" in path else path), query


def _fields(text: str, limits: HeadLimits) -> tuple[list[Field], dict[str, str]]:
    if not _FIELDS.fullmatch(text):
        raise Refused(HTTPStatus.BAD_REQUEST, "a header is no valid HTTP/1.1")
    lines = text.split("\r\n")[:-1]
    if len(lines) > limits.fields or max(map(len, lines), default=0) + len("\r\n") > limits.field:
        raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too many, or too large")
    fields: list[Field] = []
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key, value = _wsgi_name(name), value.strip(" \t")
        if not key:
            continue
        fields.append((name, value))
        if key not in headers:
            headers[key] = value
        elif key in _ONE_VALUE_ONLY:
            raise Refused(HTTPStatus.BAD_REQUEST, f"{name} stands more than once in the request")
        else:
            headers[key] += f",{value}"
    return fields, headers


@lru_cache(_REMEMBERED_NAMES)
def _wsgi_name(name: str) -> str:
    """Empty for a name with an underscore: in WSGI it would be taken for the one with a hyphen, which a proxy may have
    set or removed."""
    if "_" in name:
        return ""
    key = name.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


def _body_length(headers: Mapping[str, str], is_newer: bool) -> int | None:
    """RFC 9112, section 6.3."""
    length, coding = headers.get("CONTENT_LENGTH"), headers.get("HTTP_TRANSFER_ENCODING")
    if coding is not None:
        if length is not None or not is_newer:
            raise Refused(HTTPStatus.BAD_REQUEST, "the length of the request's body is ambiguous")
        _demand_chunks(coding)
        return None
    if length is None:
        return 0
    if not _DIGITS.fullmatch(length):
        raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is no length")
    return int(length)


def _demand_chunks(coding: str) -> None:
    *others, last = (each.strip(" \t").lower() for each in coding.split(","))
    if last != "chunked" or "chunked" in others:
        raise Refused(HTTPStatus.BAD_REQUEST, "the request's body has no end")
    if others:
        raise Refused(HTTPStatus.NOT_IMPLEMENTED, "of Transfer-Encoding, only chunked is known here")


def _expects_continue(headers: Mapping[str, str]) -> bool:
    expected = headers.get("HTTP_EXPECT")
    if expected is not None and expected.lower() != "100-continue":
        raise Refused(HTTPStatus.EXPECTATION_FAILED, "of Expect, only 100-continue is known here")
    return expected is not None


def _keeps_alive(headers: Mapping[str, str], is_newer: bool) -> bool:
    options = headers.get("HTTP_CONNECTION")
    if options is None:
        return is_newer
    named = {option.strip(" \t").lower() for option in options.split(",")}
    return "close" not in named and (is_newer or "keep-alive" in named)
