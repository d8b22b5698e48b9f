"""Filters on addresses of the web."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import mapping, text, to_text
from flowforge.language.filters.registry import Register

URL_FILTERS = Register()

_QUOTED_BYTES = 24  # a four-byte character becomes %F0%9F%98%80, and there is a list of them on the way
_LONGEST_URL = 20_000
_MOST_FIELDS = 1_000
_PARSE_NANOSECONDS = 1_000
_PARSED_BYTES = 100


@URL_FILTERS.add("urlencode")
def urlencode_(meter: Meter, value: Any) -> str:
    """Safe as one part of a URL: everything but letters, digits and `_.-~` as %XX."""
    subject = to_text(value, meter)
    meter.work(len(subject) * (60 if subject.isascii() else 240))
    meter.memory(len(subject) * (_QUOTED_BYTES // 2 if subject.isascii() else _QUOTED_BYTES * 2))
    try:
        return quote(subject, safe="")
    except UnicodeEncodeError as error:
        raise Failure("the text holds half a character") from error


@URL_FILTERS.add("urldecode")
def urldecode(meter: Meter, value: Any) -> str:
    """The text that %XX stand for."""
    subject = text(value, "urldecode")
    meter.work(len(subject) * 200)
    meter.memory(len(subject) * _QUOTED_BYTES * 2)
    return unquote(subject)


@URL_FILTERS.add("parse_url")
def parse_url(meter: Meter, value: Any) -> JsonObject:
    """The parts of a URL: `scheme`, `host`, `port`, `path`, `query` (an object), `fragment`."""
    parts = _split(meter, value, "parse_url")
    try:
        port = parts.port
    except ValueError as error:
        raise Failure("parse_url: the port is none") from error
    return {
        "scheme": parts.scheme,
        "host": parts.hostname,
        "port": port,
        "path": parts.path,
        "query": _fields(parts.query, "parse_url"),
        "fragment": parts.fragment,
    }


@URL_FILTERS.add("query_string")
def query_string(meter: Meter, value: Any) -> str:
    """An object as `name=value&name=value`; a list gives its name several times, null none."""
    return _query(meter, value, "query_string")


@URL_FILTERS.add("with_query")
def with_query(meter: Meter, value: Any, fields: Any) -> str:
    """A URL with the object's fields added to its query; those it has by that name are replaced."""
    parts, added = _split(meter, value, "with_query"), mapping(fields, "with_query")
    kept = [pair for pair in _pairs(parts.query, "with_query") if pair[0] not in added]
    query = "&".join(part for part in (urlencode(kept), _query(meter, added, "with_query")) if part)
    return urlunsplit(parts._replace(query=query))


def _split(meter: Meter, value: Any, purpose: str) -> SplitResult:
    subject = text(value, purpose)
    if len(subject) > _LONGEST_URL:
        raise Failure(f"{purpose}: a URL may have {_LONGEST_URL:,} characters")
    meter.work(len(subject) * _PARSE_NANOSECONDS // 4)
    meter.memory(len(subject) * _PARSED_BYTES)
    try:
        return urlsplit(subject)
    except ValueError as error:
        raise Failure(f"{purpose}: this is no URL") from error


def _pairs(query: str, purpose: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Failure(f"{purpose}: the query has too many fields") from error


def _fields(query: str, purpose: str) -> JsonObject:
    """A name that comes several times has a list."""
    found: JsonObject = {}
    for name, field in _pairs(query, purpose):
        if name not in found:
            found[name] = field
        elif isinstance(found[name], list):
            found[name].append(field)
        else:
            found[name] = [found[name], field]
    return found


def _query(meter: Meter, value: Any, purpose: str) -> str:
    pairs: list[tuple[str, str]] = []
    for name, field in mapping(value, purpose).items():
        several = field if isinstance(field, list) else [field]
        meter.work(_PARSE_NANOSECONDS * (1 + len(several)))
        pairs += [(name, to_text(one, meter)) for one in several if one is not None]
    size = sum(len(name) + len(field) for name, field in pairs)
    meter.work(size * 240 + len(pairs) * 2 * _PARSE_NANOSECONDS)
    meter.memory(size * _QUOTED_BYTES * 2 + len(pairs) * 4 * _PARSED_BYTES)
    try:
        return urlencode(pairs, quote_via=quote, safe="")
    except UnicodeEncodeError as error:
        raise Failure("the text holds half a character") from error
