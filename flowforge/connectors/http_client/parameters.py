"""Parameters of queries and forms, from the values that JSON has."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from flowforge.connectors.errors import ConnectorError
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import to_text

Nested = Literal["repeat", "brackets", "indexes", "json"]
"""How objects and lists are written. An object: `filter[brand]=acme`. A list: `tag=a&tag=b` (repeat), `tag[]=a&tag[]=b`
(brackets), `tag[0]=a&tag[1]=b` (indexes). Or either as JSON."""
Pair = tuple[str, str]

_DEEPEST = 20
_MOST = 10_000


def pairs_of(parameters: Mapping[str, Any], nested: Nested = "repeat") -> list[Pair]:
    """The names and texts that are sent; none for null. Raises ConnectorError for too many, or too deep, of them."""
    pairs: list[Pair] = []
    for name, value in parameters.items():
        for pair in _pairs(name, value, nested):
            if len(pairs) == _MOST:
                raise ConnectorError(f"a query or form may have {_MOST:,} parameters", permanent=True)
            pairs.append(pair)
    return pairs


def without_parameters(url: str, names: Collection[str]) -> str:
    """The address without these in its query; all else stays as it is written."""
    parts = urlsplit(url)
    kept = [part for part in parts.query.split("&") if part and _name_of(part) not in names]
    return urlunsplit(parts._replace(query="&".join(kept)))


def _name_of(parameter: str) -> str:
    return unquote_plus(parameter.partition("=")[0])


def _pairs(name: str, value: Any, nested: Nested, depth: int = 0) -> Iterator[Pair]:
    if value is None:
        return
    if nested == "json" or not isinstance(value, Mapping | list | tuple):
        yield name, _text(value, name)
        return
    if depth == _DEEPEST:
        raise ConnectorError(
            f"a parameter may be nested {_DEEPEST} levels deep; {name[:100]} is deeper", permanent=True
        )
    for inner, member in _members(name, value, nested):
        yield from _pairs(inner, member, nested, depth + 1)


def _members(name: str, value: Any, nested: Nested) -> Iterator[tuple[str, Any]]:
    """Each part with its name. Objects and lists in a list have their index in it: else nobody knows what belongs
    together."""
    if isinstance(value, Mapping):
        yield from ((f"{name}[{key}]", member) for key, member in value.items())
        return
    plain = {"repeat": name, "brackets": f"{name}[]"}.get(nested)
    for index, member in enumerate(value):
        has_parts = isinstance(member, Mapping | list | tuple)
        yield (f"{name}[{index}]" if has_parts or plain is None else plain), member


def _text(value: Any, name: str) -> str:
    meter = Meter()
    meter.begin_expression()
    try:
        return to_text(value, meter)
    except Failure as error:
        raise ConnectorError(f"the parameter {name[:100]} cannot be written: {error}", permanent=True) from error
