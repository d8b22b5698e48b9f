"""Workflow definitions: what a person or a client writes, and what the tables hold.

The contract's `{name, trigger, actions: [{type, config}]}`, with optional keys of ours. Actions may hold actions: the
bodies of blocks, and what is done about an error. Reading reports every problem at once. Unknown fields are ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from flowforge import jsonio, time_zones
from flowforge.errors import MAX_PROBLEMS, Invalid, Problem
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import body_kind
from flowforge.language.bodies import BodyKind
from flowforge.language.locations import Enclosure, Location
from flowforge.language.pointers import Part, pointer
from flowforge.language.repair import Repair
from flowforge.language.tree import actions_in, members_in
from flowforge.language.wording import UNWRITTEN, located, problems_of
from flowforge.sentences import Count, message_of, sentence

MAX_ACTIONS = 1_000
LONGEST_NOTE = 4_000
"""Actions of a workflow, those inside blocks included."""
MAX_BRANCHES = 50
MAX_NESTING = 10
"""Actions that may enclose an action."""
MAX_BYTES = 1_000_000
"""Size of a definition as JSON."""
MAX_DEPTH = 80
"""Levels of objects and lists in a definition."""
_MOST_REPAIRS = 10
"""Parts around a part that is wrong: no more than these are taken out with it."""

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_POSITIONAL_ID = re.compile(r"step_[0-9]+")


def _stripped(value: str) -> str:
    value = value.strip()
    if not value:
        raise ValueError(sentence("must not be empty"))
    return value


def _without_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError(sentence("must not contain the NUL character"))
    return value


def _plain(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError(sentence("must be plain ASCII characters"))
    return value


def _identifier(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError(
            sentence("must be letters, digits and _, not start with a digit, and have at most 64 characters")
        )
    if _POSITIONAL_ID.fullmatch(value):
        raise ValueError(sentence("step_<number> is how expressions call a step by its position; choose another name"))
    return value


Name = Annotated[str, Field(max_length=255), AfterValidator(_without_nul), AfterValidator(_stripped)]
Note = Annotated[str, Field(max_length=LONGEST_NOTE), AfterValidator(_without_nul)]
"""Markdown for people to read; it changes nothing in an execution."""
Type = Annotated[str, Field(max_length=100), AfterValidator(_stripped), AfterValidator(_plain)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class _Part(BaseModel):
    """Base of the parts: JSON's own types only (no number from text), never changed after reading."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", populate_by_name=True)


class RetryPolicy(_Part):
    """Number of attempts at a step, and the delay before each new one.

    The delay before attempt n+1 is `delay * factor ** (n - 1)` seconds, at most `max_delay`; with `jitter` it is drawn
    between half of that and all of it, so that simultaneous failures are not retried simultaneously.
    """

    attempts: int = Field(5, ge=1, le=100)
    delay: Seconds = 1.0
    factor: float = Field(2.0, ge=1, le=10, allow_inf_nan=False)
    max_delay: Seconds = Field(300.0, alias="maxDelay")
    jitter: bool = True
    on: Literal["passing", "any"] = "passing"
    """Failures that are retried: those that the connector calls temporary, or all of them."""


class TriggerDefinition(_Part):
    """The trigger of a workflow. Its types and their configs are declared by the trigger kinds."""

    type: Annotated[Type, AfterValidator(str.lower)]
    config: JsonObject | None = None


def _written_as(value: Any) -> str:
    return f"{UNWRITTEN}text" if isinstance(value, str) else f"{UNWRITTEN}value"


When = Annotated[
    Annotated[bool, Tag(f"{UNWRITTEN}value")] | Annotated[str, Tag(f"{UNWRITTEN}text")], Discriminator(_written_as)
]
"""Whether something is done: true, false, or an expression."""


class BranchDefinition(_Part):
    """One branch of a block; `when` is its condition, where the block's branches have one."""

    name: Name | None = None
    when: When | None = None
    actions: list[ActionDefinition] = Field(default_factory=list, max_length=MAX_ACTIONS)


OnError = Annotated[
    Annotated[Literal["fail", "continue"], Tag(f"{UNWRITTEN}text")]
    | Annotated[list["ActionDefinition"], Tag(f"{UNWRITTEN}value"), Field(max_length=MAX_ACTIONS)],
    Discriminator(_written_as),
]
"""Reaction to an error or a rejection: the end (`fail`), the next step (`continue`), or actions of its own."""


