"""Workflow definitions: what a person or a client writes, and what the tables hold.

The contract's `{name, trigger, actions: [{type, config}]}`, with optional keys of ours. Reading reports every problem
at once. Fields nobody knows are ignored.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from flowforge import jsonio
from flowforge.errors import Invalid, Problem
from flowforge.language.pointers import Part, pointer
from flowforge.language.wording import problems_of

MAX_ACTIONS = 1_000
MAX_BYTES = 1_000_000
"""Of the whole definition as JSON."""
MAX_DEPTH = 50
"""Levels of objects and lists in a definition."""

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_POSITIONAL_ID = re.compile(r"step_[0-9]+")


def _stripped(value: str) -> str:
    value = value.strip()
    if not value:
        raise ValueError("must not be empty")
    return value


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain the NUL character")
    return value


def _plain(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError("must be plain ASCII characters")
    return value


def _identifier(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("must be letters, digits and _, not start with a digit, and have at most 64 characters")
    if _POSITIONAL_ID.fullmatch(value):
        raise ValueError("step_<number> is how expressions call a step by its position; choose another name")
    return value


Name = Annotated[str, Field(max_length=255), AfterValidator(_without_nul), AfterValidator(_stripped)]
Type = Annotated[str, Field(max_length=100), AfterValidator(_stripped), AfterValidator(_plain)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class _Part(BaseModel):
    """Base of the parts: JSON's own types only (no number from text), never changed after reading."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", populate_by_name=True)


class RetryPolicy(_Part):
    """How often a failed step is tried, and how long it rests before each new attempt.

    The rest before attempt n+1 is `delay * factor ** (n - 1)` seconds, at most `max_delay`; with `jitter` it is drawn
    between half of that and all of it, so that many failures at once do not come back at once.
    """

    attempts: int = Field(5, ge=1, le=100)
    delay: Seconds = 1.0
    factor: float = Field(2.0, ge=1, le=10, allow_inf_nan=False)
    max_delay: Seconds = Field(300.0, alias="maxDelay")
    jitter: bool = True


class TriggerDefinition(_Part):
    """What starts the workflow. Which types there are, and what their config holds, the triggers know."""

    type: Annotated[Type, AfterValidator(str.lower)]
    config: dict[str, Any] | None = None


class ActionDefinition(_Part):
    """One step. `config` may be absent in rows that older versions wrote; running such a step fails clearly."""

    type: Annotated[Type, AfterValidator(str.upper)]
    config: dict[str, Any] | None = None
    id: Identifier | None = None
    name: Name | None = None
    retry: RetryPolicy | None = None
    timeout: float | None = Field(None, gt=0, le=86_400, allow_inf_nan=False)
    enabled: bool | None = None


class ActionList(_Part):
    """The steps of a workflow, run one after another."""

    actions: list[ActionDefinition] = Field(default_factory=list, max_length=MAX_ACTIONS)

    @model_validator(mode="before")
    @classmethod
    def _null_means_no_actions(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("actions", ...) is None:
            return {**raw, "actions": []}
        return raw

    @classmethod
    def read(cls, raw: object) -> Self:
        """Raises Invalid with every problem of its shape."""
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise Invalid(problems_of(error)) from error


class WorkflowDefinition(ActionList):
    """A workflow as it is written: its name, what starts it, and its actions."""

    name: Name
    trigger: TriggerDefinition | None = None

    def dump(self) -> dict[str, Any]:
        """As JSON: the three parts always, of trigger and actions the keys that were written."""
        trigger = self.trigger.model_dump(by_alias=True, exclude_unset=True) if self.trigger else None
        actions = [action.model_dump(by_alias=True, exclude_unset=True) for action in self.actions]
        return {"name": self.name, "trigger": trigger, "actions": actions}


def parse(raw: object) -> WorkflowDefinition:
    """The definition that decoded JSON stands for. Raises Invalid with all problems, each with a JSON pointer."""
    too_large = _problem_of_size(raw)
    if too_large:
        raise Invalid([too_large])
    definition = WorkflowDefinition.read(raw)
    repeated = _repeated_ids(definition)
    if repeated:
        raise Invalid(repeated)
    return definition


def _problem_of_size(raw: object) -> Problem | None:
    deep = _deeper_than(MAX_DEPTH, raw)
    if deep is not None:
        return Problem(pointer(deep), f"objects and lists may be nested {MAX_DEPTH} levels deep")
    try:
        size = len(jsonio.dumps(raw))
    except TypeError as error:
        return Problem("", f"cannot be written as JSON: {error}")
    if size > MAX_BYTES:
        return Problem("", f"is {size:,} bytes of JSON; at most {MAX_BYTES:,} are allowed")
    return None


def _deeper_than(limit: int, raw: object) -> tuple[Part, ...] | None:
    """The place of a part that is nested too deeply, if there is one."""
    waiting: list[tuple[tuple[Part, ...], object]] = [((), raw)]
    while waiting:
        path, part = waiting.pop()
        if not isinstance(part, dict | list):
            continue
        if len(path) >= limit:
            return path
        members = part.items() if isinstance(part, dict) else enumerate(part)
        waiting.extend(((*path, key), member) for key, member in members if isinstance(member, dict | list))
    return None


def _repeated_ids(definition: WorkflowDefinition) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for index, action in enumerate(definition.actions):
        if action.id is None:
            continue
        if action.id in first:
            where = pointer(("actions", first[action.id]))
            problems.append(Problem(pointer(("actions", index, "id")), f"'{action.id}' is the id of {where} already"))
        first.setdefault(action.id, index)
    return problems
