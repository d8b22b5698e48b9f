"""What tells two lists apart: records that one of them has alone, and those of both, the same or not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flowforge.connectors.lists.operation import Path, keys_at, records
from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.joins import join_by_keys
from flowforge.language.evaluation.lenient_values import hashed
from flowforge.language.evaluation.meter import Meter

_PURPOSE = "a comparison"


def differences(
    meter: Meter, lists: tuple[list[Any], list[Any]], keys: tuple[list[Path], list[Path]], ignored: Collection[str]
) -> JsonObject:
    """Records with the same values in `keys` (of each list) are one thing; their other fields, but for those that are
    ignored, say whether it is the same. Raises Failure."""
    first, second = (records(meter, members, _PURPOSE) for members in lists)
    met = keys_at(meter, first, keys[0]), keys_at(meter, second, keys[1])
    unlike = {*ignored, *keys[0], *keys[1]}
    pairs = join_by_keys(meter, first, second, met, "outer")
    both = [(one, other, _changed(meter, one, other, unlike)) for one, other in pairs if None not in (one, other)]
    return {
        "onlyInFirst": [one for one, other in pairs if other is None],
        "onlyInSecond": [other for one, other in pairs if one is None],
        "same": [one for one, _, changed in both if not changed],
        "different": [{"first": one, "second": two, "fields": changed} for one, two, changed in both if changed],
    }


def _changed(meter: Meter, one: JsonObject, other: JsonObject, ignored: Collection[str]) -> list[str]:
    """The names of the fields whose values differ; what is missing is null."""
    names = [name for name in {**one, **other} if name not in ignored]
    values = [hashed(meter, [record.get(name) for name in names]) for record in (one, other)]
    return [name for name, value, second in zip(names, *values, strict=True) if value != second]