class ActionDefinition(_Part):
    """One step. `config` may be absent in rows that older versions wrote; running such a step fails clearly.

    Blocks (flowforge.language.blocks) have bodies: `branches` and `else`, or `actions`.
    """

    type: Annotated[Type, AfterValidator(str.upper)]
    config: JsonObject | None = None
    id: Identifier | None = None
    name: Name | None = None
    note: Note | None = None
    when: When | None = None
    retry: RetryPolicy | None = None
    timeout: float | None = Field(None, gt=0, le=86_400, allow_inf_nan=False)
    after_crash: Literal["again", "fail"] | None = Field(None, alias="afterCrash")
    """What becomes of the step where its executor dies in the call. None: as its connector can be repeated."""
    enabled: bool | None = None
    on_error: OnError | None = Field(None, alias="onError")
    on_reject: OnError | None = Field(None, alias="onReject")
    """What becomes of a wait for an approval that is refused: the end, the next step, or actions of its own and the
    end of what it stands in."""
    branches: list[BranchDefinition] | None = Field(None, max_length=MAX_BRANCHES)
    otherwise: list[ActionDefinition] | None = Field(None, alias="else", max_length=MAX_ACTIONS)
    actions: list[ActionDefinition] | None = Field(None, max_length=MAX_ACTIONS)

    @property
    def runs(self) -> bool:
        return self.enabled is not False

    def bodies(self) -> Iterator[WrittenBody]:
        """The lists of actions inside this one, in the order in which they are written."""
        kind = body_kind(self.type, "branches")
        for number, branch in enumerate(self.branches or ()):
            path = ("branches", number, "actions")
            yield WrittenBody(kind, number, branch.name, branch.when, branch.actions, path)
        if self.otherwise is not None:
            yield WrittenBody(kind, len(self.branches or ()), "else", None, self.otherwise, ("else",))
        if self.actions is not None:
            yield WrittenBody(BodyKind.LOOP, 0, None, None, self.actions, ("actions",))
        if isinstance(self.on_reject, list):
            yield WrittenBody(BodyKind.REJECTION, 0, None, None, self.on_reject, ("onReject",))
        if isinstance(self.on_error, list):
            yield WrittenBody(BodyKind.HANDLER, 0, None, None, self.on_error, ("onError",))


class WrittenBody(NamedTuple):
    """A list of actions inside an action."""

    kind: BodyKind
    number: int
    """Among the branches; `else` is the last one."""
    name: str | None
    when: bool | str | None
    actions: list[ActionDefinition]
    path: tuple[Part, ...]
    """Path from the action to the list."""


@dataclass(frozen=True, slots=True)
class LocatedAction(Location):
    """An action, and where it stands."""

    action: ActionDefinition

    @property
    def own_id(self) -> str | None:
        return self.action.id

    @property
    def type(self) -> str:
        return self.action.type

    @property
    def runs(self) -> bool:
        return self.action.runs

    @property
    def config(self) -> JsonObject:
        return self.action.config or {}


def located_actions(actions: list[ActionDefinition]) -> Iterator[LocatedAction]:
    """Every action, each before those inside it."""
    waiting: list[_Waiting] = [
        (("actions", number), action, ()) for number, action in reversed(list(enumerate(actions)))
    ]
    index = 0
    while waiting:
        path, action, around = waiting.pop()
        found = LocatedAction(index, path, around, action)
        yield found
        index += 1
        for body in reversed(list(action.bodies())):
            inside = (*around, Enclosure(found, body.kind, body.path))
            waiting.extend(
                ((*path, *body.path, number), inner, inside)
                for number, inner in reversed(list(enumerate(body.actions)))
            )


_Waiting = tuple[tuple[Part, ...], ActionDefinition, tuple[Enclosure, ...]]


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


class ConcurrencyLimit(_Part):
    """Limit on simultaneous executions of the workflow, or of each value of `key`, and what becomes of further ones."""

    limit: int = Field(ge=1, le=1_000, title="Executions at once")
    key: str | None = Field(
        None,
        max_length=2_000,
        title="Separately for each value of",
        description="An expression on trigger, such as {{ trigger.body.customer }}. Empty: one limit for all.",
    )
    on_limit: Literal["queue", "skip", "cancelOldest"] = Field(
        "queue",
        alias="onLimit",
        title="When the limit is reached",
        json_schema_extra={"labels": {"queue": "Queue", "skip": "Skip", "cancelOldest": "Cancel the oldest"}},
    )


