"""What can be known to be wrong with a workflow before it runs: the shape of its blocks, and its expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.errors import Problem
from flowforge.language.blocks import BLOCKS, BlockType, problems_of_block
from flowforge.language.definition import Place, WorkflowDefinition, WrittenBody, places
from flowforge.language.expressions import ROOTS, Reference, references_in, shown, texts
from flowforge.language.names import hint, quoted
from flowforge.language.pointers import Part, pointer
from flowforge.language.template import OPEN, TemplateFailure, has_meaning

MAX_EXPRESSIONS = 10_000
"""Of a whole workflow: each is compiled when it is checked."""


def check(definition: WorkflowDefinition) -> list[Problem]:
    """Every problem of every block and every expression, with pointers such as `/actions/1/config/url`; empty when
    there is none."""
    every = list(places(definition.actions))
    written = [(place, found) for place in every for found in _texts_of(place)]
    count = sum(found.text.count(OPEN) for _, found in written)
    if count > MAX_EXPRESSIONS:
        return [Problem("/actions", f"have {count:,} expressions; at most {MAX_EXPRESSIONS:,} are allowed")]
    steps = _steps_by_name(every)
    problems = [problem for place in every for problem in problems_of_block(place.action, place.path)]
    problems += [
        problem
        for place, found in written
        for problem in _check_text(found, _View(place, found.inside, _is_in_config(place, found), steps))
    ]
    return problems + list(_problems_of_settings(definition))


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that may hold expressions. `inside`: whether it is computed inside the block's body."""

    path: tuple[Part, ...]
    text: str
    inside: bool = False


def _texts_of(place: Place) -> Iterator[_Text]:
    action = place.action
    whens: list[tuple[tuple[Part, ...], Any]] = [(("when",), action.when)]
    whens += [(("branches", number, "when"), branch.when) for number, branch in enumerate(action.branches or ())]
    for path, when in whens:
        if isinstance(when, str):
            yield _Text((*place.path, *path), when)
    for path, text in texts(action.config):
        if has_meaning(text):
            inside = action.type == BlockType.FOR_EACH and path[0] == "collect"
            yield _Text((*place.path, "config", *path), text, inside)


@dataclass(frozen=True)
class _View:
    """What the expressions of the action at `place` can refer to."""

    place: Place
    inside: bool
    in_config: bool
    steps: Mapping[str, Place]
    """Every name of every step of the workflow."""

    def roots(self) -> Sequence[str]:
        around = [body.kind for _, body in self.place.inside] + (["item"] if self.inside else [])
        more = (["item", "loop"] if "item" in around else []) + (["error"] if "error" in around else [])
        secret = ["secrets"] if self.in_config and self.place.action.type not in BLOCKS else []
        return [*ROOTS, *more, *secret, "resume"]

    def problem_of(self, used: Reference) -> str | None:
        """What is wrong with the reference; None when nothing is known to be."""
        if used.root not in self.roots():
            return f"{quoted(used.root)} is not known{_where_known(used.root)}{hint(used.root, self.roots())}"
        if used.root == "steps" and used.keys:
            return self._problem_of_step(str(used.keys[0]), used.optional)
        if used.root == "resume":
            return self._problem_of_resume(used.keys)
        return None

    def _problem_of_step(self, name: str, optional: bool) -> str | None:
        named = self.steps.get(name)
        if named is None:
            earlier = [known for known, step in self.steps.items() if step.index < self.place.index]
            return f"there is no earlier step {quoted(name)}{hint(name, earlier)}"
        hidden = self._why_hidden(named, quoted(name))
        if hidden:
            return hidden
        if not named.enabled and not optional:
            return f"step {quoted(name)} is disabled, so it has no output; add | default(…) if that is meant"
        return None

    def _why_hidden(self, named: Place, name: str) -> str | None:
        """Why the step's output cannot be there when this expression is computed."""
        around = {outer.index: body for outer, body in self.place.inside}
        if self.inside and named.index == self.place.index:
            return f"step {name} has not ended by then"
        if named.index in around:
            return (
                None if around[named.index].kind == "error" else f"step {name} has not ended by then: this is inside it"
            )
        for outer, body in named.inside:
            here = self._body_of(outer, around)
            if here is None or (here.kind, here.number) != (body.kind, body.number):
                why = _why_not_from_outside(outer, body, here, name)
                if why is not None:
                    return why
        within = any(outer.index == self.place.index for outer, _ in named.inside)
        if named.index >= self.place.index and not (self.inside and within):
            return f"step {name} has not run by then: only earlier steps have an output"
        return None

    def _body_of(self, outer: Place, around: Mapping[int, WrittenBody]) -> WrittenBody | None:
        """The body of that action in which this expression is computed."""
        if self.inside and outer.index == self.place.index:
            return next((body for body in outer.action.bodies() if body.kind == "item"), None)
        return around.get(outer.index)

    def _problem_of_resume(self, keys: tuple[Part, ...]) -> str | None:
        if not keys:
            return None
        waits = {name: step for name, step in self.steps.items() if _can_be_resumed(step)}
        name = str(keys[0])
        if name not in waits:
            return f"there is no step {quoted(name)} that waits for a call or a person{hint(name, waits)}"
        if _frame_of(waits[name]) != _frame_of(self.place):
            return f"step {quoted(name)} waits in another loop or branch: its link is known only there"
        return None


