"""The declaration of a block.

A block is a step that the engine itself carries out: it steers, waits, calls another workflow, or answers the caller.
Each file of flowforge/language/blocks declares one, as `BLOCK`; flowforge/execution/blocks holds, under the same name,
what it does in an execution. All other types of steps are connectors'.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from flowforge.form_view import FormView
from flowforge.jsonio import JsonObject
from flowforge.language.bodies import Bodies
from flowforge.language.pointers import dotted
from flowforge.language.text_fields import TextFields
from flowforge.language.wording import located
from flowforge.summaries import NO_SUMMARY, Summary


class ConfigUnusable(ValueError):
    """The config of a block, its expressions resolved, is not what the block needs; the text names the fields."""


class BlockConfig(TextFields):
    """Base of the configs: camelCase outside, unknown keys ignored, any value taken for text.

    A config is validated twice: as it is written, where a field may hold an expression, and with its expressions
    resolved, when the step is due.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    literal: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold no expression: they are read before there is anything to compute it from."""
    evaluated_inside: ClassVar[frozenset[str]] = frozenset()
    """Fields whose expressions are evaluated at the end of each run of the block's `actions`, and see what is in it."""
    conditions: ClassVar[frozenset[str]] = frozenset()
    """Fields that hold a condition: an expression of which only counts whether it holds."""


class NoConfig(BlockConfig):
    """The config of a block that only has bodies."""


@dataclass(frozen=True, slots=True)
class InnerRoot:
    """A root of expressions that exists only inside a loop, such as `item`."""

    title: str
    """Its name in the data picker."""
    hint: str
    """Its meaning, for the message where it is used elsewhere."""
    is_object: bool = False
    """Whether its value is an object; else it may be anything."""
    made_of: frozenset[str] = frozenset()
    """Roots from around the loop that its value is made of."""
    names: Callable[[Mapping[str, Any]], Collection[str] | None] | None = None
    """The names of its fields, by the config of the block; None where it may have any."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Names of one run of the `actions` of a block that repeats them, and the roots inside it."""

    noun: str
    """The word for one run: `item`."""
    title: str
    """The heading above the actions: `For each item`."""
    roots: Mapping[str, InnerRoot]
    is_made_for_item: bool = True
    """Whether each run is made for an item, by which people know it; else they know it by its result."""
    reads_pages: bool = False
    """Whether the first action of each run reads one page of a list, the one after `page.after`."""
    offers_tools: bool = False
    """Whether the first action of each run is offered the tools among the actions, and may call them."""


C = TypeVar("C", bound=BlockConfig)
Model = type[C]


@dataclass(frozen=True)
class Block(Generic[C]):
    """One block: its config, its bodies, and its texts for people."""

    type: str
    """The type of its steps, in capitals."""
    config: Model[C]
    title: str
    help: str
    icon: str
    """A symbol of static/icons.svg."""
    keywords: tuple[str, ...] = ()
    """Other words for it, by which it is found."""
    summary: Summary = NO_SUMMARY
    """The line that sums it up on its card."""
    bodies: Bodies = Bodies.NONE
    begins_with: str | None = None
    """The type of the action that a new one in the builder begins with."""
    loop: Loop | None = None
    """Set where, and only where, `bodies` is ACTIONS."""
    output: Mapping[str, str] = field(default_factory=dict)
    """The fields of its output, and what each is; empty where nothing can follow that takes them."""
    is_tool: bool = False
    """Whether it only has a meaning as an action of a loop that offers tools, where the first action may call it."""
    can_be_pinned: bool = True
    """Whether an output may stand for it. Not where what it does is more than its output."""
    workflow_field: str | None = None
    """The field of its config that names a workflow it calls, by id."""
    can_be_rejected: Callable[[Mapping[str, Any]], bool] = lambda config: False
    """Whether with that config, as it is written, a person may refuse what it waits for."""
    can_be_resumed: Callable[[Mapping[str, Any]], bool] = lambda config: False
    """Whether with that config, as it is written, it waits for a call or a person."""

    form_view: FormView | None = None
    """The fields that people fill in, where others are stored."""

    def __post_init__(self) -> None:
        if (self.loop is not None) is not (self.bodies is Bodies.ACTIONS):
            raise ValueError(f"{self.type}: `loop` belongs to a block with `actions`")

    @property
    def inner_roots(self) -> Mapping[str, InnerRoot]:
        """The roots that exist only inside it."""
        return self.loop.roots if self.loop else {}

    def parse(self, config: Mapping[str, Any]) -> C:
        """The config with its expressions resolved. Raises ConfigUnusable."""
        try:
            return self.config.model_validate(config)
        except ValidationError as error:
            problems = "; ".join(f"{dotted(path)} {sentence}".strip() for path, sentence in located(error))
            raise ConfigUnusable(f"the config of {self.type} cannot be used: {problems}") from error

    def config_schema(self) -> JsonObject:
        """JSON Schema of its config."""
        schema = self.config.model_json_schema(by_alias=True)
        for name in self.config.literal & schema["properties"].keys():
            schema["properties"][name]["noExpressions"] = "is taken as it is written"
        for name in self.config.conditions & schema["properties"].keys():
            schema["properties"][name]["condition"] = True
        return schema