class RateLimit(_Part):
    """At most `limit` executions begin within `seconds`; further ones wait for a permit."""

    limit: int = Field(ge=1, le=100_000, title="Executions")
    seconds: float = Field(gt=0, le=86_400, allow_inf_nan=False, title="Within (seconds)")


TimeZone = Annotated[str, AfterValidator(time_zones.checked_zone)]
"""The name of a time zone, the same on every machine."""


class WorkflowSettings(_Part):
    """Settings that apply to whole executions."""

    timeout: float | None = Field(
        None,
        gt=0,
        le=31_622_400,
        allow_inf_nan=False,
        title="Time limit (seconds)",
        description="An execution that takes longer, its waits included, fails. Empty: no limit.",
    )
    concurrency: ConcurrencyLimit | None = Field(
        None, title="Concurrency", description="How many executions run at once."
    )
    rate_limit: RateLimit | None = Field(
        None, alias="rateLimit", title="Rate limit", description="How many executions start within a time."
    )
    error_workflow: str | None = Field(
        None,
        alias="errorWorkflow",
        max_length=64,
        title="Error workflow",
        description="It is started when an execution of this workflow fails. Empty: the error workflow of the account.",
    )
    retention_days: int | None = Field(
        None,
        alias="retentionDays",
        ge=1,
        le=36_500,
        title="Keep executions (days)",
        description=(
            "Ended executions of that age are deleted, with their files and logs. "
            "Empty: as long as the instance keeps them, which is also the longest."
        ),
    )
    time_zone: TimeZone | None = Field(
        None,
        alias="timeZone",
        title="Time zone",
        description="Of schedules, and of dates in expressions, that name none. Empty: UTC.",
        json_schema_extra={"input": "zone"},
    )
    note: Note | None = None
    """On the workflow as a whole."""


def written_time_zone(definition: Mapping[str, Any]) -> str | None:
    """The time zone in the settings of a definition in whatever state; None where it names none that there is."""
    settings = definition.get("settings")
    name = settings.get("timeZone") if isinstance(settings, dict) else None
    return name if isinstance(name, str) and name in time_zones.zone_names() else None


class WorkflowDefinition(ActionList):
    """A workflow as it is written: its name, what starts it, and its actions."""

    name: Name
    trigger: TriggerDefinition | None = None
    settings: WorkflowSettings | None = None

    def dump(self) -> JsonObject:
        """Return it as JSON: three parts always, the settings where there are any; of each part the written keys."""
        written = self.model_dump(by_alias=True, exclude_unset=True)
        parts = {"name": self.name, "trigger": written.get("trigger"), "actions": written.get("actions", [])}
        return parts | ({"settings": written["settings"]} if written.get("settings") else {})


@dataclass(frozen=True, slots=True)
class Reading:
    """Result of reading a definition. Where its shape is wrong, `definition` is what is left of it without the wrong
    parts: fit to be validated, not to be saved."""

    definition: WorkflowDefinition | None
    """None where there is nothing to validate."""
    problems: tuple[Problem, ...] = ()
    """Problems of its shape, each with a JSON pointer."""
    removed: frozenset[str] = frozenset()
    """Pointers to the parts that are left out."""
    unidentified_steps: frozenset[str] = frozenset()
    """Names of steps that cannot be identified: unreadable, or used twice."""

    def concerns_removed_part(self, problem: Problem) -> bool:
        """Whether it is about a part that is left out, whose own problem is reported."""
        parts = problem.pointer.split("/")
        return any("/".join(parts[: length + 1]) in self.removed for length in range(len(parts)))

    def usable(self) -> WorkflowDefinition:
        """Raises Invalid with all that is wrong with the shape."""
        if self.problems or self.definition is None:
            raise Invalid(self.problems)
        return self.definition


def parse(raw: object) -> WorkflowDefinition:
    """The definition that decoded JSON stands for. Raises Invalid with all problems of its shape."""
    return read(raw).usable()


def read(raw: object) -> Reading:
    """Read as much of the definition as possible, and list what is wrong with the shape of the rest."""
    too_large = _problem_of_size(raw)
    if too_large:
        return Reading(None, (too_large,))
    try:
        definition = WorkflowDefinition.model_validate(raw)
    except ValidationError as error:
        return _read_in_part(raw, error)
    return Reading(
        definition, tuple(_problems_of_tree(definition)), unidentified_steps=frozenset(_find_repeated_ids(definition))
    )


