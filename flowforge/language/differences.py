"""What differs between two definitions, step by step: each is found again by its id, or by what it says and where it
stands.

Values are compared in clear and told as they may be shown: whoever asks gives each definition twice.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flowforge.language.pointers import Part, pointer

Json = dict[str, Any]
Path = tuple[Part, ...]
ABSENT: Any = object()
_LISTS = ("actions", "else", "onError")


@dataclass(frozen=True, slots=True)
class Seen:
    """A definition as it is, and as it may be shown: the same, but for its secrets."""

    clear: Mapping[str, Any]
    shown: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A value that was changed, or that is only there before (`after` is ABSENT) or after (`before` is ABSENT). The
    pointer leads into the new definition; where the field is gone, into the old one."""

    pointer: str
    before: Any
    after: Any


@dataclass(slots=True, eq=False)
class _Step:
    """An action in its place. `own` is what it says, the lists inside it aside."""

    path: Path
    container: tuple[_Step | None, Path]
    """The action around it, and which of its lists."""
    own: Json
    shown: Json
    twin: _Step | None = None

    @property
    def id(self) -> Any:
        return self.own.get("id")


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
    action: Json | None = None
    """What was added or removed."""
    name: str | None = None
    """What it is called now, or was last."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Of the workflow itself (name, trigger, settings), and of its actions in the order in which they are written."""

    fields: list[FieldChange]
    steps: list[StepChange]

    @property
    def same(self) -> bool:
        return not self.fields and not self.steps


def differences(old: Seen, new: Seen) -> Differences:
    before, after = list(_steps(old)), list(_steps(new))
    _find_again(before, after)
    moved = _moved(after)
    told = [change for step in after for change in _told(step, moved)]
    told += [_gone(step) for step in before if step.twin is None]
    return Differences(_outside_of_steps(old, new), told)


def _outside_of_steps(old: Seen, new: Seen) -> list[FieldChange]:
    def part(of: Mapping[str, Any]) -> Json:
        return {key: value for key, value in of.items() if key != "actions" and value is not None}

    return list(_changes(part(old.clear), part(new.clear), part(old.shown), part(new.shown), (), ()))


# The actions


def _steps(seen: Seen) -> Iterator[_Step]:
    yield from _in_list(seen.clear.get("actions"), seen.shown.get("actions"), ("actions",), (None, ("actions",)))


def _in_list(clear: Any, shown: Any, path: Path, container: tuple[_Step | None, Path]) -> Iterator[_Step]:
    for number, action in enumerate(clear if isinstance(clear, list) else ()):
        if not isinstance(action, dict):
            continue
        step = _Step((*path, number), container, _own(action), _own(shown[number]))
        yield step
        for key, inner, inner_shown in _lists(action, shown[number]):
            yield from _in_list(inner, inner_shown, (*step.path, *key), (step, key))


def _lists(action: Mapping[str, Any], shown: Mapping[str, Any]) -> Iterator[tuple[Path, Any, Any]]:
    branches = action.get("branches")
    for number, branch in enumerate(branches if isinstance(branches, list) else ()):
        if isinstance(branch, dict):
            yield ("branches", number, "actions"), branch.get("actions"), shown["branches"][number].get("actions")
    for key in _LISTS:
        if isinstance(action.get(key), list):
            yield (key,), action[key], shown[key]


def _own(action: Mapping[str, Any]) -> Json:
    own = {key: value for key, value in action.items() if not (key in _LISTS and isinstance(value, list))}
    if isinstance(own.get("branches"), list):
        own["branches"] = [
            {key: value for key, value in branch.items() if key != "actions"} if isinstance(branch, dict) else branch
            for branch in own["branches"]
        ]
    return own


# Which is which


def _find_again(before: Sequence[_Step], after: Sequence[_Step]) -> None:
    """By their ids (which a draft may repeat); then those that say the same, at the same place at best; then by type,
    in the same list."""
    by_id: dict[str, list[_Step]] = {}
    for step in reversed(before):
        if isinstance(step.id, str):
            by_id.setdefault(step.id, []).append(step)
    for step in after:
        if isinstance(step.id, str) and by_id.get(step.id):
            _pair(by_id[step.id].pop(), step)
    _find_alike(before, after, in_place=True)
    _find_alike(before, after, in_place=False)
    _find_in_the_same_list(before, after)


def _find_alike(before: Sequence[_Step], after: Sequence[_Step], *, in_place: bool) -> None:
    alike: dict[Any, list[_Step]] = {}
    for step in before:
        if step.twin is None:
            alike.setdefault(_likeness(step, in_place), []).append(step)
    for step in after:
        candidates = alike.get(_likeness(step, in_place), []) if step.twin is None else []
        found = next((old for old in candidates if same(old.own, step.own)), None)
        if found is not None:
            candidates.remove(found)
            _pair(found, step)


def _likeness(step: _Step, in_place: bool) -> Any:
    """Equal for actions that are: where to look for them."""
    return _type(step), str(step.own.get("name")), step.path if in_place else ()


def _find_in_the_same_list(before: Sequence[_Step], after: Sequence[_Step]) -> None:
    waiting: dict[Any, list[_Step]] = {}
    for step in reversed([step for step in before if step.twin is None]):
        waiting.setdefault((_owner(step.container[0]), step.container[1], _type(step)), []).append(step)
    for step in after:
        owner = step.container[0]
        if step.twin is None and (owner is None or owner.twin is not None):
            place = (_owner(owner.twin if owner else None), step.container[1], _type(step))
            candidates = waiting.get(place, [])
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
    """Those in another list than before, and those that have to be taken out for the rest of the list to keep its
    order."""
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
        place = bisect_left(ends, value, key=values.__getitem__)
        before.append(ends[place - 1] if place else None)
        ends[place : place + 1] = [position]
    found: set[int] = set()
    position_before = ends[-1] if ends else None
    while position_before is not None:
        found.add(position_before)
        position_before = before[position_before]
    return found


# What is told


def _told(step: _Step, moved: set[int]) -> Iterator[StepChange]:
    old = step.twin
    if old is None:
        yield StepChange("added", step.id, _type(step), None, pointer(step.path), action=step.shown, name=_name(step))
        return
    changes = list(_changes(old.own, step.own, old.shown, step.shown, old.path, step.path))
    if changes or id(step) in moved:
        kind: Literal["moved", "changed"] = "moved" if id(step) in moved else "changed"
        yield StepChange(kind, step.id, _type(step), pointer(old.path), pointer(step.path), changes, name=_name(step))


def _gone(step: _Step) -> StepChange:
    return StepChange("removed", step.id, _type(step), pointer(step.path), None, action=step.shown, name=_name(step))


def _name(step: _Step) -> str | None:
    name = step.shown.get("name")
    return name if isinstance(name, str) else None


def _changes(old: Any, new: Any, old_shown: Any, new_shown: Any, at_old: Path, at_new: Path) -> Iterator[FieldChange]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            if key not in new:
                yield FieldChange(pointer((*at_old, key)), old_shown[key], ABSENT)
            elif key not in old:
                yield FieldChange(pointer((*at_new, key)), ABSENT, new_shown[key])
            else:
                inner = (old[key], new[key], old_shown[key], new_shown[key])
                yield from _changes(*inner, (*at_old, key), (*at_new, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            inner = (one, other, old_shown[number], new_shown[number])
            yield from _changes(*inner, (*at_old, number), (*at_new, number))
    elif not same(old, new):
        yield FieldChange(pointer(at_new), old_shown, new_shown)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, which databases do not keep apart, and neither is true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
