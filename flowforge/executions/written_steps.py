"""The steps of an execution as they were written: a tree of lists, numbered as its plan numbers them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from flowforge.db.tables import WorkflowVersion
from flowforge.errors import Invalid, NotFound
from flowforge.executions.views import ExecutionView
from flowforge.language.block import Block, Loop
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import BodyKind, default_branch_name
from flowforge.language.decisions import Decision, read_decision
from flowforge.language.definition import ActionDefinition, ActionList, WrittenBody
from flowforge.language.pointers import Part
from flowforge.sentences import sentence


@dataclass(frozen=True, slots=True)
class WrittenStep:
    index: int
    action: ActionDefinition
    """The action as written, its secrets sealed."""
    path: tuple[Part, ...]
    """The path of the step in the definition."""
    inside: Sequence[WrittenList]

    @property
    def key(self) -> str:
        """The name under which its output is recorded (contract.md, section 7)."""
        return f"step_{self.index}"

    @property
    def id(self) -> str:
        """Its own id, or the one by its number."""
        return self.action.id or self.key

    @property
    def block(self) -> Block[Any] | None:
        """The block's declaration; None for an action of a connector."""
        return BLOCKS.get(self.action.type)

    @property
    def loop(self) -> Loop | None:
        """The declaration of one run of its actions; None where it is no loop."""
        return self.block.loop if self.block else None

    @property
    def has_lanes(self) -> bool:
        """Whether lists inside it run side by side."""
        return any(inner.body.kind is BodyKind.LANE for inner in self.inside)

    def decision(self, output: Any) -> Decision | None:
        """What a person decided whom the step asked for an approval; None where it asked nobody, or nobody decided."""
        asks = self.block is not None and self.block.can_be_rejected(self.action.config or {})
        return read_decision(output) if asks else None

    def list_in_frame(self, position: int) -> WrittenList | None:
        """The list that runs in the frame at that position among those of the step."""
        loops = (inner for inner in self.inside if inner.body.kind is BodyKind.LOOP)
        lanes = [inner for inner in self.inside if inner.body.kind is BodyKind.LANE]
        return lanes[position] if position < len(lanes) else next(loops, None)

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


def written_steps(session: Session, execution: ExecutionView) -> Sequence[WrittenStep]:
    """Number the steps of the definition that the execution runs; empty where it was never kept, or cannot be read."""
    version = _version_of(session, execution)
    if version is None:
        return ()
    try:
        written = ActionList.read({"actions": (version.definition or {}).get("actions")})
    except Invalid:
        return ()
    return _number_steps(written.actions, ("actions",), count())


def all_steps(written: Sequence[WrittenStep]) -> Iterator[WrittenStep]:
    """Go through the steps and those inside them, in the order of their numbers."""
    for top in written:
        yield from top.all()


def find_step(written: Sequence[WrittenStep], index: int) -> WrittenStep:
    """Find a step by its number. Raises NotFound."""
    found = next((step for step in all_steps(written) if step.index == index), None)
    if found is None:
        raise NotFound(sentence("there is no such step in this execution"))
    return found


@dataclass(frozen=True, slots=True)
class RunVersion:
    """The version that an execution runs; one without a number is a draft."""

    number: int | None
    pinned: frozenset[str] = frozenset()
    """The ids of the steps that are not run, because an output is pinned for them."""


def version_of(session: Session, execution: ExecutionView) -> RunVersion | None:
    """Find the version that the execution runs; None where it was never kept."""
    version = _version_of(session, execution)
    return RunVersion(version.number, frozenset(version.pins or ())) if version else None


def _version_of(session: Session, execution: ExecutionView) -> WorkflowVersion | None:
    return session.get(WorkflowVersion, execution.version_id) if execution.version_id else None


def _number_steps(
    actions: Sequence[ActionDefinition], path: tuple[Part, ...], numbers: Iterator[int]
) -> Sequence[WrittenStep]:
    return [_step(action, (*path, index), numbers) for index, action in enumerate(actions)]


def _step(action: ActionDefinition, path: tuple[Part, ...], numbers: Iterator[int]) -> WrittenStep:
    index = next(numbers)
    return WrittenStep(index, action, path, [_list(body, path, numbers) for body in action.bodies()])


def _list(body: WrittenBody, path: tuple[Part, ...], numbers: Iterator[int]) -> WrittenList:
    steps = _number_steps(body.actions, (*path, *body.path), numbers)
    return WrittenList(body, body.name or default_branch_name(body.number), steps)
