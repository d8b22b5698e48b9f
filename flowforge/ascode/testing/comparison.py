"""Comparison of a scenario's expectations with the outcome of its play."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from flowforge.ascode.testing.matching import MISSING, Mismatch, mismatches
from flowforge.ascode.testing.playing import Played
from flowforge.ascode.testing.scenario import Expectation


def compare(expect: Expectation, played: Played, looped: Collection[str]) -> Iterator[Mismatch]:
    """Yield a mismatch for every expectation that is not met.

    `looped` names the steps inside loops, whose outputs, calls and branches are lists: one entry an item.
    """

    def of(found: dict[str, list[Any]], name: str) -> Any:
        if name in looped:
            return found.get(name, [])
        return found.get(name, [MISSING])[-1]

    if expect.expected_status != played.status:
        yield Mismatch(("status",), expect.expected_status, played.status)
    if expect.error is not None or played.status != expect.expected_status:
        yield from _compare_error(expect, played)
    for part in ("result", "response"):
        if expect.expects(part):
            yield from mismatches(getattr(expect, part), getattr(played, part), (part,))
    for name, output in expect.outputs.items():
        yield from mismatches(output, of(played.outputs, name), ("outputs", name))
    for name, call in expect.calls.items():
        yield from mismatches(call, of(played.calls, name), ("calls", name))
    for name, branch in expect.branches.items():
        yield from mismatches(branch, _branches(of(played.outputs, name)), ("branches", name))
    for index, name in enumerate(expect.ran):
        if name not in played.ran:
            yield Mismatch(("ran", index), name, sorted(played.ran))
    for index, name in enumerate(expect.skipped):
        if name in played.ran:
            yield Mismatch(("skipped", index), f"not {name}", name)


def _compare_error(expect: Expectation, played: Played) -> Iterator[Mismatch]:
    """Compare the error; one that was not expected is a mismatch as well."""
    found = played.error or {}
    if expect.error is None:
        if played.error is not None:
            yield Mismatch(("error",), MISSING, {key: found[key] for key in ("step", "message") if key in found})
        return
    message = found.get("message", MISSING)
    if expect.error.message is not None and expect.error.message not in str(message):
        yield Mismatch(("error", "message"), expect.error.message, message)
    if expect.error.step is not None and expect.error.step != found.get("step"):
        yield Mismatch(("error", "step"), expect.error.step, found.get("step", MISSING))


def _branches(output: Any) -> Any:
    if isinstance(output, list):
        return [_branches(item) for item in output]
    return output.get("branch") if isinstance(output, dict) else output