def _is_in_config(place: Place, found: _Text) -> bool:
    return found.path[len(place.path) : len(place.path) + 1] == ("config",)


def _why_not_from_outside(outer: Place, body: WrittenBody, here: WrittenBody | None, name: str) -> str | None:
    """`name` stands in `body` of `outer`, the expression in another body of it (`here`) or outside of it."""
    if body.kind == "item":
        block = quoted(outer.action.id or f"step_{outer.index}")
        return f"step {name} runs once for every item of {block}; from outside, use the results of {block}"
    if here is None:
        return None
    if body.kind == "branch" and (here.kind == "branch" or outer.action.type == BlockType.PARALLEL):
        return f"step {name} is in another branch"
    return None


def _frame_of(place: Place) -> list[tuple[int, int]]:
    """The loops and parallel branches around the place: only steps in the same ones share their data."""
    return [
        (outer.index, body.number)
        for outer, body in place.inside
        if body.kind == "item" or (body.kind == "branch" and outer.action.type == BlockType.PARALLEL)
    ]


def _can_be_resumed(place: Place) -> bool:
    return place.action.type == BlockType.WAIT and (place.action.config or {}).get("for") is not None


def _where_known(root: str) -> str:
    return {
        "item": " here: it is the item of a FOR_EACH, inside it",
        "loop": " here: it tells of a FOR_EACH, inside it",
        "error": " here: it is what went wrong, inside onError",
        "secrets": " here: it is known in the configs of actions, not where the flow is steered",
    }.get(root, "")


def _steps_by_name(every: Sequence[Place]) -> dict[str, Place]:
    """People's own names first: they make the better suggestions."""
    own = {place.action.id: place for place in every if place.action.id is not None}
    return own | {f"step_{place.index}": place for place in every}


def _check_text(found: _Text, view: _View) -> Iterator[Problem]:
    if not has_meaning(found.text):
        if found.path[-1] == "when":
            yield Problem(
                pointer(found.path), "is text; it needs an expression, such as {{ trigger.body.total > 100 }}"
            )
        return
    try:
        used = references_in(found.text, found.path)
    except TemplateFailure as error:
        where = f" (in {shown(error.source)})" if error.source else ""
        yield Problem(pointer(found.path), f"{error}{where}")
        return
    for reference in used:
        message = view.problem_of(reference)
        if message is not None:
            yield Problem(reference.pointer, f"{message} (in {reference.text})")


def _problems_of_settings(definition: WorkflowDefinition) -> Iterator[Problem]:
    """The key of the concurrency limit is computed when nothing has run yet."""
    limit = definition.settings and definition.settings.concurrency
    if not limit or limit.key is None:
        return
    path = ("settings", "concurrency", "key")
    try:
        used = references_in(limit.key, path)
    except TemplateFailure as error:
        yield Problem(pointer(path), str(error))
        return
    for reference in used:
        if reference.root not in ("trigger", "workflow"):
            known = hint(reference.root, ("trigger", "workflow"))
            yield Problem(reference.pointer, f"{quoted(reference.root)} is not known here{known} (in {reference.text})")
