"""Problems of a workflow that can be found before it runs: in the shape of its blocks, and in its expressions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.errors import Problem
from flowforge.language.block_validation import problem_of_place, problems_of_block
from flowforge.language.blocks import BLOCKS, INNER_ROOTS
from flowforge.language.definition import LocatedAction, WorkflowDefinition, located_actions
from flowforge.language.evaluation.item_expressions import INDEX, OUTER
from flowforge.language.evaluation.names import Hints, quoted
from flowforge.language.expressions.conditions import problem_of_condition
from flowforge.language.expressions.resolving import ROOTS, Reference, references_and_problems, texts
from flowforge.language.expressions.template import OPEN, has_meaning
from flowforge.language.locations import Location
from flowforge.language.pointers import Part, pointer
from flowforge.language.repair import UNREAD
from flowforge.language.scope_rules import frames_around, is_disabled, owner_of_root, roots_around, why_hidden
from flowforge.sentences import Count, sentence

MAX_EXPRESSIONS = 10_000
"""Expressions of a workflow: each is compiled when it is checked."""
MAX_NOTES = 40_000
"""Characters of all notes of a workflow: a page shows them together."""


def check(definition: WorkflowDefinition, unidentified_steps: Collection[str] = ()) -> list[Problem]:
    """Every problem of every block and every expression, with pointers such as `/actions/1/config/url`; empty when
    there is none. References to `unidentified_steps`, by id or number, are not checked: their actions could not be
    read."""
    every = list(located_actions(definition.actions))
    written = [(step, found) for step in every for found in _texts_of(step)]
    count = sum(found.text.count(OPEN) for _, found in written)
    if count > MAX_EXPRESSIONS:
        return [
            Problem(
                "/actions",
                sentence(
                    "have %(count)s expressions; at most %(most)s are allowed",
                    count=Count(count),
                    most=Count(MAX_EXPRESSIONS),
                ),
            )
        ]
    workflow = _Workflow.of(every, unidentified_steps)
    problems = [problem for step in every for problem in problems_of_block(step.action, step.path)]
    problems += [problem for step in every if (problem := problem_of_place(step)) is not None]
    problems += [
        problem
        for step, found in written
        for problem in _check_text(found, _Scope(step, found.inside, _is_in_config(step, found), workflow))
    ]
    problems += _problems_of_notes(definition, every)
    return problems + list(_problems_of_settings(definition, workflow.hints))


@dataclass(frozen=True)
class _Workflow:
    """The names against which the expressions of a workflow are checked."""

    steps: Mapping[str, LocatedAction]
    """Every name of every step. People's own names first: they make the better suggestions."""
    waits: Mapping[str, LocatedAction]
    """Every name of the waits that a call or a person can end."""
    unidentified_steps: Collection[str]
    hints: Hints

    @classmethod
    def of(cls, every: Sequence[LocatedAction], unidentified_steps: Collection[str]) -> _Workflow:
        own = {step.own_id: step for step in every if step.own_id is not None}
        steps = own | {step.key: step for step in every}
        waits = {name: step for name, step in steps.items() if _can_be_resumed(step)}
        return cls(steps, waits, unidentified_steps, Hints())

    def before(self, here: Location) -> Iterator[str]:
        """The names of the steps before it."""
        return (name for name, step in self.steps.items() if step.index < here.index)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text that may hold expressions. `inside`: whether they are evaluated inside the block, after its actions.
    `is_condition`: whether it only counts whether it holds."""

    path: tuple[Part, ...]
    text: str
    inside: bool = False
    is_condition: bool = False


def _texts_of(step: LocatedAction) -> Iterator[_Text]:
    action = step.action
    whens: list[tuple[tuple[Part, ...], Any]] = [(("when",), action.when)]
    whens += [(("branches", number, "when"), branch.when) for number, branch in enumerate(action.branches or ())]
    for path, when in whens:
        if isinstance(when, str):
            yield _Text((*step.path, *path), when, is_condition=True)
    inside, conditions = _evaluated_inside(action.type), _conditions_of(action.type)
    for path, text in texts(action.config):
        if has_meaning(text):
            yield _Text((*step.path, "config", *path), text, path[0] in inside, path[0] in conditions)


def _evaluated_inside(type_: str) -> Collection[str]:
    """The fields whose expressions are evaluated inside the block; of an unreadable type, those of all blocks."""
    if type_ == UNREAD:
        return {name for block in BLOCKS.values() for name in block.config.evaluated_inside}
    block = BLOCKS.get(type_)
    return block.config.evaluated_inside if block else ()


def _conditions_of(type_: str) -> Collection[str]:
    block = BLOCKS.get(type_)
    return block.config.conditions if block else ()


@dataclass(frozen=True, slots=True)
class _Scope:
    """The data that the expressions of the action `here` can refer to."""

    here: LocatedAction
    inside: bool
    in_config: bool
    workflow: _Workflow

    def _roots(self) -> tuple[str, ...]:
        secret = ["secrets"] if self.in_config and self.here.type not in BLOCKS else []
        return (*ROOTS, *roots_around(self.here, evaluated_inside=self.inside), *secret, "resume")

    def problem_of(self, used: Reference) -> str | None:
        """The problem of the reference; None where none is found."""
        if used.root not in ROOTS and used.root not in (roots := self._roots()):
            hint = self.workflow.hints.hint(used.root, roots, lambda: roots)
            return sentence(
                "%(root)s is not known%(where)s%(hint)s",
                root=quoted(used.root),
                where=_where_defined(used.root),
                hint=hint,
            )
        if not used.keys or str(used.keys[0]) in self.workflow.unidentified_steps:
            return None
        if used.root == "steps":
            return self._problem_of_step(str(used.keys[0]), used.optional)
        if used.root == "resume":
            return self._problem_of_resume(str(used.keys[0]))
        return None if used.optional else self._problem_of_inner_root(used.root, str(used.keys[0]))

    def _problem_of_inner_root(self, root: str, name: str) -> str | None:
        """The problem of a field of a root that a block gives, which follow from its config."""
        names_of = INNER_ROOTS[root].names if root in INNER_ROOTS else None
        owner = owner_of_root(root, self.here, evaluated_inside=self.inside) if names_of else None
        names = names_of(owner.config) if names_of and owner else None
        if owner is None or names is None or name in names:
            return None
        hint = self.workflow.hints.hint(name, owner.path, lambda: names)
        return sentence(
            "%(root)s of %(id)s have no %(name)s%(hint)s", root=root, id=quoted(owner.id), name=quoted(name), hint=hint
        )

    def _problem_of_step(self, name: str, optional: bool) -> str | None:
        workflow, here = self.workflow, self.here
        named = workflow.steps.get(name)
        if named is None:
            hint = workflow.hints.hint(name, here.index, lambda: workflow.before(here))
            return sentence("there is no earlier step %(name)s%(hint)s", name=quoted(name), hint=hint)
        hidden = why_hidden(named, here, name=name, evaluated_inside=self.inside)
        if hidden is not None:
            return hidden
        if is_disabled(named, here) and not optional:
            return sentence(
                "step %(name)s is disabled, so it has no output; add | default(…) if that is meant", name=quoted(name)
            )
        return None

    def _problem_of_resume(self, name: str) -> str | None:
        waits = self.workflow.waits
        if name not in waits:
            hint = self.workflow.hints.hint(name, "waits", lambda: waits)
            return sentence(
                "there is no step %(name)s that waits for a call or a person%(hint)s", name=quoted(name), hint=hint
            )
        if frames_around(waits[name]) != frames_around(self.here):
            return sentence(
                "step %(name)s waits in another loop or branch: its link is known only there", name=quoted(name)
            )
        return None


def _is_in_config(step: Location, found: _Text) -> bool:
    return found.path[len(step.path) : len(step.path) + 1] == ("config",)


def _can_be_resumed(step: LocatedAction) -> bool:
    block = BLOCKS.get(step.type)
    return block is not None and block.can_be_resumed(step.action.config or {})


def _where_defined(root: str) -> str:
    if root in INNER_ROOTS:
        return sentence(" here: %(hint)s", hint=INNER_ROOTS[root].hint)
    if root in (INDEX, OUTER):
        return sentence(" here: it is known in an expression on the members of a list, as in map(index ~ item.name)")
    return _DEFINED_ELSEWHERE.get(root, "")


_DEFINED_ELSEWHERE: Mapping[str, str] = {
    "error": sentence(" here: it is what went wrong, inside onError"),
    "secrets": sentence(
        " here: it is known in the configs of actions, not where the flow is steered; a TRANSFORM before"
        " gives a signature made with a secret, such as {{ trigger.body.token | hmac_sha256(secrets.NAME) }}"
    ),
}


_NO_CONDITION = sentence("is text; it needs an expression, such as {{ trigger.body.total > 100 }}")
_CONDITION_MISSING = sentence("is missing; it is an expression, such as {{ trigger.body.total > 100 }}")


def _check_text(found: _Text, scope: _Scope) -> Iterator[Problem]:
    if not has_meaning(found.text):
        if found.is_condition:
            yield Problem(pointer(found.path), _NO_CONDITION if found.text.strip() else _CONDITION_MISSING)
        return
    for item in references_and_problems(found.text, found.path, scope.workflow.hints):
        problem = item if isinstance(item, str) else _quoting(item, scope.problem_of(item))
        if problem is not None:
            yield Problem(pointer(found.path), problem)
    problem = problem_of_condition(found.text) if found.is_condition else None
    if problem is not None:
        yield Problem(pointer(found.path), problem)


def _quoting(reference: Reference, message: str | None) -> str | None:
    return None if message is None else sentence("%(why)s (in %(text)s)", why=message, text=reference.text)


def _problems_of_notes(definition: WorkflowDefinition, every: Sequence[LocatedAction]) -> Iterator[Problem]:
    on_all = definition.settings.note if definition.settings else None
    notes: list[tuple[tuple[Part, ...], str | None]] = [(("settings", "note"), on_all)]
    notes += [((*step.path, "note"), step.action.note) for step in every]
    characters = 0
    for path, note in notes:
        characters += len(note or "")
        if characters > MAX_NOTES:
            yield Problem(
                pointer(path),
                sentence("makes the notes longer than %(most)s characters together", most=Count(MAX_NOTES)),
            )
            return


def _problems_of_settings(definition: WorkflowDefinition, hints: Hints) -> Iterator[Problem]:
    """Check the key of the concurrency limit: it is computed before any step has run."""
    limit = definition.settings and definition.settings.concurrency
    if not limit or limit.key is None:
        return
    path = ("settings", "concurrency", "key")
    for item in references_and_problems(limit.key, path, hints):
        problem = item if isinstance(item, str) else _quoting(item, _problem_at_the_start(item, hints))
        if problem is not None:
            yield Problem(pointer(path), problem)


def _problem_at_the_start(used: Reference, hints: Hints) -> str | None:
    available = ("trigger", "workflow")
    if used.root in available:
        return None
    return sentence(
        "%(root)s is not known here%(hint)s",
        root=quoted(used.root),
        hint=hints.hint(used.root, available, lambda: available),
    )
