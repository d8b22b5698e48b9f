"""The turn of a step that asks a model within an agent: the tools that the model may call, and what was said before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class Tool:
    """`parameters`: the JSON Schema of its arguments, an object."""

    name: str
    description: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class AgentTurn:
    tools: Sequence[Tool]
    before: Callable[[], Sequence[JsonObject]]
    """The rounds before: of each the `text` of the model and its `calls`, as the step has given them, and `results`,
    each with its `content` and perhaps `failed`. Raises ConnectorError."""
