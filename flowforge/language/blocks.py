"""The steps that the engine itself carries out: those that steer (BRANCH, FOR_EACH, PARALLEL, STOP), wait, call
another workflow, or answer the caller. All other types are connectors'.

A config is judged twice: as it is written, where a field may hold an expression, and with its expressions resolved,
when the step is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from flowforge import jsonio
from flowforge.errors import Problem
from flowforge.language.definition import ActionDefinition
from flowforge.language.expressions.template import has_meaning
from flowforge.language.pointers import Part, dotted, pointer
from flowforge.language.repair import UNREAD
from flowforge.language.wording import located

MAX_AT_ONCE = 100
MAX_ITEMS = 100_000
LONGEST_WAIT_SECONDS = 366 * 86_400.0


class BlockType(StrEnum):
    BRANCH = "BRANCH"
    FOR_EACH = "FOR_EACH"
    PARALLEL = "PARALLEL"
    WAIT = "WAIT"
    RUN_WORKFLOW = "RUN_WORKFLOW"
    STOP = "STOP"
    RESPOND = "RESPOND"


class ConfigUnusable(ValueError):
    """The config of a block, its expressions resolved, is not what the block needs; the text names the fields."""


class BlockConfig(BaseModel):
    """Base of the configs: camelCase outside, unknown keys ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    literal: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold no expression: they are read before there is anything to compute it from."""


class NoConfig(BlockConfig):
    """Of blocks that only have bodies."""


class ForEachConfig(BlockConfig):
    literal = frozenset({"onItemError"})

    items: list[Any] = Field(title="Items", description="The list to go through", max_length=MAX_ITEMS)
    concurrency: int = Field(
        1, title="At once", description="How many items are worked on at once", ge=1, le=MAX_AT_ONCE
    )
    on_item_error: Literal["stop", "continue"] = Field(
        "stop",
        title="When an item fails",
        description="stop: no further item is begun, and the loop fails; continue: the error becomes the item's result",
    )
    collect: Any = Field(
        None, title="Collect", description="What each item gives; by default the output of the last step in the loop"
    )


def _moment(value: Any) -> Any:
    return jsonio.parse_time(value) if isinstance(value, str) else value


class WaitConfig(BlockConfig):
    """One of `seconds`, `until` and `for`."""

    literal = frozenset({"for"})

    seconds: float | None = Field(
        None, title="Seconds", ge=0, le=LONGEST_WAIT_SECONDS, allow_inf_nan=False, description="Wait so long"
    )
    until: Annotated[datetime | None, BeforeValidator(_moment)] = Field(
        None, title="Until", description="Wait until this moment; ISO-8601, UTC where no zone is given"
    )
    for_: Literal["resume", "approval"] | None = Field(
        None,
        alias="for",
        title="For",
        description="Wait until a resume link is called, or until a person approves or rejects",
    )
    message: str | None = Field(None, title="Question", description="What the person is asked", max_length=2_000)
    timeout: float | None = Field(
        None,
        title="Give up after (seconds)",
        gt=0,
        le=LONGEST_WAIT_SECONDS,
        allow_inf_nan=False,
        description="Of a wait for a call or a person; by default it waits for 30 days",
    )
    on_timeout: Literal["continue", "fail"] = Field("fail", title="When nobody came")

    @model_validator(mode="after")
    def _one_of_three(self) -> WaitConfig:
        if sum(given is not None for given in (self.seconds, self.until, self.for_)) != 1:
            raise ValueError("needs one of 'seconds', 'until' and 'for'")
        return self

    def ends(self, now: datetime) -> datetime:
        """When a wait for a time that begins now is over. Raises ConfigUnusable where that is too far away."""
        if self.until is None:
            return now + timedelta(seconds=self.seconds or 0.0)
        if self.until - now > timedelta(seconds=LONGEST_WAIT_SECONDS):
            days = LONGEST_WAIT_SECONDS / 86_400
            raise ConfigUnusable(f"the config of WAIT cannot be used: until must be at most {days:g} days from now")
        return self.until


class RunWorkflowConfig(BlockConfig):
    workflow_id: UUID = Field(title="Workflow", description="The id of the workflow to run")
    payload: dict[str, Any] = Field(default_factory=dict, title="Payload", description="What it finds in `trigger`")
    wait: bool = Field(True, title="Wait for its end", description="Then its result is this step's output")


class StopConfig(BlockConfig):
    status: Literal["completed", "failed"] = Field("completed", title="End as")
    message: str | None = Field(None, title="Message", max_length=2_000)
    output: Any = Field(None, title="Result", description="What a workflow that called this one gets")


def _as_text(value: Any) -> Any:
    """An expression may give a number."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")]
"""A token (RFC 9110, 5.1)."""
HeaderValue = Annotated[str, BeforeValidator(_as_text), Field(pattern=r"^[\t\x20-\x7e\xa0-\xff]{0,8000}$")]
"""What may stand in one line, of Latin-1 (RFC 9110, 5.5)."""


class RespondConfig(BlockConfig):
    status: int = Field(200, title="Status", ge=200, le=599)
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict, title="Headers", max_length=50)
    body: Any = Field(None, title="Body", description="Text as it is, anything else as JSON")


C = TypeVar("C", bound=BlockConfig)
Bodies = Literal["branches", "lanes", "actions", "none"]


