"""Two lists put together: by keys, by position, or all with all. Keys are hashed, so that no work is quadratic, and
pairs are counted before they are made."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import zip_longest
from typing import Any, Literal, get_args

from flowforge.jsonio import JsonObject
from flowforge.language.evaluation.lenient_values import hashed
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.names import hint
from flowforge.language.evaluation.values import mapping

Kept = Literal["inner", "left", "right", "outer"]
"""Which members stay that have no partner: none, those of the first list, of the other one, of both."""
Pair = tuple[Any, Any]
"""None in the place of a partner that there is not."""

_PAIR_NANOSECONDS = 500
_PAIR_BYTES = 120
_FIELD_NANOSECONDS = 100
_FIELD_BYTES = 100


def require_kept(name: str) -> None:
    """Raises Failure where a text is none of `Kept`."""
    if name not in get_args(Kept):
        raise Failure(f"a join is one of {', '.join(get_args(Kept))}{hint(name, get_args(Kept))}")


def join_by_keys(
    meter: Meter, left: Sequence[Any], right: Sequence[Any], keys: tuple[list[Any], list[Any]], kept: str
) -> list[Pair]:
    """Pairs of the members that have the same key, in the order of the first list; null is no key. `keys`: those of
    the members of both."""
    left_keys, right_keys = hashed(meter, keys[0]), hashed(meter, keys[1])
    partners = _positions(right_keys)
    count = sum(len(partners.get(key, ())) or 1 for key in left_keys)
    _pay_for_pairs(meter, count + len(right))
    pairs: list[Pair] = []
    for member, key in zip(left, left_keys, strict=True):
        found = partners.get(key, ())
        pairs += [(member, right[position]) for position in found] or ([(member, None)] if _keeps_left(kept) else [])
    met = set(left_keys) if _keeps_right(kept) else set()
    alone = (member for member, key in zip(right, right_keys, strict=True) if key is None or key not in met)
    return pairs + ([(None, member) for member in alone] if _keeps_right(kept) else [])


def join_by_position(meter: Meter, left: Sequence[Any], right: Sequence[Any], kept: str) -> list[Pair]:
    """The first with the first, the second with the second, and so on."""
    _pay_for_pairs(meter, max(len(left), len(right)))
    shorter = min(len(left), len(right))
    most = max(len(left) if _keeps_left(kept) else shorter, len(right) if _keeps_right(kept) else shorter)
    return list(zip_longest(left, right))[:most]


def join_all(meter: Meter, left: Sequence[Any], right: Sequence[Any]) -> list[Pair]:
    """Every member of the first list with every one of the other."""
    _pay_for_pairs(meter, len(left) * len(right))
    return [(one, other) for one in left for other in right]


def merge_pairs(meter: Meter, pairs: Iterable[Pair]) -> list[JsonObject]:
    """One object of each pair: where both have a field, that of the first counts. Raises Failure for what is no
    object."""
    return [_merged(meter, {} if left is None else left, {} if right is None else right) for left, right in pairs]


def members_without(meter: Meter, members: Sequence[Any], keys: list[Any], others: list[Any]) -> list[Any]:
    """The members whose key is none of the others."""
    return _by_presence(meter, members, keys, others, lambda is_there: not is_there)


def members_within(meter: Meter, members: Sequence[Any], keys: list[Any], others: list[Any]) -> list[Any]:
    """The members whose key is one of the others."""
    return _by_presence(meter, members, keys, others, lambda is_there: is_there)


def _by_presence(
    meter: Meter, members: Sequence[Any], keys: list[Any], others: list[Any], chosen: Callable[[bool], bool]
) -> list[Any]:
    there = set(hashed(meter, others))
    return [member for member, key in zip(members, hashed(meter, keys), strict=True) if chosen(key in there)]


def _positions(keys: list[Hashable]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for position, key in enumerate(keys):
        if key is not None:
            found.setdefault(key, []).append(position)
    return found


def _merged(meter: Meter, left: Any, right: Any) -> JsonObject:
    first, other = mapping(left, "a join"), mapping(right, "a join")
    fields = len(first) + len(other)
    meter.work(fields * _FIELD_NANOSECONDS)
    meter.memory(fields * _FIELD_BYTES)
    return first | {name: value for name, value in other.items() if name not in first}


def _pay_for_pairs(meter: Meter, count: int) -> None:
    meter.work(count * _PAIR_NANOSECONDS)
    meter.memory(count * _PAIR_BYTES)


def _keeps_left(kept: str) -> bool:
    return kept in ("left", "outer")


def _keeps_right(kept: str) -> bool:
    return kept in ("right", "outer")
