"""Calls of tools, as the answer of a model holds them: `calls` in the output of the step that has asked it.

Each has an `id`, the `name` of the tool and its `arguments`, and a `problem` where it cannot be carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowforge.execution.state import Frame
from flowforge.jsonio import JsonObject
from flowforge.language.block import ConfigUnusable
from flowforge.language.expressions.unknown_values import Undecided, Unknown
from flowforge.language.plan import Step

MOST_CALLS = 100
"""Calls of tools in one answer."""


def answer_of(frame: Frame, asking: Step) -> JsonObject:
    """The output of the step that asks the model. Raises ConfigUnusable, and Undecided where it is unknown."""
    answer = frame.outputs.get(asking.key)
    unknown = answer if isinstance(answer, Unknown) else answer.get("calls") if isinstance(answer, Mapping) else None
    if isinstance(unknown, Unknown):
        raise Undecided(unknown)
    if isinstance(answer, Mapping) and "error" in answer:
        raise ConfigUnusable(f"'{asking.id}' has failed, so that the model has not answered")
    if not isinstance(answer, Mapping) or not _are_calls(answer.get("calls")):
        raise ConfigUnusable(f"'{asking.id}' has asked no model that can call tools: let it be an LLM step")
    count = len(answer["calls"])
    if count > MOST_CALLS:
        raise ConfigUnusable(f"the model calls {count:,} tools at once; at most {MOST_CALLS} are allowed")
    return dict(answer)


def _are_calls(calls: Any) -> bool:
    return isinstance(calls, list) and all(isinstance(call, Mapping) and _is_call(call) for call in calls)


def _is_call(call: Mapping[str, Any]) -> bool:
    return isinstance(call.get("name"), str) and isinstance(call.get("arguments") or {}, Mapping)


def calls_of(answer: Mapping[str, Any], tool: Step) -> Sequence[JsonObject]:
    """The calls of one tool, in their order, that can be carried out."""
    return [call for call in answer["calls"] if call.get("name") == tool.id and not call.get("problem")]
