"""TOOL: what the model of an AGENT may call; it runs its actions for every call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from flowforge.jsonio import JsonObject
from flowforge.language.block import Block, BlockConfig, InnerRoot, Loop
from flowforge.language.bodies import Bodies
from flowforge.language.expressions.template import holds_expression
from flowforge.language.tool_parameters import parameter_names, parameters_schema
from flowforge.sentences import sentence
from flowforge.summaries import first_of


class ToolConfig(BlockConfig):
    """`result` is evaluated for each call, after its last step."""

    literal = frozenset({"description", "parameters", "onCallError"})
    evaluated_inside = frozenset({"result"})

    description: str = Field(
        title="Description",
        description="Purpose of the tool, and when the model should call it",
        min_length=1,
        max_length=4_000,
    )
    parameters: JsonObject = Field(
        default_factory=dict,
        title="Parameters",
        description='What the model has to give: names with what each means, {"city": "Name of the city"}, or a JSON'
        " Schema",
    )
    result: Any = Field(
        None, title="Result", description="What the model gets back; by default the output of the last step"
    )
    on_call_error: Literal["tell", "fail"] = Field(
        "tell",
        title="When a call fails",
        description="tell: the model gets the error as the result, and goes on; fail: the agent fails",
    )

    @field_validator("description", "parameters")
    @classmethod
    def _is_told_as_written(cls, told: Any) -> Any:
        if holds_expression(told):
            raise ValueError(sentence("is told to the model as it is written"))
        return told

    @field_validator("parameters")
    @classmethod
    def _have_a_schema(cls, parameters: JsonObject) -> JsonObject:
        parameters_schema(parameters)
        return parameters


def _names(config: Mapping[str, Any]) -> Collection[str] | None:
    parameters = config.get("parameters") or {}
    return parameter_names(parameters) if isinstance(parameters, dict) else None


BLOCK = Block(
    "TOOL",
    ToolConfig,
    title="Tool",
    help="Does its steps when the model of an Agent calls it, by the name it has in expressions",
    icon="code",
    keywords=("function", "agent", "ai", "tool"),
    summary=first_of("description"),
    bodies=Bodies.ACTIONS,
    loop=Loop(
        noun=sentence("call"),
        title="Each call",
        roots={
            "arguments": InnerRoot(
                "Arguments of the call",
                sentence("they are what a model calls a TOOL with, inside it"),
                is_object=True,
                names=_names,
            )
        },
    ),
    output={
        "count": "how many calls of this round it has answered",
        "failed": "how many of them failed",
        "results": "the `result` of each call, or its `error`",
    },
    can_be_pinned=False,
    is_tool=True,
)
