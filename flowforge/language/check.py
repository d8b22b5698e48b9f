"""What can be known to be wrong with a workflow before it runs: the shape of its blocks, and its expressions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.errors import Problem
from flowforge.language.blocks import BLOCKS, BlockType, problems_of_block
from flowforge.language.definition import Place, WorkflowDefinition, WrittenBody, places
from flowforge.language.evaluation.names import Hints, quoted
from flowforge.language.expressions.resolving import ROOTS, Reference, judged, texts
from flowforge.language.expressions.template import OPEN, has_meaning
from flowforge.language.pointers import Part, pointer
from flowforge.language.repair import UNREAD

MAX_EXPRESSIONS = 10_000
"""Of a whole workflow: each is compiled when it is checked."""


def check(definition: WorkflowDefinition, in_doubt: Collection[str] = ()) -> list[Problem]:
    """Every problem of every block and every expression, with pointers such as `/actions/1/config/url`; empty when
    there is none. Steps named in `in_doubt` are not judged where they are referred to: their actions could not be read,
    so that nobody knows what they are."""
    every = list(places(definition.actions))
    written = [(place, found) for place in every for found in _texts_of(place)]
    count = sum(found.text.count(OPEN) for _, found in written)
    if count > MAX_EXPRESSIONS:
        return [Problem("/actions", f"have {count:,} expressions; at most {MAX_EXPRESSIONS:,} are allowed")]
    workflow = _Workflow.of(every, in_doubt)
    problems = [problem for place in every for problem in problems_of_block(place.action, place.path)]
    problems += [
        problem
        for place, found in written
        for problem in _check_text(found, _View(place, found.inside, _is_in_config(place, found), workflow))
    ]
    return problems + list(_problems_of_settings(definition, workflow.hints))


@dataclass(frozen=True)
class _Workflow:
    """What all the expressions of a workflow are judged by."""

    steps: Mapping[str, Place]
    """Every name of every step. People's own names first: they make the better suggestions."""
    waits: Mapping[str, Place]
    """Those that somebody can end."""
    in_doubt: Collection[str]
    hints: Hints

    @classmethod
    def of(cls, every: Sequence[Place], in_doubt: Collection[str]) -> _Workflow:
        own = {place.action.id: place for place in every if place.action.id is not None}
        steps = own | {f"step_{place.index}": place for place in every}
        waits = {name: step for name, step in steps.items() if _can_be_resumed(step)}
        return cls(steps, waits, in_doubt, Hints())

    def before(self, place: Place) -> Iterator[str]:
        """The names of the steps before it."""
        return (name for name, step in self.steps.items() if step.index < place.index)


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
            inside = action.type in (BlockType.FOR_EACH, UNREAD) and path[0] == "collect"
            yield _Text((*place.path, "config", *path), text, inside)


@dataclass(frozen=True)
class _View:
    """What the expressions of the action at `place` can refer to."""

    place: Place
    inside: bool
    in_config: bool
    workflow: _Workflow

    def roots(self) -> Sequence[str]:
        around = [body.kind for _, body in self.place.inside] + (["item"] if self.inside else [])
        more = (["item", "loop"] if "item" in around else []) + (["error"] if "error" in around else [])
        secret = ["secrets"] if self.in_config and self.place.action.type not in BLOCKS else []
        return [*ROOTS, *more, *secret, "resume"]

    def problem_of(self, used: Reference) -> str | None:
        """What is wrong with the reference; None when nothing is known to be."""
        roots = self.roots()
        if used.root not in roots:
            known = self.workflow.hints.hint(used.root, tuple(roots), lambda: roots)
            return f"{quoted(used.root)} is not known{_where_known(used.root)}{known}"
        if not used.keys or str(used.keys[0]) in self.workflow.in_doubt:
            return None
        if used.root == "steps":
            return self._problem_of_step(str(used.keys[0]), used.optional)
        if used.root == "resume":
            return self._problem_of_resume(str(used.keys[0]))
        return None

    def _problem_of_step(self, name: str, optional: bool) -> str | None:
        named = self.workflow.steps.get(name)
        if named is None:
            workflow, place = self.workflow, self.place
            known = workflow.hints.hint(name, place.index, lambda: workflow.before(place))
            return f"there is no earlier step {quoted(name)}{known}"
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

    def _problem_of_resume(self, name: str) -> str | None:
        waits = self.workflow.waits
        if name not in waits:
            known = self.workflow.hints.hint(name, "waits", lambda: waits)
            return f"there is no step {quoted(name)} that waits for a call or a person{known}"
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


def _check_text(found: _Text, view: _View) -> Iterator[Problem]:
    if not has_meaning(found.text):
        if found.path[-1] == "when":
            what = "is text; it needs" if found.text.strip() else "is missing; it is"
            yield Problem(pointer(found.path), f"{what} an expression, such as {{{{ trigger.body.total > 100 }}}}")
        return
    for one in judged(found.text, found.path, view.workflow.hints):
        wrong = one if isinstance(one, str) else _about(one, view.problem_of(one))
        if wrong is not None:
            yield Problem(pointer(found.path), wrong)


def _about(reference: Reference, message: str | None) -> str | None:
    return None if message is None else f"{message} (in {reference.text})"


def _problems_of_settings(definition: WorkflowDefinition, hints: Hints) -> Iterator[Problem]:
    """The key of the concurrency limit is computed when nothing has run yet."""
    limit = definition.settings and definition.settings.concurrency
    if not limit or limit.key is None:
        return
    path = ("settings", "concurrency", "key")
    for one in judged(limit.key, path, hints):
        wrong = one if isinstance(one, str) else _about(one, _problem_at_the_start(one, hints))
        if wrong is not None:
            yield Problem(pointer(path), wrong)


def _problem_at_the_start(used: Reference, hints: Hints) -> str | None:
    known = ("trigger", "workflow")
    if used.root in known:
        return None
    return f"{quoted(used.root)} is not known here{hints.hint(used.root, known, lambda: known)}"
