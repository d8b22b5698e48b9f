"""AGENT in an execution: a frame for every round, opened when the one before is over.

In each round its first step asks the model, and the tools behind it carry out what it calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flowforge import jsonio
from flowforge.execution.block import Following, LoopInTurn, Machine
from flowforge.execution.state import EndedFrame, Frame, OpenBlock
from flowforge.execution.tool_calls import answer_of, calls_of
from flowforge.jsonio import JsonObject
from flowforge.language.block import ConfigUnusable
from flowforge.language.blocks.agent import AgentConfig
from flowforge.language.plan import Step

LONGEST_RESULT = 50_000
"""Characters of the result of a call that the model is told."""
_PLACES_OF_COST = 9
_NOT_RUN = "the tool has not run"


class Agent(LoopInTurn):
    """The block remembers how many rounds there may be (`most`), what was said in the rounds that are over (`before`),
    what they took (`usage`), and the last answer."""

    name = "AGENT"

    def enter(self, machine: Machine, frame: Frame, step: Step) -> Following:
        if not step.bodies or step.bodies[0].first is None:
            raise ConfigUnusable("there is no action that asks a model")
        config: AgentConfig = machine.config(frame, step)
        memory: JsonObject = {"most": config.max_rounds, "before": [], "usage": {}, "answer": {}}
        return machine.open_block(frame, step, [None], at_once=1, reserved=config.max_rounds, memory=memory)

    def roots(self, frame: Frame, block: OpenBlock) -> JsonObject:
        return {"agent": {"round": frame.position + 1, "before": (block.memory or {}).get("before", [])}}

    def position(self, frame: Frame) -> dict[str, int]:
        return {"round": frame.position + 1}

    def result(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock) -> Any:
        answer, memory = answer_of(frame, self.body(step, frame).steps[0]), block.memory or {}
        memory = {**memory, "answer": _said(answer), "usage": _added(memory["usage"], answer.get("usage"))}
        if answer["calls"]:
            if block.total >= memory["most"]:
                raise ConfigUnusable(f"the model still calls tools in round {block.total:,}, the last one (maxRounds)")
            results = self._results(frame, step, answer)
            exchange = {"text": answer.get("text"), "calls": answer["calls"], "results": results}
            memory["before"] = [*memory["before"], exchange]
            machine.add_frame(block, None)
        block.memory = machine.keepable(memory, "the conversation with the model")
        return {**memory["answer"], "calls": [_called(call) for call in answer["calls"]]}

    def output(self, machine: Machine, frame: Frame, step: Step, block: OpenBlock, ended: Sequence[EndedFrame]) -> Any:
        memory = block.memory or {}
        calls = [_called(call) for exchange in memory["before"] for call in exchange["calls"]]
        return {**memory["answer"], "rounds": block.ended, "calls": calls, "usage": memory["usage"]}

    def _results(self, frame: Frame, step: Step, answer: JsonObject) -> list[JsonObject]:
        """What the model is told of each of its calls, in their order."""
        told = {id(call): result for tool in step.bodies[0].steps for call, result in _answered(frame, tool, answer)}
        return [told.get(id(call)) or _failed(call.get("problem") or _NOT_RUN) for call in answer["calls"]]


def _answered(frame: Frame, tool: Step, answer: JsonObject) -> Iterator[tuple[JsonObject, JsonObject]]:
    """The calls of a tool, each with what the model is told of it."""
    output = frame.outputs.get(tool.key)
    results = output.get("results") if tool.block and tool.block.is_tool and isinstance(output, Mapping) else None
    for call, result in zip(calls_of(answer, tool), results or (), strict=False):
        error = result.get("error")
        yield call, _failed(str(error.get("message"))) if error else {"content": _told(result.get("result"))}


def _failed(message: str) -> JsonObject:
    return {"content": _told(message), "failed": True}


def _told(value: Any) -> str:
    """A value as the model is told it: a text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else jsonio.dumps(value).decode()
    if len(text) <= LONGEST_RESULT:
        return text
    return f"{text[:LONGEST_RESULT]}\n… (cut off: these are the first {LONGEST_RESULT:,} of {len(text):,} characters)"


def _said(answer: JsonObject) -> JsonObject:
    return {name: answer[name] for name in ("text", "json") if name in answer}


def _called(call: JsonObject) -> JsonObject:
    return {"name": call.get("name"), "arguments": call.get("arguments")}


def _added(usage: Mapping[str, Any], more: Any) -> JsonObject:
    """The sums of what rounds took, by name."""
    counted = {name: count for name, count in more.items() if isinstance(count, int | float)} if more else {}
    return {**usage, **{name: _sum(usage.get(name, 0), count) for name, count in counted.items()}}


def _sum(before: float, more: float) -> float:
    return before + more if isinstance(more, int) else round(before + more, _PLACES_OF_COST)


BEHAVIOUR = Agent()
