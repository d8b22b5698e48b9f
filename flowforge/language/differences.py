"""Differences between two definitions, step by step: a step is matched by its id, or by its content and its path.

Values are compared in clear and reported masked: the caller passes each definition in both forms.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from flowforge.jsonio import JsonObject
from flowforge.language.pointers import Part, pointer
from flowforge.language.tree import LISTS

Path = tuple[Part, ...]
ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a definition in clear, and with its secrets masked."""

    clear: Mapping[str, Any]
    masked: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A value that was changed, or that is only there before (`after` is ABSENT) or after (`before` is ABSENT). The
    pointer leads into the new definition; where the field is gone, into the old one."""

    pointer: str
    before: Any
    after: Any


@dataclass(slots=True, eq=False)
class _Step:
    """An action at its path. `own` is its content, the lists inside it aside."""

    path: Path
    container: tuple[_Step | None, Path]
    """The action around it, and which of its lists."""
    own: JsonObject
    masked: JsonObject
    twin: _Step | None = None

    @property
    def id(self) -> str | None:
        """None for an id of a draft that is no text."""
        return _text(self.own, "id")

    @property
    def name(self) -> str | None:
        return _text(self.masked, "name")


@dataclass(frozen=True, slots=True)
class StepChange:
    """One action that was added, removed, changed or moved; one that was moved may be changed as well."""

    kind: Literal["added", "removed", "changed", "moved"]
    id: str | None
    type: str
    before: str | None
    """Pointer to it in the old definition."""
    after: str | None
    """Pointer to it in the new definition."""
    fields: list[FieldChange] = field(default_factory=list)
    action: JsonObject | None = None
    """The action that was added or removed."""
    name: str | None = None
    """Its current name, or its last one."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Changes of the workflow itself (name, trigger, settings), and of its actions in the order they are written in."""

    fields: list[FieldChange]
    steps: list[StepChange]

    @property
    def same(self) -> bool:
        return not self.fields and not self.steps


def differences(old: Side, new: Side) -> Differences:
    before, after = list(_steps(old)), list(_steps(new))
    _match(before, after)
    moved = _moved(after)
    steps = [change for step in after for change in _step_changes(step, moved)]
    steps += [_removal(step) for step in before if step.twin is None]
    return Differences(_outside_of_steps(old, new), steps)


def _outside_of_steps(old: Side, new: Side) -> list[FieldChange]:
    def part(of: Mapping[str, Any]) -> JsonObject:
        return {key: value for key, value in of.items() if key != "actions" and value is not None}

    return list(_changes(part(old.clear), part(new.clear), part(old.masked), part(new.masked), (), ()))


# The actions


def _steps(side: Side) -> Iterator[_Step]:
    yield from _in_list(side.clear.get("actions"), side.masked.get("actions"), ("actions",), (None, ("actions",)))


def _in_list(clear: Any, masked: Any, path: Path, container: tuple[_Step | None, Path]) -> Iterator[_Step]:
    for number, action in enumerate(clear if isinstance(clear, list) else ()):
        if not isinstance(action, dict):
            continue
        step = _Step((*path, number), container, _own(action), _own(masked[number]))
        yield step
        for key, inner, inner_masked in _lists(action, masked[number]):
            yield from _in_list(inner, inner_masked, (*step.path, *key), (step, key))


def _lists(action: Mapping[str, Any], masked: Mapping[str, Any]) -> Iterator[tuple[Path, Any, Any]]:
    branches = action.get("branches")
    for number, branch in enumerate(branches if isinstance(branches, list) else ()):
        if isinstance(branch, dict):
            yield ("branches", number, "actions"), branch.get("actions"), masked["branches"][number].get("actions")
    for key in LISTS:
        if isinstance(action.get(key), list):
            yield (key,), action[key], masked[key]


def _own(action: Mapping[str, Any]) -> JsonObject:
    own = {key: value for key, value in action.items() if not (key in LISTS and isinstance(value, list))}
    if isinstance(own.get("branches"), list):
        own["branches"] = [
            {key: value for key, value in branch.items() if key != "actions"} if isinstance(branch, dict) else branch
            for branch in own["branches"]
        ]
    return own


# Matching


def _match(before: Sequence[_Step], after: Sequence[_Step]) -> None:
    """Match steps by id (which a draft may repeat); then those of equal content, at the same path first; then by type,
    in the same list."""
    by_id: dict[str, list[_Step]] = {}
    for step in reversed(before):
        if step.id is not None:
            by_id.setdefault(step.id, []).append(step)
    for step in after:
        if step.id is not None and by_id.get(step.id):
            _pair(by_id[step.id].pop(), step)
    _match_alike(before, after, same_path=True)
    _match_alike(before, after, same_path=False)
    _match_in_same_list(before, after)


