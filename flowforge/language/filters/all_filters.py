"""All filters an expression can use: `{{ value | name(arguments) }}`."""

from __future__ import annotations

from collections.abc import Mapping

from flowforge.language.evaluation.names import UnknownName, quoted
from flowforge.language.filters.files import FILE_FILTERS
from flowforge.language.filters.formats import FORMAT_FILTERS
from flowforge.language.filters.hashes import HASH_FILTERS
from flowforge.language.filters.lists import LIST_FILTERS
from flowforge.language.filters.matches import MATCH_FILTERS
from flowforge.language.filters.regexes import REGEX_FILTERS
from flowforge.language.filters.registry import Filter
from flowforge.language.filters.shapes import SHAPE_FILTERS
from flowforge.language.filters.tables import TABLE_FILTERS
from flowforge.language.filters.texts import TEXT_FILTERS
from flowforge.language.filters.times import TIME_FILTERS
from flowforge.language.filters.urls import URL_FILTERS
from flowforge.language.filters.values import VALUE_FILTERS
from flowforge.sentences import sentence

_REGISTERS = (
    TEXT_FILTERS,
    REGEX_FILTERS,
    URL_FILTERS,
    HASH_FILTERS,
    FILE_FILTERS,
    FORMAT_FILTERS,
    LIST_FILTERS,
    MATCH_FILTERS,
    SHAPE_FILTERS,
    TABLE_FILTERS,
    VALUE_FILTERS,
    TIME_FILTERS,
)

FILTERS: Mapping[str, Filter] = {name: found for register in _REGISTERS for name, found in register.all.items()}


def find_filter(name: str) -> Filter:
    """Raises UnknownName, a Failure, when there is no such filter."""
    if name not in FILTERS:
        raise UnknownName(sentence("there is no filter %(name)s", name=quoted(name)), name, "filter", sorted(FILTERS))
    return FILTERS[name]
