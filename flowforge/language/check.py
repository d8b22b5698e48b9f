"""What can be known to be wrong with a workflow's expressions before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flowforge.errors import Problem
from flowforge.language.definition import ActionDefinition, WorkflowDefinition
from flowforge.language.expressions import ROOTS, Reference, references_in, shown, texts
from flowforge.language.names import hint, quoted
from flowforge.language.pointers import Part, pointer
from flowforge.language.template import OPEN, TemplateFailure, has_meaning

MAX_EXPRESSIONS = 10_000
"""Of a whole workflow: each is compiled when it is checked."""


@dataclass(frozen=True)
class _Named:
    """The step behind a name."""

    index: int
    enabled: bool


@dataclass(frozen=True)
class _View:
    """What the expressions of the action at `index` can refer to."""

    index: int
    steps: Mapping[str, _Named]
    """Every name of every step of the workflow."""
    roots: Sequence[str] = ROOTS

    def problem_of(self, used: Reference) -> str | None:
        """What is wrong with the reference; None when nothing is known to be."""
        if used.root not in self.roots:
            return f"{quoted(used.root)} is not known{hint(used.root, self.roots)}"
        if used.root == "steps" and used.keys:
            return self._problem_of_step(str(used.keys[0]), used.optional)
        return None

    def _problem_of_step(self, name: str, optional: bool) -> str | None:
        named = self.steps.get(name)
        if named is None:
            earlier = [known for known, step in self.steps.items() if step.index < self.index]
            return f"there is no earlier step {quoted(name)}{hint(name, earlier)}"
        if named.index >= self.index:
            return f"step {quoted(name)} has not run by then: only earlier steps have an output"
        if not named.enabled and not optional:
            return f"step {quoted(name)} is disabled, so it has no output; add | default(…) if that is meant"
        return None


def check(definition: WorkflowDefinition) -> list[Problem]:
    """Every problem of every expression, with pointers such as `/actions/1/config/url`; empty when there is none."""
    count = sum(text.count(OPEN) for action in definition.actions for _, text in texts(action.config))
    if count > MAX_EXPRESSIONS:
        return [Problem("/actions", f"have {count:,} expressions; at most {MAX_EXPRESSIONS:,} are allowed")]
    steps = _steps_by_name(definition.actions)
    return [
        problem
        for index, action in enumerate(definition.actions)
        for problem in _check_action(action, _View(index, steps))
    ]


def _steps_by_name(actions: Sequence[ActionDefinition]) -> dict[str, _Named]:
    """People's own names first: they make the better suggestions."""
    named = [_Named(index, action.enabled is not False) for index, action in enumerate(actions)]
    own = {action.id: step for action, step in zip(actions, named, strict=True) if action.id is not None}
    return own | {f"step_{step.index}": step for step in named}


def _check_action(action: ActionDefinition, view: _View) -> Iterator[Problem]:
    for path, text in texts(action.config):
        if has_meaning(text):
            yield from _check_text(text, ("actions", view.index, "config", *path), view)


def _check_text(text: str, path: tuple[Part, ...], view: _View) -> Iterator[Problem]:
    try:
        used = references_in(text, path)
    except TemplateFailure as error:
        where = f" (in {shown(error.source)})" if error.source else ""
        yield Problem(pointer(path), f"{error}{where}")
        return
    for reference in used:
        message = view.problem_of(reference)
        if message is not None:
            yield Problem(reference.pointer, f"{message} (in {reference.text})")
