"""A dialect: the way in which a provider of language models, and all that are compatible with it, is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowforge.connectors.llm.conversation import Answer, Conversation, StopReason
from flowforge.connectors.llm.streaming import Streaming
from flowforge.jsonio import JsonObject


@dataclass(frozen=True)
class Dialect:
    """`address`: the provider's own, without a slash at the end."""

    name: str
    title: str
    address: str
    path: Callable[[str], str]
    """Where a model is asked, by its name."""
    body: Callable[[Conversation], JsonObject]
    answer: Callable[[JsonObject], Answer]
    """The answer in the body of a response. Raises KeyError, IndexError, TypeError or AttributeError where it is not
    what the dialect promises."""
    streaming: Streaming
    models_path: str
    models: Callable[[JsonObject], Sequence[str]]
    """The names of the models in the answer of `models_path`; raises like `answer`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    takes_temperature: bool = True


def stop_reason(told: Any, *, length: str, refused: Sequence[str]) -> StopReason:
    """The reason by the provider's word for it; a word that is not known is a whole answer."""
    if told == length:
        return "length"
    return "refused" if told in refused else "end"


def portable(schema: Any) -> Any:
    """A JSON Schema as the providers take it: every object is closed, without limits on numbers, lengths and counts,
    which are checked here.

    https://docs.claude.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations
    """
    if isinstance(schema, list):
        return [portable(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _portable_keyword(name, value) for name, value in schema.items() if name not in _CHECKED_HERE}
    return {**kept, "additionalProperties": False} if "properties" in kept else kept


def _portable_keyword(name: str, value: Any) -> Any:
    if name in _OF_NAMES and isinstance(value, dict):
        return {key: portable(inner) for key, inner in value.items()}
    return value if name in _OF_VALUES else portable(value)


_OF_NAMES = frozenset({"properties", "$defs", "definitions"})
"""Keywords that hold schemas by names that people choose."""
_OF_VALUES = frozenset({"enum", "const", "default", "examples", "required"})
_CHECKED_HERE = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "$schema", "$id"),
    }
)
