"""Any program, run by executors that fail, repeat and reorder, ends as a plain recursive reading of it says."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowforge.execution.commands import StartStep
from flowforge.execution.retry import Failure
from flowforge.execution.simulator import Due, Simulation
from flowforge.execution.state import StepEnded
from flowforge.language.bodies import BodyKind
from flowforge.language.plan import compile_plan
from tests.execution.interpreter import Action, Path, interpret, number_actions, pin_actions

ATTEMPTS = 3


@st.composite
def actions(draw: st.DrawFn, depth: int = 3, *, alone: bool = True) -> list[Action]:
    return draw(st.lists(action(depth, alone=alone), max_size=4 if depth == 3 else 3))


@st.composite
def action(draw: st.DrawFn, depth: int, *, alone: bool) -> Action:
    """`alone`: nothing else of the execution runs beside it, so that a STOP has one meaning."""
    kinds = ["ACTION", "ACTION", *(["STOP"] if alone and draw(st.integers(0, 4)) == 0 else [])]
    kinds += ["BRANCH", "FOR_EACH", "REPEAT", "PARALLEL"] if depth else []
    kind = draw(st.sampled_from(kinds))
    made: Action = {"type": kind, "config": {"seen": "{{ loop is defined }}"}}
    if kind == "BRANCH":
        made["branches"] = draw(st.lists(way(depth - 1, alone=alone), min_size=1, max_size=2))
        if draw(st.booleans()):
            made["else"] = draw(actions(depth - 1, alone=alone))
    elif kind == "FOR_EACH":
        at_once = draw(st.integers(1, 3))
        ends = draw(st.sampled_from(["stop", "continue"]))
        items = list(range(draw(st.integers(0, 4))))
        made["config"] = {"items": items, "concurrency": at_once, "onItemError": ends}
        made["actions"] = draw(actions(depth - 1, alone=alone and at_once == 1))
    elif kind == "REPEAT":
        made["config"] = draw(repeating())
        made["actions"] = draw(actions(depth - 1, alone=alone))
    elif kind == "PARALLEL":
        lanes = draw(st.lists(actions(depth - 1, alone=False), min_size=1, max_size=3))
        made["branches"] = [{"actions": lane} for lane in lanes]
    elif kind == "STOP":
        made["config"] = {"status": draw(st.sampled_from(["completed", "failed"]))}
    return made | draw(extras(depth, alone=alone))


@st.composite
def repeating(draw: st.DrawFn) -> Action:
    """`rounds` says to the plain reading what `until` says to the machine."""
    rounds = draw(st.integers(1, 4))
    ends = {"until": f"{{{{ round.number >= {rounds} }}}}", "rounds": rounds, "most": draw(st.integers(1, 4))}
    carries = {"start": 0, "carry": "{{ carry + round.number }}"}
    return (
        ends | carries | {"onMost": draw(st.sampled_from(["fail", "continue"])), "delay": draw(st.sampled_from([0, 2]))}
    )


@st.composite
def way(draw: st.DrawFn, depth: int, *, alone: bool) -> Action:
    return {"when": draw(st.booleans()), "actions": draw(actions(depth, alone=alone))}


@st.composite
def extras(draw: st.DrawFn, depth: int, *, alone: bool) -> Action:
    more: Action = {}
    if draw(st.integers(0, 5)) == 0:
        more["when"] = draw(st.booleans())
    if draw(st.integers(0, 7)) == 0:
        more["enabled"] = False
    handling = draw(st.integers(0, 5))
    if handling == 0:
        more["onError"] = "continue"
    elif handling == 1 and depth:
        more["onError"] = draw(actions(depth - 1, alone=alone))
    return more


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_program_ends_as_it_reads(data: st.DataObject) -> None:
    program = data.draw(actions())
    failing = data.draw(st.sets(st.integers(0, 30), max_size=6), label="steps that fail")
    pinned = data.draw(st.sets(st.integers(0, 30), max_size=3), label="steps whose output is pinned")
    chaos = data.draw(st.randoms(use_true_random=False))
    number_actions(program)
    pins = pin_actions(program, pinned)

    def outcome(number: int, path: Path) -> str | None:
        return "broken" if number in failing and (sum(path) + number) % 2 == 0 else None

    expected = interpret(program, outcome)
    simulation = Simulation(compile_plan({"actions": program, "pins": pins}, templated=True), {})
    _play(simulation, outcome, chaos)

    assert simulation.status == expected.status
    assert _plain(simulation.error) == expected.error
    assert simulation.result == _named(expected.result, simulation.result)
    assert {key: _plain(value) for key, value in simulation.outputs.items()} == expected.outputs


def _play(simulation: Simulation, outcome: Any, chaos: Any) -> None:
    """Results come in any order, some of them twice, some of the attempts fail in passing."""
    facts: list[StepEnded] = []
    while simulation.due:
        index = chaos.randrange(len(simulation.due))
        due = simulation.due[index]
        del simulation.due[index]
        fact = _fact(simulation, due, outcome, passing=chaos.random() < 0.2)
        assert simulation.end(fact)
        facts.append(fact)
        if chaos.random() < 0.3:
            again = chaos.choice(facts)
            if not _is_due(simulation, again):
                before = (simulation.status, dict(simulation.outputs), len(simulation.due))
                simulation.end(again)
                assert (simulation.status, dict(simulation.outputs), len(simulation.due)) == before


def _fact(simulation: Simulation, due: Due, outcome: Any, *, passing: bool) -> StepEnded:
    step, iteration = due.step, due.what.iteration
    path = _path(simulation, iteration)
    reason = outcome(step.index, path)
    if not isinstance(due.what, StartStep):
        return StepEnded(step.index, due.attempt, iteration)
    if reason is not None:
        return StepEnded(step.index, due.attempt, iteration, failure=Failure(reason, permanent=True))
    if passing and due.attempt < ATTEMPTS:
        return StepEnded(step.index, due.attempt, iteration, failure=Failure("busy"))
    return StepEnded(step.index, due.attempt, iteration, output={"at": [step.index, *path]})


def _is_due(simulation: Simulation, fact: StepEnded) -> bool:
    return any((due.step.index, due.what.iteration) == (fact.step_index, fact.iteration) for due in simulation.due)


def _path(simulation: Simulation, number: int) -> Path:
    frame = simulation.run.frames[number]
    if frame.block is None:
        return ()
    owner = simulation.plan.step(frame.block[1])
    in_loop = owner is not None and owner.bodies[0].kind is BodyKind.LOOP
    return (*_path(simulation, frame.block[0]), *([frame.position] if in_loop else []))


def _plain(value: Any) -> Any:
    """Without the parts of errors that the interpreter does not tell."""
    if isinstance(value, dict):
        compared = {"stepIndex", "message"} if "stepIndex" in value else value.keys()
        return {key: _plain(inner) for key, inner in value.items() if key in compared}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _named(expected: Any, found: Any) -> Any:
    return found if _plain(found) == expected else expected
