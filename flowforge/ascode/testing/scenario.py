"""Test files: the workflow, its input, and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from flowforge import jsonio
from flowforge.ascode.files import SUFFIXES, TEST_SUFFIXES, Unusable, WorkflowFile, read_document, read_file
from flowforge.ascode.findings import Finding, located
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.language.definition import LocatedAction
from flowforge.language.evaluation.names import hint
from flowforge.language.pointers import pointer
from flowforge.language.wording import problems_of

MOST_TESTS = 1_000


class _Written(BaseModel):
    """Base of the models of a test file. Unknown keys are refused: a misspelled one would test nothing."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", populate_by_name=True)


class Recorded(_Written):
    """The end of a step, instead of doing it: exactly one of these fields."""

    output: Any = None
    """Its output, an object; texts in it may be expressions, which see what the step sees."""
    error: str | None = Field(None, min_length=1)
    """The message with which it fails; inside `attempts` the failure is temporary, so that it is tried again, else
    permanent."""
    items: list[Recorded] | None = Field(None, min_length=1)
    """Records of a step in a loop: one for each item of the outermost loop around it."""
    attempts: list[Recorded] | None = Field(None, min_length=1)
    """One for each attempt; the last one holds for all further attempts."""
    timed_out: Literal[True] | None = Field(None, alias="timedOut")
    """Ends a wait for a call or a person by its time limit: nobody comes."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("needs one of 'output', 'error', 'items', 'attempts' and 'timedOut'")
        return self


class ExpectedError(_Written):
    message: str | None = None
    """A part of it."""
    step: str | None = None


def _as_status(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _as_error(value: Any) -> Any:
    return {"message": value} if isinstance(value, str) else value


class Expectation(_Written):
    """Expectations of a test. What is not named may be anything; of objects only the named fields are compared."""

    status: Annotated[Literal["COMPLETED", "FAILED"] | None, BeforeValidator(_as_status)] = None
    """COMPLETED by default, unless an error is expected."""
    result: Any = None
    outputs: JsonObject = Field(default_factory=dict)
    """Outputs by the step's id; of a step in a loop a list, one for each item."""
    calls: JsonObject = Field(default_factory=dict)
    """The configs with which steps were run, their expressions resolved; in a loop a list."""
    branches: JsonObject = Field(default_factory=dict)
    """The branch that each BRANCH took; in a loop a list."""
    ran: list[str] = Field(default_factory=list)
    skipped: list[str] = Field(default_factory=list)
    error: Annotated[ExpectedError | None, BeforeValidator(_as_error)] = None
    response: Any = None
    """The answer of a RESPOND: `status`, `headers`, `body`."""

    @property
    def expected_status(self) -> str:
        return self.status or ("FAILED" if self.error else "COMPLETED")

    def expects(self, part: str) -> bool:
        return part in self.model_fields_set


def _as_moment(value: Any) -> Any:
    return jsonio.parse_time(value) if isinstance(value, str) else value


_WHEN = datetime(2026, 1, 1, tzinfo=UTC)


class Scenario(_Written):
    """One test."""

    name: str = Field(min_length=1, max_length=255)
    trigger: JsonObject = Field(default_factory=dict)
    """The payload."""
    steps: dict[str, Recorded] = Field(default_factory=dict)
    """Records by the step's id (or `step_<number>`)."""
    now: Annotated[datetime, BeforeValidator(_as_moment)] = _WHEN
    """The time at which the execution begins; waits move it on at once."""
    vars: JsonObject = Field(default_factory=dict)
    """The variables of the account, by name."""
    expect: Expectation = Expectation()


class _TestFile(_Written):
    workflow: str | None = Field(None, min_length=1)
    tests: list[Scenario] = Field(min_length=1, max_length=MOST_TESTS)


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of one file, and the workflow they are about."""

    path: Path
    workflow: WorkflowFile
    tests: tuple[Scenario, ...]
    findings: tuple[Finding, ...]
    """Findings about the scenario; with any, nothing can be run."""


def read_suite(path: Path) -> Suite | list[Finding]:
    """Read a test file; a list of findings if it cannot be understood. Raises Unusable if a file is missing."""
    source, flaws = read_document(path)
    try:
        written = _TestFile.model_validate(source.plain() if source.root else {})
    except ValidationError as error:
        return flaws or located(str(path), source, problems_of(error))
    if flaws:
        return flaws
    workflow = read_file(_workflow_of(path, written.workflow))
    return Suite(path, workflow, tuple(written.tests), tuple(workflow.findings()))


def problems_of_names(tests: tuple[Scenario, ...], steps: Mapping[str, LocatedAction]) -> Iterator[Problem]:
    """List the problems of steps that the workflow does not have, and of those nothing can be recorded for."""
    for number, test in enumerate(tests):
        expect = test.expect
        named: list[tuple[tuple[str | int, ...], str]] = [(("steps", name), name) for name in test.steps]
        for part in ("outputs", "calls", "branches"):
            named += [(("expect", part, name), name) for name in getattr(expect, part)]
        for part in ("ran", "skipped"):
            named += [(("expect", part, index), name) for index, name in enumerate(getattr(expect, part))]
        for path, name in named:
            message = _problem_of_name(name, path, steps)
            if message:
                yield Problem(pointer(("tests", number, *path)), message)


def _problem_of_name(name: str, path: tuple[str | int, ...], steps: Mapping[str, LocatedAction]) -> str | None:
    if name not in steps:
        return f"the workflow has no step '{name}'{hint(name, steps)}"
    block = BLOCKS.get(steps[name].type)
    if path[:2] == ("expect", "branches") and (block is None or not block.bodies.has_conditions):
        return f"'{name}' is no BRANCH"
    if path[1] in ("ran", "skipped", "calls") and block is not None and not block.output:
        return f"'{name}' is a {block.type}, which leaves no trace but status, result and error"
    return None


def _workflow_of(path: Path, named: str | None) -> Path:
    if named is not None:
        return path.parent / named
    suffix = next(suffix for suffix in (*TEST_SUFFIXES, *SUFFIXES, "") if path.name.endswith(suffix))
    stem = path.name.removesuffix(suffix)
    for ending in SUFFIXES:
        beside = path.with_name(stem + ending)
        if beside != path and beside.exists():
            return beside
    raise Unusable(f"{path}: there is no {stem}{SUFFIXES[0]} beside it; name it with 'workflow:'")