@dataclass(frozen=True)
class Block(Generic[C]):
    """What a block needs, and what people are told about it."""

    name: BlockType
    config: type[C]
    bodies: Bodies
    """branches: with `when`, and `else`; lanes: branches without; actions: one list."""
    title: str
    help: str
    icon: str

    def parse(self, config: Mapping[str, Any]) -> C:
        """The config with its expressions resolved. Raises ConfigUnusable."""
        try:
            return self.config.model_validate(config)
        except ValidationError as error:
            problems = "; ".join(f"{dotted(place)} {sentence}".strip() for place, sentence in located(error))
            raise ConfigUnusable(f"the config of {self.name} cannot be used: {problems}") from error

    def json_schema(self) -> dict[str, Any]:
        """In the shape in which connectors describe themselves."""
        return {
            "type": self.name,
            "title": self.title,
            "help": self.help,
            "icon": self.icon,
            "bodies": self.bodies,
            "config": self.config.model_json_schema(by_alias=True),
        }


BLOCKS: dict[str, Block[Any]] = {
    block.name: block
    for block in (
        Block(
            BlockType.BRANCH,
            NoConfig,
            "branches",
            "Branch",
            "Goes the first way whose condition holds, else the last",
            "branch",
        ),
        Block(
            BlockType.FOR_EACH, ForEachConfig, "actions", "For each", "Does its steps for every item of a list", "loop"
        ),
        Block(
            BlockType.PARALLEL,
            NoConfig,
            "lanes",
            "Parallel",
            "Goes several ways at once, and waits for all",
            "parallel",
        ),
        Block(
            BlockType.WAIT,
            WaitConfig,
            "none",
            "Wait",
            "Rests for a time, until a call, or until a person approves",
            "clock",
        ),
        Block(
            BlockType.RUN_WORKFLOW,
            RunWorkflowConfig,
            "none",
            "Run a workflow",
            "Starts another workflow and uses its result",
            "workflow",
        ),
        Block(BlockType.STOP, StopConfig, "none", "Stop", "Ends the execution here, as completed or as failed", "stop"),
        Block(
            BlockType.RESPOND, RespondConfig, "none", "Respond", "Answers the caller of the webhook, who waits", "reply"
        ),
    )
}


def problems_of_block(action: ActionDefinition, path: tuple[Part, ...]) -> list[Problem]:
    """What is wrong with the shape of an action, a block or not, as it is written; expressions are not judged."""
    if action.type == UNREAD:
        return []
    block = BLOCKS.get(action.type)
    return [Problem(pointer((*path, *place)), message) for place, message in _problems(action, block)]


def _problems(action: ActionDefinition, block: Block[Any] | None) -> Iterator[tuple[tuple[Part, ...], str]]:
    yield from _problems_of_bodies(action, block)
    if block is None:
        return
    if action.retry is not None:
        yield ("retry",), f"{block.name} cannot be tried again; give the actions a retry"
    if action.timeout is not None:
        yield ("timeout",), f"{block.name} has no time limit of its own; the workflow's settings and actions have"
    yield from _problems_of_config(action.config or {}, block)


def _problems_of_bodies(action: ActionDefinition, block: Block[Any] | None) -> Iterator[tuple[tuple[Part, ...], str]]:
    bodies = block.bodies if block else "none"
    if action.branches is not None and bodies not in ("branches", "lanes"):
        yield ("branches",), f"{action.type} has no branches"
    if action.otherwise is not None and bodies != "branches":
        yield ("else",), f"{action.type} has no else"
    if action.actions is not None and bodies != "actions":
        yield ("actions",), f"{action.type} holds no actions"
    if bodies in ("branches", "lanes") and not action.branches:
        yield ("branches",), "is required, with at least one branch"
    yield from _problems_of_names(action)
    for number, branch in enumerate(action.branches or ()):
        if bodies == "branches" and branch.when is None:
            yield ("branches", number, "when"), "is required: the condition of the branch"
        if bodies == "lanes" and branch.when is not None:
            yield ("branches", number, "when"), "has no meaning: all branches of PARALLEL are gone"


def _problems_of_names(action: ActionDefinition) -> Iterator[tuple[tuple[Part, ...], str]]:
    """The names of branches tell which way was gone."""
    seen: set[str] = {"else"} if action.otherwise is not None else set()
    for number, branch in enumerate(action.branches or ()):
        name = branch.name or default_branch_name(number)
        if name in seen:
            yield ("branches", number, "name"), f"'{name}' is the name of another branch already"
        seen.add(name)


def default_branch_name(number: int) -> str:
    """What a branch is called that has no name, by its number from 0."""
    return f"branch {number + 1}"


def _problems_of_config(config: Mapping[str, Any], block: Block[Any]) -> Iterator[tuple[tuple[Part, ...], str]]:
    try:
        block.config.model_validate(config)
    except ValidationError as error:
        for place, sentence in located(error):
            name = str(place[0]) if place else ""
            computed = _holds_expression(config.get(name))
            if not computed:
                yield ("config", *place), sentence
            elif name in block.config.literal:
                yield ("config", *place), f"takes no expression: {name} {sentence}"


def _holds_expression(value: Any) -> bool:
    if isinstance(value, str):
        return has_meaning(value)
    if isinstance(value, Mapping):
        return any(_holds_expression(inner) for inner in value.values())
    return isinstance(value, list) and any(_holds_expression(inner) for inner in value)
