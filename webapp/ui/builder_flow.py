"""A definition as the builder draws it: cards in lists, lists in cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowforge.connectors.catalog import Catalog
from flowforge.connectors.summaries import first_of
from flowforge.errors import Problem
from flowforge.language.blocks import BLOCKS
from flowforge.language.pointers import pointer
from flowforge.language.tree import actions_in
from webapp.ui.conditions import in_words
from webapp.ui.kinds import ALSO_CALLED, BLOCK_ICONS, kind_of, title_of

_LONGEST_SUMMARY = 90
_summary_of_block = first_of("message", "items", "seconds", "until", "for", "status", "output")


@dataclass(frozen=True, slots=True)
class Lane:
    """A list of steps; `at` is its pointer. `number` is set for a branch that can be taken away."""

    at: str
    title: str
    steps: Sequence[Node]
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    at: str
    type: str
    title: str
    kind: str
    """What its type is called."""
    icon: str
    summary: str
    enabled: bool
    problems: int
    """Of itself; those of the steps inside it are theirs."""
    position: int
    last: bool
    lanes: Sequence[Lane] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be added."""

    type: str
    title: str
    help: str
    icon: str
    keywords: str

    @property
    def words(self) -> str:
        """The text that a search looks into."""
        return f"{self.title} {self.type} {self.help} {self.keywords}".lower()


@dataclass(frozen=True, slots=True)
class Flaw:
    """A problem as the builder tells it. `at`: what is opened to solve it, a step or the trigger."""

    at: str
    title: str
    message: str


def choices(catalog: Catalog) -> dict[str, list[Choice]]:
    """By group."""
    connectors = [catalog.get(type_) for type_ in catalog.types()]
    return {
        "Apps": [Choice(c.action_type, c.title, c.help, c.icon, " ".join(c.keywords)) for c in connectors],
        "Flow": [Choice(b.name, b.title, b.help, BLOCK_ICONS[b.name], ALSO_CALLED[b.name]) for b in BLOCKS.values()],
    }


def flow_of(definition: Mapping[str, Any], problems: Sequence[Problem], catalog: Catalog) -> Lane:
    """The workflow's own list; secrets in `definition` are masked."""
    return Lane("/actions", "", _Drawing(problems, catalog).steps(definition.get("actions"), "/actions"))


def flaws_of(definition: Mapping[str, Any], problems: Sequence[Problem], catalog: Catalog) -> list[Flaw]:
    steps = {pointer(path): action for path, action in actions_in(definition.get("actions"))}

    def flaw(problem: Problem) -> Flaw:
        at = step_of(problem.pointer)
        outside = "What starts it" if problem.pointer.startswith("/trigger") else "The workflow"
        return Flaw(at or "trigger", _title(steps[at], catalog) if at in steps else outside, problem.message)

    return [flaw(problem) for problem in problems]


class _Drawing:
    def __init__(self, problems: Sequence[Problem], catalog: Catalog) -> None:
        self._problems = Counter(step_of(problem.pointer) for problem in problems)
        self._catalog = catalog

    def steps(self, actions: Any, at: str) -> list[Node]:
        listed = actions if isinstance(actions, list) else []
        return [
            self._node(action, f"{at}/{position}", position, position == len(listed) - 1)
            for position, action in enumerate(listed)
            if isinstance(action, dict)
        ]

    def _node(self, action: Mapping[str, Any], at: str, position: int, last: bool) -> Node:
        type_ = str(action.get("type", "")).upper()
        kind, icon = kind_of(self._catalog, type_)
        return Node(
            at=at,
            type=type_,
            title=_title(action, self._catalog),
            kind=kind,
            icon=icon,
            summary=_summary(self._catalog, type_, action.get("config")),
            enabled=action.get("enabled") is not False,
            problems=self._problems[at],
            position=position,
            last=last,
            lanes=list(self._lanes(action, at, type_)),
        )

    def _lanes(self, action: Mapping[str, Any], at: str, type_: str) -> Iterator[Lane]:
        branches = action.get("branches")
        for number, branch in enumerate(branches if isinstance(branches, list) else ()):
            if isinstance(branch, dict):
                inner = f"{at}/branches/{number}/actions"
                steps = self.steps(branch.get("actions"), inner)
                yield Lane(inner, _branch_title(branch, number, type_), steps, number)
        for key, title in (("else", "Otherwise"), ("actions", "For each item"), ("onError", "If it fails")):
            if isinstance(action.get(key), list):
                yield Lane(f"{at}/{key}", title, self.steps(action[key], f"{at}/{key}"))


def step_of(pointer: str) -> str:
    """The innermost step that a problem's pointer is about; empty where it is the workflow itself."""
    parts, end = pointer.split("/"), 0
    for place in range(1, len(parts)):
        if parts[place].isdecimal() and parts[place - 1] in ("actions", "else", "onError"):
            end = place + 1
        elif parts[place] == "config":
            break
    return "/".join(parts[:end])


def _branch_title(branch: Mapping[str, Any], number: int, type_: str) -> str:
    name = str(branch.get("name") or f"branch {number + 1}")
    if type_ != "BRANCH":
        return name
    when = branch.get("when")
    return f"{name}: if {in_words(when) if isinstance(when, str) else str(when).lower()}"


def _title(action: Mapping[str, Any], catalog: Catalog) -> str:
    return title_of(catalog, str(action.get("type", "")).upper(), _text(action, "name"), _text(action, "id"))


def _text(action: Mapping[str, Any], key: str) -> str | None:
    value = action.get(key)
    return value if isinstance(value, str) else None


def _summary(catalog: Catalog, type_: str, config: Any) -> str:
    """One short line; empty where the config says nothing, or its type is not known."""
    if not isinstance(config, dict):
        return ""
    summary = catalog.get(type_).summary if type_ in catalog.types() else _summary_of_block
    value = summary(config)
    text = " ".join(str(", ".join(value) if isinstance(value, dict) else "" if value is None else value).split())
    return text if len(text) <= _LONGEST_SUMMARY else f"{text[:_LONGEST_SUMMARY]}…"