def _match_alike(before: Sequence[_Step], after: Sequence[_Step], *, same_path: bool) -> None:
    alike: dict[Any, list[_Step]] = {}
    for step in before:
        if step.twin is None:
            alike.setdefault(_likeness(step, same_path), []).append(step)
    for step in after:
        candidates = alike.get(_likeness(step, same_path), []) if step.twin is None else []
        found = next((old for old in candidates if same(old.own, step.own)), None)
        if found is not None:
            candidates.remove(found)
            _pair(found, step)


def _likeness(step: _Step, same_path: bool) -> Any:
    """A key that equal actions share."""
    return _type(step), str(step.own.get("name")), step.path if same_path else ()


def _match_in_same_list(before: Sequence[_Step], after: Sequence[_Step]) -> None:
    waiting: dict[Any, list[_Step]] = {}
    for step in reversed([step for step in before if step.twin is None]):
        waiting.setdefault((_owner(step.container[0]), step.container[1], _type(step)), []).append(step)
    for step in after:
        owner = step.container[0]
        if step.twin is None and (owner is None or owner.twin is not None):
            key = (_owner(owner.twin if owner else None), step.container[1], _type(step))
            candidates = waiting.get(key, [])
            if candidates and not _named_apart(candidates[-1], step):
                _pair(candidates.pop(), step)


def _named_apart(old: _Step, new: _Step) -> bool:
    """Two ids that people gave: two steps."""
    return old.id is not None and new.id is not None


def _owner(step: _Step | None) -> int:
    return 0 if step is None else id(step)


def _type(step: _Step) -> str:
    return str(step.own.get("type")).upper()


def _pair(old: _Step, new: _Step) -> None:
    old.twin, new.twin = new, old


def _moved(after: Sequence[_Step]) -> set[int]:
    """The `id()` of steps in another list than before, and of those without which their list has kept its order."""
    stayed: dict[Any, list[_Step]] = {}
    moved = set()
    for step in after:
        if step.twin is None:
            continue
        owner, key = step.container
        old_owner, old_key = step.twin.container
        if key == old_key and (owner.twin if owner else None) is old_owner:
            stayed.setdefault((_owner(owner), key), []).append(step)
        else:
            moved.add(id(step))
    for steps in stayed.values():
        kept = _longest_rising([int(step.twin.path[-1]) for step in steps if step.twin])
        moved |= {id(step) for number, step in enumerate(steps) if number not in kept}
    return moved


def _longest_rising(values: Sequence[int]) -> set[int]:
    """Positions of the longest rising subsequence (patience sorting)."""
    ends: list[int] = []
    before: list[int | None] = []
    for position, value in enumerate(values):
        slot = bisect_left(ends, value, key=values.__getitem__)
        before.append(ends[slot - 1] if slot else None)
        ends[slot : slot + 1] = [position]
    found: set[int] = set()
    position_before = ends[-1] if ends else None
    while position_before is not None:
        found.add(position_before)
        position_before = before[position_before]
    return found


# Changes


def _step_changes(step: _Step, moved: set[int]) -> Iterator[StepChange]:
    old = step.twin
    if old is None:
        yield StepChange("added", step.id, _type(step), None, pointer(step.path), action=step.masked, name=step.name)
        return
    changes = list(_changes(old.own, step.own, old.masked, step.masked, old.path, step.path))
    if changes or id(step) in moved:
        kind: Literal["moved", "changed"] = "moved" if id(step) in moved else "changed"
        yield StepChange(kind, step.id, _type(step), pointer(old.path), pointer(step.path), changes, name=step.name)


def _removal(step: _Step) -> StepChange:
    return StepChange("removed", step.id, _type(step), pointer(step.path), None, action=step.masked, name=step.name)


def _text(action: JsonObject, key: str) -> str | None:
    value = action.get(key)
    return value if isinstance(value, str) else None


def _changes(old: Any, new: Any, old_masked: Any, new_masked: Any, at_old: Path, at_new: Path) -> Iterator[FieldChange]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            if key not in new:
                yield FieldChange(pointer((*at_old, key)), old_masked[key], ABSENT)
            elif key not in old:
                yield FieldChange(pointer((*at_new, key)), ABSENT, new_masked[key])
            else:
                inner = (old[key], new[key], old_masked[key], new_masked[key])
                yield from _changes(*inner, (*at_old, key), (*at_new, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            inner = (before, after, old_masked[number], new_masked[number])
            yield from _changes(*inner, (*at_old, number), (*at_new, number))
    elif not same(old, new):
        yield FieldChange(pointer(at_new), old_masked, new_masked)


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: 1 is 1.0, which databases do not keep apart, and neither is true."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) is not isinstance(right, float):
        left, right = _as_stored(left), _as_stored(right)
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def _as_stored(value: Any) -> Any:
    """A number as databases keep it, by its decimal digits: 1e300 comes back as a whole number of 301 digits."""
    return Decimal(repr(value)) if isinstance(value, float) else value
