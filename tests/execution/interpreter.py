"""What a workflow means, as plainly as it can be said: a recursion over the written actions, without plan, frames,
messages or time. The machine has to come to the same end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flowforge.execution.state import Status

Action = dict[str, Any]
Path = tuple[int, ...]
"""Positions of the items and rounds around a step, the outermost first."""
Outcome = Callable[[int, Path], str | None]
"""Why a step fails for good (None: it does not), by its number and path."""


class Failed(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        self.error = error


class Stopped(Exception):
    def __init__(self, error: dict[str, Any] | None, result: Any) -> None:
        self.error, self.result = error, result


@dataclass
class Ending:
    status: Status
    error: dict[str, Any] | None
    result: Any
    outputs: dict[str, Any] = field(default_factory=dict)


def number_actions(actions: list[Action], count: int = 0) -> int:
    """Gives every action its number, in the order in which they are written."""
    for action in actions:
        action["number"], count = count, count + 1
        for branch in action.get("branches", []):
            count = number_actions(branch["actions"], count)
        for key in ("else", "actions", "onError"):
            if isinstance(action.get(key), list):
                count = number_actions(action[key], count)
    return count


def pin_actions(actions: list[Action], numbers: set[int]) -> dict[str, Any]:
    """Pins an output to those of the numbered actions that can have one; what is pinned, by id."""
    pins: dict[str, Any] = {}
    for action in actions:
        if action["number"] in numbers and action["type"] in ("ACTION", "FOR_EACH"):
            action["pinned"] = pins[f"step_{action['number']}"] = {"pinned": action["number"]}
        for branch in action.get("branches", []):
            pins |= pin_actions(branch["actions"], numbers)
        for key in ("else", "actions", "onError"):
            if isinstance(action.get(key), list):
                pins |= pin_actions(action[key], numbers)
    return pins


def interpret(actions: list[Action], outcome: Outcome) -> Ending:
    number_actions(actions)
    outputs: dict[str, Any] = {}
    try:
        result = _List(outcome, (), outputs).run(actions)
    except Failed as failed:
        return Ending(Status.FAILED, failed.error, None, outputs)
    except Stopped as stopped:
        status = Status.COMPLETED if stopped.error is None else Status.FAILED
        return Ending(status, stopped.error, stopped.result, outputs)
    return Ending(Status.COMPLETED, None, result, outputs)


@dataclass
class _List:
    """Runs lists of actions that share their outputs."""

    outcome: Outcome
    path: Path
    outputs: dict[str, Any]

    def run(self, actions: list[Action]) -> Any:
        """The output of the last action that gave one."""
        last = None
        for action in actions:
            given = self._step(action)
            last = last if given is None else given
        return last

    def _step(self, action: Action) -> Any:
        if action.get("enabled") is False or action.get("when") is False:
            return None
        try:
            return self._done(action)
        except Failed as failed:
            return self._handled(action, failed.error)

    def _handled(self, action: Action, error: dict[str, Any]) -> Any:
        handling = action.get("onError", "fail")
        if handling == "fail":
            raise Failed(error)
        output = self._record(action, {"error": error})
        inner = self.run(handling) if isinstance(handling, list) else None
        return output if inner is None else inner

    def _done(self, action: Action) -> Any:
        kind = action["type"]
        if "pinned" in action:
            return self._record(action, action["pinned"])
        if kind == "BRANCH":
            return self._branch(action)
        if kind == "FOR_EACH":
            return self._for_each(action)
        if kind == "REPEAT":
            return self._repeat(action)
        if kind == "PARALLEL":
            return self._parallel(action)
        if kind == "STOP":
            failed = action["config"]["status"] == "failed"
            raise Stopped(self._error(action, "stopped") if failed else None, None)
        reason = self.outcome(action["number"], self.path)
        if reason is not None:
            raise Failed(self._error(action, reason))
        return self._record(action, {"at": [action["number"], *self.path]})

    def _branch(self, action: Action) -> Any:
        ways = [(f"branch {number + 1}", way["when"], way["actions"]) for number, way in enumerate(action["branches"])]
        ways += [("else", True, action["else"])] if "else" in action else []
        taken = next((way for way in ways if way[1]), (None, True, []))
        output = self._record(action, {"branch": taken[0]})
        inner = self.run(taken[2])
        return output if inner is None else inner

    def _for_each(self, action: Action) -> Any:
        results, failed = [], 0
        for position in range(len(action["config"]["items"])):
            try:
                results.append(_List(self.outcome, (*self.path, position), {}).run(action.get("actions", [])))
            except Failed as error:
                if action["config"]["onItemError"] == "stop":
                    raise
                failed += 1
                results.append({"error": error.error})
        return self._record(action, {"count": len(results), "failed": failed, "results": results})

    def _repeat(self, action: Action) -> Any:
        """Until the round that `rounds` says; each hands on the sum of the numbers so far."""
        config, count, carry, last, done = action["config"], 0, 0, None, False
        while not done and count < config["most"]:
            last = _List(self.outcome, (*self.path, count), {}).run(action["actions"])
            count += 1
            carry, done = carry + count, count >= config["rounds"]
        if not done and config["onMost"] == "fail":
            number = action["number"]
            raise Failed(
                self._error(
                    action,
                    f"step 'step_{number}': `until` did not hold within {count} round{'' if count == 1 else 's'}",
                )
            )
        return self._record(action, {"count": count, "done": done, "last": last, "carry": carry})

    def _parallel(self, action: Action) -> Any:
        lanes = [_List(self.outcome, self.path, {}) for _ in action["branches"]]
        given: dict[str, Any] = {}
        errors = []
        for number, (lane, branch) in enumerate(zip(lanes, action["branches"], strict=True)):
            try:
                given[f"branch {number + 1}"] = lane.run(branch["actions"])
            except Failed as failed:
                errors.append(failed)
        if errors:
            raise errors[0]
        for lane in lanes:
            self.outputs.update(lane.outputs)
        return self._record(action, {"branches": given})

    def _record(self, action: Action, output: Any) -> Any:
        self.outputs[f"step_{action['number']}"] = output
        return output

    def _error(self, action: Action, message: str) -> dict[str, Any]:
        return {"stepIndex": action["number"], "message": message}
