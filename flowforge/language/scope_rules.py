"""The data that expressions can refer to, by where they stand: the rules of `check`, and of the data picker for
definitions that are still being written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS, INNER_ROOTS, body_kind
from flowforge.language.bodies import BodyKind
from flowforge.language.evaluation.names import quoted
from flowforge.language.locations import Enclosure, End, Location, Path
from flowforge.language.tree import lists_in
from flowforge.sentences import sentence

_OTHER_BRANCH = frozenset({BodyKind.BRANCH, BodyKind.LANE})


@dataclass(frozen=True, slots=True)
class Written(Location):
    """An action of a definition in whatever state it is, and where it stands."""

    action: JsonObject

    @property
    def own_id(self) -> str | None:
        own = self.action.get("id")
        return own if isinstance(own, str) and own else None

    @property
    def type(self) -> str:
        return str(self.action.get("type", "")).upper()

    @property
    def runs(self) -> bool:
        return self.action.get("enabled") is not False

    @property
    def config(self) -> JsonObject:
        config = self.action.get("config")
        return config if isinstance(config, dict) else {}


def written_steps(definition: Mapping[str, Any]) -> list[Written]:
    """All actions, each before those inside it."""
    return list(_written(definition.get("actions"), ("actions",), (), count()))


def why_hidden(
    step: Location, here: Location, *, name: str | None = None, evaluated_inside: bool = False
) -> str | None:
    """The reason why an expression of the action `here` cannot use the output of `step`; None where it can. `name`: the
    step's name in the expression, by default its id. `evaluated_inside`: the expression is evaluated at the end of each
    run of the action's own `actions`."""
    around = _around(here, evaluated_inside)
    enclosing = _list_in(around, step)
    if enclosing is not None:
        return None if enclosing.kind.is_aside else _not_ended(step, here, name)
    for theirs in step.enclosures:
        apart = _why_apart(theirs, _list_in(around, theirs.owner))
        if apart is not None:
            return sentence("step %(step)s %(apart)s", step=quoted(name or step.id), apart=apart)
    if step.index >= here.index and not (evaluated_inside and step.is_inside(here)):
        return sentence(
            "step %(step)s has not run by then: only earlier steps have an output", step=quoted(name or step.id)
        )
    return None


def roots_around(here: Location, *, evaluated_inside: bool = False) -> list[str]:
    """The roots of expressions that exist only inside a loop or a handler, and so at this point."""
    inner = [root for around in _around(here, evaluated_inside) for root in _roots_of(around)]
    return list(dict.fromkeys(inner))


def owner_of_root(root: str, here: Location, *, evaluated_inside: bool = False) -> Location | None:
    """The innermost block around whose loop gives the root; None where it comes from elsewhere."""
    around = reversed(_around(here, evaluated_inside))
    return next((each.owner for each in around if each.kind is BodyKind.LOOP and root in _roots_of(each)), None)


def is_disabled(step: Location, here: Location) -> bool:
    """Whether `step` is disabled, or something around it that is not around `here`, too."""
    owners = (inner.owner for inner in step.enclosures if not here.is_inside(inner.owner))
    return not step.runs or any(not owner.runs for owner in owners)


def frames_around(here: Location) -> list[tuple[Path, Path]]:
    """The lists around an action that run in frames: only actions in the same ones share their data."""
    return [(inner.owner.path, inner.body) for inner in here.enclosures if inner.kind.has_frames]


def earlier(steps: Sequence[Written], path: Path) -> list[Written]:
    """The steps whose outputs the expressions of the action at `path` can use, in the order in which they are written;
    a path behind the last step sees what the whole workflow leaves behind."""
    here = _location(steps, path)
    if here is None:
        return []
    return [step for step in steps if not is_disabled(step, here) and why_hidden(step, here) is None]


def _roots_of(around: Enclosure) -> Iterable[str]:
    if around.kind is BodyKind.HANDLER:
        return ("error",)
    if around.kind is not BodyKind.LOOP:
        return ()
    block = BLOCKS.get(around.owner.type)
    return block.inner_roots if block and block.loop else INNER_ROOTS  # an unknown type: any of them


def _around(here: Location, evaluated_inside: bool) -> tuple[Enclosure, ...]:
    own = Enclosure(here, BodyKind.LOOP, ("actions",))
    return (*here.enclosures, own) if evaluated_inside else here.enclosures


def _list_in(around: Sequence[Enclosure], owner: Location) -> Enclosure | None:
    return next((inner for inner in around if inner.owner.path == owner.path), None)


def _not_ended(step: Location, here: Location, name: str | None) -> str:
    unended = sentence("step %(step)s has not ended by then", step=quoted(name or step.id))
    return unended if step.path == here.path else sentence("%(unended)s: this is inside it", unended=unended)


def _why_apart(theirs: Enclosure, ours: Enclosure | None) -> str | None:
    """The reason why a step in the list `theirs` is out of scope in its owner's list `ours`, or outside its owner."""
    if ours is not None and ours.body == theirs.body:
        return None
    if theirs.kind is BodyKind.LOOP:
        owner = quoted(theirs.owner.id)
        return sentence(
            "runs once for every %(noun)s of %(owner)s; from outside, use the results of %(owner)s",
            noun=_noun(theirs),
            owner=owner,
        )
    if theirs.kind is BodyKind.REJECTION and ours is None:
        return sentence("is done only where %(id)s is rejected, and then nothing follows", id=quoted(theirs.owner.id))
    if ours is None or theirs.kind not in _OTHER_BRANCH:
        return None
    apart = ours.kind in _OTHER_BRANCH or theirs.kind is BodyKind.LANE
    return sentence("is in another branch") if apart else None


def _noun(loop: Enclosure) -> str:
    block = BLOCKS.get(loop.owner.type)
    return block.loop.noun if block and block.loop else sentence("item")


def _location(steps: Sequence[Written], path: Path) -> Location | None:
    if path == ("actions", len(steps)):
        return End(len(steps), path, ())
    return next((step for step in steps if step.path == path), None)


def _written(actions: Any, path: Path, around: tuple[Enclosure, ...], numbers: Iterator[int]) -> Iterator[Written]:
    for position, action in enumerate(actions if isinstance(actions, list) else ()):
        if not isinstance(action, dict):
            continue
        here = (*path, position)
        step = Written(next(numbers), here, around, action)
        yield step
        for body, inner in lists_in(action):
            inside = Enclosure(step, body_kind(step.type, str(body[0])), body)
            yield from _written(inner, (*here, *body), (*around, inside), numbers)
