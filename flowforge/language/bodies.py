"""The lists of actions inside an action, and what each is to its owner."""

from __future__ import annotations

from enum import Enum, StrEnum


class BodyKind(Enum):
    """The part that a list of steps plays for its owner, and so what follows when its last step is over."""

    ROOT = "root"
    """The workflow's own list: the execution is over."""
    BRANCH = "branch"
    """One of several, of which at most one is taken: its owner is over."""
    LANE = "lane"
    """One of several that run side by side, each in a frame: its owner waits for all of them."""
    LOOP = "loop"
    """Run any number of times, each time in a frame: its owner says how often."""
    HANDLER = "handler"
    """`onError`: its owner is over."""
    REJECTION = "rejection"
    """`onReject`: nothing follows that was to be approved, so the frame around it is over."""

    @property
    def has_frames(self) -> bool:
        """Whether each run of it has outputs of its own (docs/execution-states.md)."""
        return self in {BodyKind.LANE, BodyKind.LOOP}

    @property
    def is_aside(self) -> bool:
        """Whether it is what the owner does about a failure or a rejection: what fails in it is not the owner's."""
        return self in {BodyKind.HANDLER, BodyKind.REJECTION}


class Bodies(StrEnum):
    """The lists of actions that a block has; the values are those of the JSON API."""

    NONE = "none"
    BRANCHES = "branches"
    """`branches`, each with a condition, and `else`: at most one is taken."""
    LANES = "lanes"
    """`branches` without conditions: all of them run, side by side."""
    ACTIONS = "actions"
    """`actions`: one list that is run any number of times."""

    @property
    def has_branches(self) -> bool:
        return self in {Bodies.BRANCHES, Bodies.LANES}

    @property
    def has_conditions(self) -> bool:
        return self is Bodies.BRANCHES

    @property
    def has_frames(self) -> bool:
        return self in {Bodies.LANES, Bodies.ACTIONS}

    @property
    def kind_of_branches(self) -> BodyKind:
        return BodyKind.LANE if self is Bodies.LANES else BodyKind.BRANCH


def default_branch_name(number: int) -> str:
    """The name of a branch that has none of its own, by its number from 0."""
    return f"branch {number + 1}"
