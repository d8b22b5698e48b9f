"""A bundle as clients send it: many workflows as text, each under its key or name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from flowforge.errors import Invalid, Problem
from flowforge.field_reader import FieldReader
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence
from flowforge.workflows import folders
from flowforge.workflows.changes import LONGEST_NOTE
from flowforge.workflows.workflow_keys import problems_of_key

MOST_WORKFLOWS = 200
"""The most workflows in one bundle."""


@dataclass(frozen=True, slots=True)
class BundledWorkflow:
    """A workflow of a bundle. Its definition is not read yet."""

    number: int
    """Its place in the bundle, from 0."""
    key: str | None
    """None where it has none, or none that can be used."""
    enabled: bool | None
    definition: JsonObject
    folder: str | None = None
    """None: as it is; empty: in no folder."""
    problems: tuple[Problem, ...] = ()
    """Problems of all but the definition, with pointers from this workflow on."""

    @classmethod
    def read(cls, number: int, raw: Mapping[str, Any]) -> Self:
        """`raw` has an object as its definition."""
        fields, wrong_key = FieldReader(raw), problems_of_key(raw.get("key"))
        key, enabled = None if wrong_key else raw.get("key"), fields.flag("enabled")
        folder, wrong_folder = _read_folder(raw.get("folder"))
        problems = *wrong_key, *wrong_folder, *fields.problems
        return cls(number, key, enabled, dict(raw["definition"]), folder, problems)

    @property
    def name(self) -> str:
        """Its name as the database can hold it; empty where it has none. The definition's own validation reports a
        name that holds NUL, which PostgreSQL refuses."""
        name = self.definition.get("name")
        return name.strip().replace("\x00", "") if isinstance(name, str) else ""

    @property
    def pointer(self) -> str:
        return f"/workflows/{self.number}"

    def with_problem(self, problem: Problem) -> Self:
        return replace(self, problems=(*self.problems, problem))


@dataclass(frozen=True, slots=True)
class Bundle:
    workflows: Sequence[BundledWorkflow]
    dry_run: bool = False
    """Whether only to report what applying it would do."""
    note: str | None = None
    """A remark on every version that is made."""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Raises Invalid where the bundle itself, or the frame of one of its workflows, cannot be used."""
        fields = FieldReader(raw)
        dry_run, prune = fields.flag("dryRun"), fields.flag("prune")
        problems = fields.problems
        if prune:
            problems.append(
                Problem("/prune", sentence("is not supported: workflows that are not in the bundle are left alone"))
            )
        too_long = sentence("must be a text of at most %(most)s characters", most=LONGEST_NOTE)
        note = fields.take("note", str, too_long, lambda text: len(text) <= LONGEST_NOTE)
        listed = raw.get("workflows")
        if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_WORKFLOWS:
            raise Invalid(
                [
                    *problems,
                    Problem("/workflows", sentence("must be a list of 1 to %(most)s workflows", most=MOST_WORKFLOWS)),
                ]
            )
        usable = [(number, each) for number, each in enumerate(listed) if _has_definition(each)]
        unusable = sorted(set(range(len(listed))) - {number for number, _ in usable})
        problems += [Problem(f"/workflows/{number}/definition", sentence("must be an object")) for number in unusable]
        workflows = _told_apart([BundledWorkflow.read(number, each) for number, each in usable])
        if problems:
            inside = [problem.under(each.pointer) for each in workflows for problem in each.problems]
            raise Invalid([*problems, *inside])
        return cls(workflows, dry_run is True, note)


def _read_folder(written: object) -> tuple[str | None, Sequence[Problem]]:
    if written is None:
        return None, ()
    try:
        return folders.read(written) or "", ()
    except Invalid as error:
        return None, error.problems


def _has_definition(raw: object) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("definition"), dict)


def _told_apart(workflows: Sequence[BundledWorkflow]) -> list[BundledWorkflow]:
    """Add problems where two entries mean one workflow: each has to identify its own, also when it is applied again."""
    names, keys = Counter(each.name for each in workflows), _first_of_each_key(workflows)
    found = []
    for each in workflows:
        if each.key is None and each.name and names[each.name] > 1:
            problem = Problem(
                "/definition/name", sentence("is the name of another workflow of the bundle; give it a key")
            )
            found.append(each.with_problem(problem))
        elif each.key is not None and keys[each.key] is not each:
            problem = Problem("/key", sentence("is the key of %(place)s already", place=keys[each.key].pointer))
            found.append(replace(each.with_problem(problem), key=None))
        else:
            found.append(each)
    return found


def _first_of_each_key(workflows: Sequence[BundledWorkflow]) -> dict[str, BundledWorkflow]:
    return {each.key: each for each in reversed(workflows) if each.key is not None}
