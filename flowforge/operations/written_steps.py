"""The steps of an execution as they were written: a tree of lists, numbered as its plan numbers them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from sqlalchemy.orm import Session

from flowforge.db.tables import ExecutionRow, WorkflowVersion
from flowforge.errors import Invalid
from flowforge.language.blocks import default_branch_name
from flowforge.language.definition import ActionDefinition, ActionList, WrittenBody


@dataclass(frozen=True, slots=True)
class WrittenStep:
    index: int
    action: ActionDefinition
    """Its secrets are sealed."""
    inside: Sequence[WrittenList]

    def all(self) -> Iterator[WrittenStep]:
        """Itself and every step inside it."""
        yield self
        for inner in self.inside:
            yield from inner.all()


@dataclass(frozen=True, slots=True)
class WrittenList:
    """A list of steps inside a step: a branch, what is done with each item, or what is done about an error."""

    body: WrittenBody
    name: str
    steps: Sequence[WrittenStep]

    def all(self) -> Iterator[WrittenStep]:
        for step in self.steps:
            yield from step.all()


def written_steps(session: Session, execution: ExecutionRow) -> Sequence[WrittenStep]:
    """As they were when it started; empty for a run whose definition was never kept, or cannot be read."""
    version = session.get(WorkflowVersion, execution.version_id) if execution.version_id else None
    if version is None:
        return ()
    try:
        written = ActionList.read({"actions": (version.definition or {}).get("actions")})
    except Invalid:
        return ()
    return _numbered(written.actions, count())


def _numbered(actions: Sequence[ActionDefinition], numbers: Iterator[int]) -> Sequence[WrittenStep]:
    return [_step(action, numbers) for action in actions]


def _step(action: ActionDefinition, numbers: Iterator[int]) -> WrittenStep:
    index = next(numbers)
    return WrittenStep(index, action, [_list(body, numbers) for body in action.bodies()])


def _list(body: WrittenBody, numbers: Iterator[int]) -> WrittenList:
    return WrittenList(body, body.name or default_branch_name(body.number), _numbered(body.actions, numbers))