def _read_in_part(raw: object, error: ValidationError) -> Reading:
    found = located(error)
    problems = [Problem(pointer(path), message) for path, message in found]
    repair = Repair(raw)
    definition = _repair_definition(repair, [path for path, _ in found]) if len(found) <= MAX_PROBLEMS else None
    if definition is None:
        return Reading(None, tuple(problems))
    removed = frozenset(map(pointer, repair.removed))
    unidentified_steps = {
        *_find_repeated_ids(definition),
        *_find_unidentified_ids(raw, repair.removed),
        *_find_unidentified_numbers(raw, definition),
    }
    return Reading(definition, (*problems, *_problems_of_tree(definition)), removed, frozenset(unidentified_steps))


def _repair_definition(repair: Repair, wrong: list[tuple[Part, ...]]) -> WorkflowDefinition | None:
    """None where nothing is left, or too much of it."""
    for _ in range(_MOST_REPAIRS):
        if not repair.remove(wrong):
            return None
        try:
            return WorkflowDefinition.model_validate(repair.raw)
        except ValidationError as error:  # what was required is missing now
            wrong = [path for path, _ in located(error)]
    return None


def _find_unidentified_ids(raw: Any, removed: set[tuple[Part, ...]]) -> Iterator[str]:
    """Ids of actions that are left out, or that have lost their id, type or config."""
    holders = {path[:-1] for path in removed if path[-1] in ("id", "type", "config")}
    for path, action in actions_in(raw.get("actions")):
        left_out = any(path[:length] in removed for length in range(1, len(path) + 1))
        if isinstance(action.get("id"), str) and (left_out or path in holders):
            yield action["id"]


def _find_unidentified_numbers(raw: Any, definition: WorkflowDefinition) -> Iterator[str]:
    """All positional names where a list of actions is left out: the actions after it are numbered differently."""
    if sum(1 for _ in members_in(raw.get("actions"))) != sum(1 for _ in located_actions(definition.actions)):
        yield from (f"step_{number}" for number in range(MAX_ACTIONS))


def _find_repeated_ids(definition: WorkflowDefinition) -> Iterator[str]:
    ids = Counter(found.own_id for found in located_actions(definition.actions))
    return (identifier for identifier, times in ids.items() if identifier is not None and times > 1)


def _problem_of_size(raw: object) -> Problem | None:
    """Find what makes a definition too large to be read any further, if anything does."""
    deep = _deeper_than(MAX_DEPTH, raw)
    if deep is not None:
        return Problem(pointer(deep), sentence("objects and lists may be nested %(most)s levels deep", most=MAX_DEPTH))
    try:
        size = len(jsonio.dumps(raw))
    except TypeError as error:
        return Problem("", sentence("cannot be written as JSON: %(error)s", error=message_of(error)))
    if size > MAX_BYTES:
        return Problem(
            "",
            sentence(
                "is %(size)s bytes of JSON; at most %(most)s are allowed", size=Count(size), most=Count(MAX_BYTES)
            ),
        )
    if isinstance(raw, dict) and sum(1 for _ in islice(members_in(raw.get("actions")), MAX_ACTIONS + 1)) > MAX_ACTIONS:
        return Problem("/actions", sentence("hold more than %(most)s actions", most=Count(MAX_ACTIONS)))
    return None


def _deeper_than(limit: int, raw: object) -> tuple[Part, ...] | None:
    """The path of a part that is nested too deeply, if there is one."""
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


def _problems_of_tree(definition: WorkflowDefinition) -> list[Problem]:
    """Ids that are used twice, too many actions, and actions that stand too deep."""
    first: dict[str, LocatedAction] = {}
    problems = []
    for found in located_actions(definition.actions):
        if found.index == MAX_ACTIONS:
            problems.append(Problem("/actions", sentence("hold more than %(most)s actions", most=Count(MAX_ACTIONS))))
        if len(found.enclosures) == MAX_NESTING + 1:
            problems.append(
                Problem(pointer(found.path), sentence("actions may be nested %(most)s levels deep", most=MAX_NESTING))
            )
        identifier = found.own_id
        if identifier is None:
            continue
        if identifier in first:
            where = pointer(first[identifier].path)
            problems.append(
                Problem(
                    pointer((*found.path, "id")),
                    sentence("'%(identifier)s' is the id of %(where)s already", identifier=identifier, where=where),
                )
            )
        first.setdefault(identifier, found)
    return problems
