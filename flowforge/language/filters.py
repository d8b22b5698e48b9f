"""All filters an expression can use: `{{ value | name(arguments) }}`."""

from __future__ import annotations

from collections.abc import Mapping

from flowforge.language.list_filters import LIST_FILTERS
from flowforge.language.meter import Failure
from flowforge.language.names import hint
from flowforge.language.registry import Filter
from flowforge.language.text_filters import TEXT_FILTERS
from flowforge.language.value_filters import VALUE_FILTERS

FILTERS: Mapping[str, Filter] = {**TEXT_FILTERS.all, **LIST_FILTERS.all, **VALUE_FILTERS.all}


def find_filter(name: str) -> Filter:
    """Raises Failure, with the nearest name, when there is no such filter."""
    if name not in FILTERS:
        raise Failure(f"there is no filter '{name}'{hint(name, sorted(FILTERS))}")
    return FILTERS[name]
