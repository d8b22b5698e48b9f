"""A definition as the builder draws it: cards in lists, lists in cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from flowforge.connectors.catalog import Catalog
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS, body_kind
from flowforge.language.bodies import default_branch_name
from flowforge.language.pointers import dotted, parsed, pointer
from flowforge.language.tree import LISTS, actions_in, lists_in
from webapp.translation.texts import gettext, said
from webapp.ui.conditions import in_words, with_conditions_in_words
from webapp.ui.kinds import StepKind, kind_of, title_of, title_of_list

_LONGEST_SUMMARY = 90


@dataclass(frozen=True, slots=True)
class Lane:
    """A list of steps; `at` is its pointer, empty for a way that has no steps of its own. `number` is set for a branch
    that can be taken away."""

    at: str
    title: str
    steps: Sequence[Node]
    number: int | None = None
    note: str = ""
    """The words for what happens there."""
    name: str = ""
    """That of a branch."""
    lacks_condition: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    at: str
    id: str
    """The name by which executions know the step: its own, or `step_<index>`."""
    type: str
    title: str
    kind: str
    """The title of its type."""
    icon: str
    summary: str
    enabled: bool
    problems: int
    """The number of its own problems, without those of the steps inside it."""
    is_unfilled: bool
    """Whether its only problems are fields that are not filled in yet."""
    position: int
    last: bool
    note: str = ""
    """Markdown."""
    pinned: bool = False
    """Whether an output is pinned for it."""
    lanes: Sequence[Lane] = field(default_factory=list)

    @property
    def inside(self) -> Sequence[Node]:
        """The steps in its lanes, and in theirs."""
        direct = [node for lane in self.lanes for node in lane.steps]
        return [*direct, *(node for each in direct for node in each.inside)]

    @property
    def problems_inside(self) -> int:
        return sum(node.problems for node in self.inside)

    @property
    def version(self) -> str:
        """A digest of what the card shows, which is the same wherever it stands, also where its step is known only by
        its index."""
        own = replace(self, at="", id="", position=0, last=False, lanes=())
        return digest((own, len(self.inside), self.problems_inside))


_UNFILLED = ("is required", "is missing")


def is_unfilled(problem: Problem) -> bool:
    """Whether something is not filled in yet, rather than wrong."""
    return problem.message.startswith(_UNFILLED)


def flow_of(
    definition: Mapping[str, Any], problems: Sequence[Problem], catalog: Catalog, pinned: Collection[str] = ()
) -> Lane:
    """The workflow's own list; secrets in `definition` are masked. `pinned`: the ids of the steps of which an output is
    pinned."""
    actions = definition.get("actions")
    return Lane("/actions", "", _Drawing(actions, problems, catalog, pinned).steps(actions, "/actions"))


def digest(drawn: object) -> str:
    """Name what is drawn by its content."""
    return blake2b(repr(drawn).encode(), digest_size=6).hexdigest()


def note_of(written: Any) -> str:
    """The note in an action, or in the settings of a workflow; empty where there is none that could be shown."""
    note = written.get("note") if isinstance(written, Mapping) else None
    return note if isinstance(note, str) else ""


class _Drawing:
    def __init__(self, actions: Any, problems: Sequence[Problem], catalog: Catalog, pinned: Collection[str]) -> None:
        self._ids = {pointer(path): _id(action, index) for index, (path, action) in enumerate(actions_in(actions))}
        self._problems = Counter(step_of(problem.pointer) for problem in problems)
        self._wrong = {step_of(problem.pointer) for problem in problems if not is_unfilled(problem)}
        self._catalog = catalog
        self._pinned = pinned

    def steps(self, actions: Any, at: str) -> list[Node]:
        listed = actions if isinstance(actions, list) else []
        return [
            self._node(action, f"{at}/{position}", position, position == len(listed) - 1)
            for position, action in enumerate(listed)
            if isinstance(action, dict)
        ]

    def _node(self, action: JsonObject, at: str, position: int, last: bool) -> Node:
        type_ = str(action.get("type", "")).upper()
        kind = kind_of(self._catalog, type_)
        return Node(
            at=at,
            id=self._ids[at],
            type=type_,
            title=step_title(action, self._catalog),
            kind=kind.title,
            icon=kind.icon,
            summary=_summary(kind, type_, action.get("config")),
            enabled=action.get("enabled") is not False,
            problems=self._problems[at],
            is_unfilled=at in self._problems and at not in self._wrong,
            position=position,
            last=last,
            note=note_of(action),
            pinned=self._ids[at] in self._pinned,
            lanes=list(self._lanes(action, at, type_)),
        )

    def _lanes(self, action: JsonObject, at: str, type_: str) -> Iterator[Lane]:
        asks = _asks_for_approval(action, type_)
        if asks:
            yield from self._lanes_of_approval(action.get("onReject"), at)
        for path, steps in lists_in(action):
            if asks and path == ("onReject",):
                continue
            inner, is_branch = f"{at}{pointer(path)}", path[0] == "branches"
            if is_branch:
                branch = action["branches"][path[1]]
                yield self._branch(branch, int(path[1]), self.steps(steps, inner), inner, type_)
            elif isinstance(steps, list):
                title = title_of_list(type_, body_kind(type_, str(path[0])), str(path[0]))
                yield Lane(inner, title, self.steps(steps, inner))

    def _branch(self, branch: Mapping[str, Any], number: int, steps: Sequence[Node], at: str, type_: str) -> Lane:
        name = str(branch.get("name") or default_branch_name(number))
        if type_ not in BLOCKS or not BLOCKS[type_].bodies.has_conditions:
            return Lane(at, name, steps, number, name=name)
        condition = in_words(branch.get("when"))
        title = gettext("%(branch)s: if %(condition)s", branch=name, condition=condition) if condition else name
        return Lane(at, title, steps, number, name=name, lacks_condition=not condition)

    def _lanes_of_approval(self, on_reject: Any, at: str) -> Iterator[Lane]:
        yield Lane("", gettext("Approved"), (), note=gettext("Continues below."))
        inner = f"{at}/onReject"
        yield Lane(inner, gettext("Rejected"), self.steps(on_reject, inner), note=_rejected(on_reject))


def _id(action: Mapping[str, Any], index: int) -> str:
    return _text(action, "id") or f"step_{index}"


def _asks_for_approval(action: Mapping[str, Any], type_: str) -> bool:
    block, config = BLOCKS.get(type_), action.get("config")
    return block is not None and isinstance(config, dict) and block.can_be_rejected(config)


def _rejected(on_reject: Any) -> str:
    if isinstance(on_reject, list):
        return gettext("The steps below do not run then.")
    return (
        gettext("Continues below, too.")
        if on_reject == "continue"
        else gettext("The workflow fails, unless there are steps here.")
    )


def warnings_at(opened: str, warnings: Sequence[Problem]) -> list[str]:
    """Sentences about keys without effect: those of the open step, else those of the trigger and the workflow."""
    at = opened if opened.startswith("/") else ""
    own = [warning for warning in warnings if step_of(warning.pointer) == at]
    return [f"{dotted(parsed(warning.pointer.removeprefix(at)))} {said(warning.message)}" for warning in own]


def step_of(pointer: str) -> str:
    """The innermost step that a problem's pointer is about; empty where it is the workflow itself."""
    parts, end = pointer.split("/"), 0
    for index in range(1, len(parts)):
        if parts[index].isdecimal() and parts[index - 1] in LISTS:
            end = index + 1
        elif parts[index] == "config":
            break
    return "/".join(parts[:end])


def step_title(action: Mapping[str, Any], catalog: Catalog) -> str:
    return title_of(catalog, str(action.get("type", "")).upper(), _text(action, "name"), _text(action, "id"))


def _text(action: Mapping[str, Any], key: str) -> str | None:
    value = action.get(key)
    return value if isinstance(value, str) else None


def _summary(kind: StepKind, type_: str, config: Any) -> str:
    """One short line; empty where the config is empty, or its type unknown."""
    if not isinstance(config, dict):
        return ""
    value = kind.summary(with_conditions_in_words(type_, config))
    text = " ".join(str(", ".join(value) if isinstance(value, dict) else "" if value is None else value).split())
    return text if len(text) <= _LONGEST_SUMMARY else f"{text[:_LONGEST_SUMMARY]}…"
