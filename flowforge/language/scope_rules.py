"""Which steps of a definition, in whatever state it is, have an output at a place in it, and which loops and handlers
stand around that place. The same rules as in flowforge.language.check, for what is still being written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.language.pointers import Part
from flowforge.language.tree import Action, actions_in

Path = tuple[Part, ...]
_ITEM: Path = ("actions",)
_HANDLER: Path = ("onError",)


@dataclass(frozen=True, slots=True)
class Written:
    """An action where it is written. `index` is its number among all actions."""

    index: int
    path: Path
    action: Action

    @property
    def key(self) -> str:
        return f"step_{self.index}"

    @property
    def id(self) -> str:
        """Its own, or by its position."""
        own = self.action.get("id")
        return own if isinstance(own, str) and own else self.key

    @property
    def type(self) -> str:
        return str(self.action.get("type", "")).upper()

    @property
    def config(self) -> dict[str, Any]:
        config = self.action.get("config")
        return config if isinstance(config, dict) else {}


def written_steps(definition: Mapping[str, Any]) -> list[Written]:
    """All actions, each before those inside it."""
    every = enumerate(actions_in(definition.get("actions")))
    return [Written(index, path, action) for index, (path, action) in every]


def earlier(steps: Sequence[Written], path: Path) -> list[Written]:
    """Those whose output expressions of the action at `path` can use, in the order in which they are written."""
    types = {step.path: step.type for step in steps}
    return [step for step in steps if step.action.get("enabled") is not False and _is_seen(step.path, path, types)]


def loops_around(steps: Sequence[Written], path: Path) -> list[Written]:
    """The FOR_EACH blocks that the place is inside of, the outermost first."""
    by_path = {step.path: step for step in steps}
    owners = [by_path.get(owner) for owner, body in _bodies_around(path) if body == _ITEM]
    return [owner for owner in owners if owner is not None]


def handled_step(steps: Sequence[Written], path: Path) -> Written | None:
    """The step whose error the place handles."""
    by_path = {step.path: step for step in steps}
    for owner, body in reversed(list(_bodies_around(path))):
        if body == _HANDLER:
            return by_path.get(owner)
        if body == _ITEM or (owner in by_path and by_path[owner].type == "PARALLEL"):
            return None
    return None


def _is_seen(step: Path, here: Path, types: Mapping[Path, str]) -> bool:
    levels, around = _levels(step), _levels(here)
    common = next((depth for depth, pair in enumerate(zip(levels, around, strict=False)) if pair[0] != pair[1]), None)
    if common is None:  # one of them is inside the other, or they are the same
        return len(levels) < len(around) and around[len(levels)][0] == _HANDLER
    (body, position), (other, place) = levels[common], around[common]
    inside = [entered for entered, _ in levels[common + 1 :]]
    if body == other:
        return position < place and _ITEM not in inside
    owner = types.get(_path_of(levels[:common]))
    ends_before = other == _HANDLER and body not in (_ITEM, _HANDLER) and owner != "PARALLEL"
    return ends_before and _ITEM not in inside


def _bodies_around(path: Path) -> Iterator[tuple[Path, Path]]:
    """Path of an action around, and which of its lists leads here."""
    levels = _levels(path)
    for depth in range(1, len(levels)):
        yield _path_of(levels[:depth]), levels[depth][0]


def _levels(path: Path) -> list[tuple[Path, int]]:
    """`actions/1/branches/0/actions/2` is in the list `actions` at 1, in its list `branches/0/actions` at 2."""
    levels: list[tuple[Path, int]] = []
    body: list[Part] = []
    for part in path:
        if isinstance(part, int) and body and body[-1] != "branches":
            levels.append((tuple(body), part))
            body = []
        else:
            body.append(part)
    return levels


def _path_of(levels: Sequence[tuple[Path, int]]) -> Path:
    return tuple(part for body, position in levels for part in (*body, position))
