"""A preview says what a run does: all of it where every output is known, and nothing else where some are not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.db.tables import WorkflowVersion
from flowforge.execution.commands import StartStep
from flowforge.execution.context import scope
from flowforge.execution.machine import Run
from flowforge.execution.retry import Failure
from flowforge.execution.simulator import Due, Simulation
from flowforge.execution.state import ROOT, FrameStatus, Status, StepEnded
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.expressions.unknown_values import UncertainOutput, Unknown
from flowforge.language.plan import Plan, Step, compile_plan
from flowforge.preview.known_outputs import KnownOutputs
from flowforge.preview.preview_run import PreviewRun
from flowforge.preview.walk import Walk
from flowforge.wiring import Backends
from tests.engine.pipeline import Pipeline, working
from tests.preview.programs import Action, Json, catalog, outputs, programs

FramePath = tuple[tuple[int, int], ...]
"""(index of the block, position) of the frames around, the outermost first."""
TRIGGER = {"n": 1}
CATALOG = catalog()


class RealRun:
    """A run in which each CALL gives what is said, and what its steps saw and were given."""

    def __init__(self, plan: Plan, given: dict[str, Json]) -> None:
        self._given = given
        self.scopes: dict[tuple[FramePath, int], Any] = {}
        self.configs: dict[tuple[FramePath, int], Any] = {}
        self.simulation = Simulation(plan, TRIGGER)
        self.simulation.play(self._end)

    def _end(self, due: Due) -> StepEnded:
        step, iteration = due.step, due.what.iteration
        if not isinstance(due.what, StartStep):
            return StepEnded(step.index, due.attempt, iteration)
        at = (path_of(self.simulation.run, iteration), step.index)
        self.scopes[at] = due.scope
        try:
            self.configs[at] = resolve(step.config, due.scope, step=step.id, field="config")
        except ExpressionError as error:
            return StepEnded(step.index, due.attempt, iteration, failure=Failure(str(error), permanent=True))
        output = self.configs[at]["output"] if step.type == "TRANSFORM" else self._given[step.id]
        return StepEnded(step.index, due.attempt, iteration, output)


def path_of(run: Run, number: int) -> FramePath:
    frame = run.frames[number]
    if frame.block is None:
        return ()
    return (*path_of(run, frame.block[0]), (frame.block[1], frame.position))


def outputs_by_frame(run: Run) -> dict[FramePath, Any]:
    return {path_of(run, number): frame.outputs for number, frame in run.frames.items()}


def walk(plan: Plan, known: dict[str, Json], target: Step | None = None, *, as_run: bool = False) -> Walk:
    run = PreviewRun.begun(plan, TRIGGER, {})
    pinned = {step.id: known[step.id] for step in plan.steps if step.type == "CALL" and step.id in known}
    return Walk(CATALOG, run, KnownOutputs(pinned), seconds=60, target=target, as_run=as_run).go()


def in_first_round(at: tuple[FramePath, int], plan: Plan) -> bool:
    """Whether the step was in the first item of every loop around it."""
    return all(position == 0 or len(block(plan, index).bodies) > 1 for index, position in at[0])


def block(plan: Plan, index: int) -> Step:
    step = plan.step(index)
    assert step is not None
    return step


def compiled(program: list[Action]) -> Plan:
    return compile_plan({"actions": program}, templated=True)


def failed(run: RealRun) -> bool:
    """By an error, rather than by a STOP."""
    return run.simulation.status is Status.FAILED and run.simulation.error["message"] != "stopped"  # type: ignore[index]


def failed_items(run: Run) -> dict[FramePath, set[str]]:
    """The frames that ended by an error, behind which a dry run goes on; and the keys of the blocks around it."""
    failed = {number: frame for number, frame in run.frames.items() if frame.status is FrameStatus.FAILED}
    return {path_of(run, number): keys_around(block(run.plan, frame.current_step)) for number, frame in failed.items()}


def keys_around(step: Step) -> set[str]:
    """Of the blocks that the step stands in."""
    owner = step.body.owner
    return set() if owner is None else {owner.key, *keys_around(owner)}


def without_hints(value: Any) -> Any:
    """The data, with errors that do not say which names there are: inside a block a run has fewer than a preview."""
    if isinstance(value, dict):
        return {key: without_hints(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_hints(inner) for inner in value]
    return re.split("; (?:there is|did you mean) ", value)[0] if type(value) is str else value


many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(programs(fails=True), outputs())
def test_with_all_outputs_known_a_dry_run_is_the_run(program: list[Action], given: dict[str, Json]) -> None:
    plan = compiled(program)
    run = RealRun(plan, given)
    preview = walk(plan, given, as_run=True)
    if failed(run):  # the dry run goes on behind the error
        assert any(step.preview.error for step in preview.steps.values())
        return
    real, shown = outputs_by_frame(run.simulation.run), outputs_by_frame(preview.run)
    failed_frames = failed_items(run.simulation.run)
    for path, given_outputs in real.items():  # the dry run has more frames: of errors that did not happen
        found = shown[path]
        if path in failed_frames:  # what a block has given before the error inside it, nobody sees
            for key in failed_frames[path]:
                given_outputs.pop(key, None)
            found = {key: found[key] for key in given_outputs}
        assert without_hints(found) == without_hints(given_outputs)
    for at, config in run.configs.items():
        if in_first_round(at, plan):
            assert preview.steps[at[1]].preview.config == config


@many
@given(programs(fails=True), outputs(), st.data())
def test_with_all_outputs_known_the_picker_shows_the_scope_of_the_run(
    program: list[Action], given: dict[str, Json], data: st.DataObject
) -> None:
    plan = compiled(program)
    run = RealRun(plan, given)
    reached = [at for at in run.scopes if in_first_round(at, plan)]
    assume(reached)
    at = data.draw(st.sampled_from(reached))
    context = walk(plan, given, block(plan, at[1])).context
    assert without_hints(scope(plan, context, {})) == without_hints(run.scopes[at])


@many
@given(programs(), outputs(), st.sets(st.integers(0, 39)))
def test_what_is_not_known_is_never_claimed(program: list[Action], given: dict[str, Json], unknown: set[int]) -> None:
    plan = compiled(program)
    run = RealRun(plan, given)
    assume(run.simulation.status is Status.COMPLETED)
    known = {name: output for name, output in given.items() if int(name[1:]) not in unknown}
    preview = walk(plan, known)
    claimed, real = preview.run.frames[ROOT].outputs, run.simulation.outputs
    if preview.stopped_by is None and not any(step.type == "STOP" for step in plan.steps):
        assert claimed.keys() >= real.keys()
    for key, output in claimed.items():
        if isinstance(output, Unknown) or (isinstance(output, UncertainOutput) and key not in real):
            continue
        if any(step.type == "STOP" for step in plan.steps) and key not in real:
            continue
        assert_agrees(output, real[key])


def assert_agrees(claimed: Any, real: Any) -> None:
    """What is known of a value is as it is in the run."""
    if isinstance(claimed, Unknown):
        return
    if isinstance(claimed, dict) and isinstance(real, dict):
        assert claimed.keys() == real.keys()
        for key in claimed:
            assert_agrees(claimed[key], real[key])
    elif isinstance(claimed, list) and isinstance(real, list):
        assert len(claimed) == len(real)
        for one, other in zip(claimed, real, strict=True):
            assert_agrees(one, other)
    else:
        assert claimed == real


@pytest.fixture
def pipeline(backends: Backends) -> Iterator[Pipeline]:
    with working(backends):
        yield Pipeline(backends)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(program=programs(calls=False))
def test_the_engine_gives_what_a_dry_run_shows(pipeline: Pipeline, program: list[Action]) -> None:
    workflow = pipeline.workflow()
    with Session(pipeline.backends.engine) as session:  # not by saving: what refers to nothing would be refused
        session.get_one(WorkflowVersion, workflow.version_id).definition = {"name": "w", "actions": program}
        session.commit()
    execution = pipeline.finished(pipeline.accept(workflow.id, TRIGGER).event_id)
    preview = walk(compiled(program), {}, as_run=True)
    assert jsonio.loads(jsonio.dumps(preview.run.frames[ROOT].outputs)) == execution.step_outputs
