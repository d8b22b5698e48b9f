"""Steps that an executor had no room for: their workflows take turns, and keep their order."""

from __future__ import annotations

from uuid import UUID

import pytest

from flowforge.db import attempts_store
from flowforge.db.attempts_store import ParkedAttempt, WantedAttempt
from flowforge.engine.orchestrator import Orchestrator
from flowforge.workflows.views import WorkflowView
from tests.actions import transform
from tests.engine.pipeline import Pipeline, working
from tests.waiting import eventually


@pytest.fixture
def workflows(pipeline: Pipeline) -> list[WorkflowView]:
    """In the order of their ids."""
    made = [pipeline.workflow(transform(a=1), name=f"w{number}") for number in range(3)]
    return sorted(made, key=lambda workflow: workflow.id)


def queue(pipeline: Pipeline, *workflows: WorkflowView) -> list[UUID]:
    """Steps that are queued, one after the other; the ids of their executions."""
    ids = []
    with working(pipeline.backends, Orchestrator):
        for workflow in workflows:
            ids.append(pipeline.started(pipeline.accept(workflow.id).event_id).id)
    return ids


def park(pipeline: Pipeline, *execution_ids: UUID) -> None:
    for execution_id in execution_ids:
        pipeline.change_attempts("parked = true", execution_id)


def find(
    pipeline: Pipeline, *, limit: int, each: int = 10, after: UUID | None = None, full: tuple[UUID, ...] = ()
) -> list[ParkedAttempt]:
    with pipeline.backends.engine.begin() as connection:
        return attempts_store.find_parked(connection, full=full, after=after, each=each, limit=limit)


def claim(pipeline: Pipeline, *execution_ids: UUID, in_order: bool = True) -> list[UUID]:
    wanted = [WantedAttempt(id_, 0, 0, 1, begins=True) for id_ in execution_ids]
    with pipeline.backends.engine.begin() as connection:
        claims = attempts_store.claim(connection, wanted, owner="e", lease=10, in_order=in_order)
    return [claim.key.execution_id for claim in claims]


class TestTurns:
    def test_each_workflow_has_one_before_any_has_a_second_one(
        self, pipeline: Pipeline, workflows: list[WorkflowView]
    ) -> None:
        first, second, third = workflows
        ids = queue(pipeline, first, first, first, second, third, third)
        park(pipeline, *ids)
        found = find(pipeline, limit=5)
        assert [ids.index(one.execution_id) for one in found] == [0, 3, 4, 1, 5]

    def test_those_come_first_that_follow_the_last_one_served(
        self, pipeline: Pipeline, workflows: list[WorkflowView]
    ) -> None:
        park(pipeline, *queue(pipeline, *workflows, *workflows))
        served: list[UUID] = []
        for _ in range(4):
            served += [one.workflow_id for one in find(pipeline, limit=1, after=served[-1] if served else None)]
        first, second, third = (workflow.id for workflow in workflows)
        assert served == [first, second, third, first]

    def test_a_workflow_that_is_full_is_passed_over(self, pipeline: Pipeline, workflows: list[WorkflowView]) -> None:
        park(pipeline, *queue(pipeline, *workflows))
        full = (workflows[0].id, workflows[1].id)
        assert [one.workflow_id for one in find(pipeline, limit=1, full=full)] == [workflows[2].id]

    def test_no_workflow_gets_more_than_its_share(self, pipeline: Pipeline, workflows: list[WorkflowView]) -> None:
        park(pipeline, *queue(pipeline, *[workflows[0]] * 4, workflows[1]))
        assert len(find(pipeline, limit=10, each=2)) == 3


class TestOrder:
    def test_a_new_step_does_not_overtake_a_parked_one_of_its_workflow(
        self, pipeline: Pipeline, workflows: list[WorkflowView]
    ) -> None:
        older, newer, other = queue(pipeline, workflows[0], workflows[0], workflows[1])
        park(pipeline, older)
        assert claim(pipeline, newer, other) == [other]
        assert [one.execution_id for one in find(pipeline, limit=10)] == [older, newer]

    def test_an_older_step_does_not_wait_for_a_newer_one(
        self, pipeline: Pipeline, workflows: list[WorkflowView]
    ) -> None:
        older, newer = queue(pipeline, workflows[0], workflows[0])
        park(pipeline, newer)
        assert claim(pipeline, older) == [older]

    def test_what_is_taken_in_its_turn_is_not_parked_again(
        self, pipeline: Pipeline, workflows: list[WorkflowView]
    ) -> None:
        ids = queue(pipeline, workflows[0], workflows[0])
        park(pipeline, *ids)
        assert set(claim(pipeline, *ids, in_order=False)) == set(ids)

    def test_everything_is_done_in_the_end(self, pipeline: Pipeline, workflows: list[WorkflowView]) -> None:
        with working(pipeline.backends, Orchestrator):
            events = [pipeline.accept(workflow.id) for workflow in workflows * 20]
            eventually(lambda: all(pipeline.execution(event.event_id) for event in events))
        park(pipeline, *[row.id for event in events[:30] if (row := pipeline.execution(event.event_id))])
        with working(pipeline.backends):
            assert {pipeline.finished(event.event_id).status for event in events} == {"COMPLETED"}
