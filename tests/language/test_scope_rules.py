"""Which outputs are known at a place: as `check` judges it for what is whole, also in what is half written."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.pointers import pointer
from flowforge.language.scope_rules import earlier, written_steps

Action = dict[str, Any]


@st.composite
def lists(draw: st.DrawFn, depth: int = 2, most: int = 3) -> list[Action]:
    return [draw(actions(depth)) for _ in range(draw(st.integers(0, most)))]


@st.composite
def actions(draw: st.DrawFn, depth: int) -> Action:
    kind = draw(st.sampled_from(["TRANSFORM", *(["BRANCH", "FOR_EACH", "PARALLEL"] if depth else [])]))
    made: Action = {"type": kind}
    if kind == "BRANCH":
        ways = draw(st.integers(1, 2))
        made["branches"] = [{"when": True, "actions": draw(lists(depth - 1, 2))} for _ in range(ways)]
        made["else"] = draw(lists(depth - 1, 1))
    elif kind == "PARALLEL":
        made["branches"] = [{"actions": draw(lists(depth - 1, 2))} for _ in range(2)]
    elif kind == "FOR_EACH":
        made |= {"config": {"items": []}, "actions": draw(lists(depth - 1, 2))}
    if depth and draw(st.integers(0, 2)) == 0:
        made["onError"] = draw(lists(depth - 1, 1))
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(lists(depth=3))
def test_what_is_seen_is_what_may_be_referred_to(program: list[Action]) -> None:
    steps = written_steps({"actions": program})
    for step in steps:
        used = {f"use_{other.index}": f"{{{{ steps.{other.key}.x }}}}" for other in steps}
        step.action["config"] = {**step.action.get("config", {}), **used}
    refused = {problem.pointer for problem in check(parse({"name": "w", "actions": program}))}
    for here in steps:
        allowed = {s.index for s in steps if pointer((*here.path, "config", f"use_{s.index}")) not in refused}
        assert {step.index for step in earlier(steps, here.path)} == allowed, pointer(here.path)


def test_places_and_actions_that_make_no_sense_see_nothing() -> None:
    steps = written_steps({"actions": [None, "text", {"type": 7, "id": [], "config": "x", "branches": {"a": 1}}]})
    [odd] = steps
    assert (odd.id, odd.type, odd.config) == ("step_0", "7", {})
    for path in ((), ("actions",), ("x", 1), ("actions", 0, "branches"), (1, 2, 3)):
        assert earlier(steps, path) == []
