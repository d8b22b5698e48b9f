"""Values of parameters as they are written in addresses and headers (OpenAPI 3.1, section 4.8.12.2 and 4.8.12.6).

The styles are those of RFC 6570; `deepObject` goes on where the specification stops, as Stripe and Rails read it:
`filter[range][from]=1`, `items[0][price]=p`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from flowforge import jsonio
from flowforge.apis.operation import Style

Encode = Callable[[str], str]
_SAFE_IN_PATHS = "/:@!$&'()*+,;="
_SAFE_IN_QUERIES = "/?:@!$'()*,;="
_DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "%7C", "tabDelimited": "%09"}
_DEEPEST = 20


def text_of(value: Any) -> str:
    """A value as text: JSON for what is none."""
    return value if isinstance(value, str) else jsonio.dumps(value).decode()


def encode(text: str) -> str:
    """The text with all but unreserved characters percent-encoded (RFC 3986, section 2.3)."""
    return quote(text, safe="~", errors="replace")


def encode_reserved_path(text: str) -> str:
    return quote(text, safe=_SAFE_IN_PATHS, errors="replace")


def encode_reserved_query(text: str) -> str:
    """Leaves what a query may hold, apart from what would end the value."""
    return quote(text, safe=_SAFE_IN_QUERIES, errors="replace")


def write_in_path(name: str, value: Any, style: Style, explode: bool, encoded: Encode = encode) -> str:
    """The text that takes the place of `{name}`."""
    if style == "matrix":
        return _matrix(name, value, explode, encoded)
    if style == "label":
        separator = "." if explode else ","
        return f".{separator.join(_pieces(value, explode, encoded))}"
    return ",".join(_pieces(value, explode, encoded))


def write_in_header(value: Any, explode: bool) -> str:
    return ",".join(_pieces(value, explode, str))


def write_pairs(name: str, value: Any, style: Style, explode: bool, encoded: Encode = encode) -> list[str]:
    """The `name=value` pairs of a query or form; none for null and for empty lists and objects."""
    if style == "deepObject":
        return [f"{encode(inner)}={encoded(text_of(leaf))}" for inner, leaf in _leaves(name, value, 0)]
    if isinstance(value, dict) and explode:
        return [f"{encode(key)}={encoded(text_of(inner))}" for key, inner in _members(value)]
    pieces = _pieces(value, explode, encoded)
    if isinstance(value, list) and explode:
        return [f"{_name(name)}={piece}" for piece in pieces]
    is_empty = value is None or (isinstance(value, list | dict) and not pieces)
    return [] if is_empty else [f"{_name(name)}={_DELIMITERS.get(style, ',').join(pieces)}"]


def _matrix(name: str, value: Any, explode: bool, encoded: Encode) -> str:
    pieces = _pieces(value, explode, encoded)
    if isinstance(value, dict) and explode:
        return "".join(f";{piece}" for piece in pieces)
    if isinstance(value, list) and explode:
        return "".join(f";{encode(name)}={piece}" for piece in pieces)
    joined = ",".join(pieces)
    return f";{encode(name)}={joined}" if joined else f";{encode(name)}"


def _pieces(value: Any, explode: bool, encoded: Encode) -> list[str]:
    """The parts of a value: of a list its members, of an object its names and members, in turn or as `name=member`."""
    if isinstance(value, list):
        return [encoded(text_of(member)) for member in value if member is not None]
    if not isinstance(value, dict):
        return [encoded(text_of(value))]
    pairs = [(encoded(key), encoded(text_of(member))) for key, member in _members(value)]
    return [f"{key}={member}" for key, member in pairs] if explode else [part for pair in pairs for part in pair]


def _members(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((str(key), member) for key, member in value.items() if member is not None)


def _leaves(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict | list) or depth == _DEEPEST:
        if value is not None:
            yield name, value
        return
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield from _leaves(f"{name}[{key}]", member, depth + 1)


def _name(name: str) -> str:
    """The name of a parameter; a `$` in it stays, as OData's servers expect."""
    return quote(name, safe="~$", errors="replace")
