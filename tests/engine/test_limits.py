"""Limits of workflows: how many executions run at once, and how many begin within a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from flowforge.db import permits_store, waits_store
from flowforge.db.attempt_rows import AttemptResult
from flowforge.engine.announcements import wait_result
from flowforge.engine.consumer import Received
from flowforge.engine.executor import Executor
from flowforge.engine.orchestrator import Orchestrator
from flowforge.events import TriggerEvent
from flowforge.execution.state import ROOT
from flowforge.wiring import Backends
from flowforge.workflows.changes import WorkflowChange
from flowforge.workflows.views import WorkflowView
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.statements import counting_statements
from tests.waiting import eventually

Action = dict[str, Any]
HOLDS: Action = {"type": "WAIT", "config": {"for": "resume"}}
"""Runs until it is resumed."""


@pytest.fixture
def orchestrator(backends: Backends) -> Orchestrator:
    """Driven by hand: what is given to it at once is one batch."""
    return Orchestrator(backends)


def at_once(limit: int, **more: Any) -> dict[str, Any]:
    return {"concurrency": {"limit": limit, **more}}


def come(
    pipeline: Pipeline, orchestrator: Orchestrator, workflow: WorkflowView, *payloads: dict[str, Any]
) -> list[UUID]:
    """Events that the orchestrator meets as one batch."""
    events = [pipeline.accept(workflow.id, payload) for payload in payloads]
    orchestrator.handle([received(event.event_id, workflow.id, event.payload) for event in events])
    return [event.event_id for event in events]


def received(event_id: UUID, workflow_id: UUID, payload: dict[str, Any]) -> Received:
    message = TriggerEvent(
        event_id=event_id,
        workflow_id=workflow_id,
        user_id=OWNER,
        trigger_type="webhook",
        timestamp=datetime.now(UTC),
        payload=payload,
    )
    return Received(None, message)  # type: ignore[arg-type]


def end(pipeline: Pipeline, orchestrator: Orchestrator, events: Sequence[UUID], *, dies: bool = False) -> None:
    """Ends executions that wait, all in one batch of the orchestrator; then gives their slots away, unless it dies."""
    rows = [row for event in events if (row := pipeline.execution(event)) is not None]
    with pipeline.backends.engine.begin() as connection:
        ended = waits_store.end_waits(connection, [first_step_done(row.id) for row in rows])
    orchestrator.handle([Received(None, wait_result(wait)) for wait in ended])  # type: ignore[arg-type]
    if not dies:
        give_slots_away(orchestrator)


def first_step_done(execution_id: UUID) -> AttemptResult:
    return AttemptResult(execution_id, 0, ROOT, 1, succeeded=True, output={})


def give_slots_away(orchestrator: Orchestrator) -> None:
    """Lets executions begin in the slots that were freed, without looking for anything that is due."""
    orchestrator._next_look = float("inf")
    while orchestrator.patience == 0.0:
        orchestrator.tick()


def look(orchestrator: Orchestrator) -> None:
    """What the clock brings, and what follows from that."""
    orchestrator._next_look = 0.0
    orchestrator.tick()
    give_slots_away(orchestrator)


def time_passes(pipeline: Pipeline, seconds: float) -> None:
    """For the rate limit: everything that has begun began so much earlier."""
    earlier = text(
        "UPDATE orchestrator.rate_turns SET taken_until = taken_until - make_interval(secs => :seconds), begun = "
        "(SELECT COALESCE(jsonb_agg(jsonb_build_array((b->>0)::float8 - :seconds, b->1)), '[]')"
        " FROM jsonb_array_elements(begun) b)"
    )
    with pipeline.backends.engine.begin() as connection:
        connection.execute(earlier, {"seconds": seconds})


def statuses(pipeline: Pipeline, events: Sequence[UUID]) -> list[str]:
    rows = [pipeline.execution(event) for event in events]
    return [row.status if row is not None else "none" for row in rows]


def first_steps_start(pipeline: Pipeline, seconds_ago: float) -> None:
    """Of all executions that have begun; those that start late count for the rate limit."""
    pipeline.change_attempts("started_at = now() - make_interval(secs => :seconds)", seconds=seconds_ago)


def executors_are_away_for_an_hour(pipeline: Pipeline) -> None:
    """Since what has begun so far began."""
    time_passes(pipeline, 3600)
    pipeline.change_attempts("due_at = due_at - interval '1 hour'")


RUNS, WAITS, OVER, DISPLACED = "RUNNING", "PENDING", "COMPLETED", "CANCELLED"


class TestQueue:
    def test_no_more_than_the_limit_run_at_once_and_the_others_wait(self, pipeline: Pipeline) -> None:
        limit = {"limit": 1, "key": "{{ trigger.customer }}"}
        workflow = pipeline.workflow(
            {"type": "WAIT", "config": {"seconds": 0.1}}, transform(done=True), settings={"concurrency": limit}
        )
        with working(pipeline.backends):
            events = [pipeline.accept(workflow.id, {"customer": customer}).event_id for customer in "aaab"]
            done = [pipeline.finished(event) for event in events]
        assert [row.status for row in done] == ["COMPLETED"] * 4
        first, second, third, other = done
        assert first.finished_at <= second.finished_at <= third.finished_at
        assert len({first.concurrency_key, other.concurrency_key}) == 2

    def test_first_in_first_out(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(1))
        events = come(pipeline, orchestrator, workflow, *[{}] * 4)
        for number, event in enumerate(events):
            assert statuses(pipeline, events) == [OVER] * number + [RUNS] + [WAITS] * (3 - number)
            end(pipeline, orchestrator, [event])
        assert statuses(pipeline, events) == [OVER] * 4

    def test_what_comes_new_does_not_overtake_what_waits(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        """Not even between the end of one execution and the beginning of the next."""
        workflow = pipeline.workflow(HOLDS, settings=at_once(1))
        runs, waits = come(pipeline, orchestrator, workflow, {}, {})
        row = pipeline.execution(runs)
        assert row is not None
        pipeline.cancel(row.id)
        new = come(pipeline, orchestrator, workflow, {})
        assert statuses(pipeline, [waits, *new]) == [WAITS, WAITS]
        look(orchestrator)
        assert statuses(pipeline, [waits, *new]) == [RUNS, WAITS]

    def test_the_next_begins_without_waiting_for_the_clock(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(1))
        first, second = come(pipeline, orchestrator, workflow, {}, {})
        end(pipeline, orchestrator, [first])
        assert statuses(pipeline, [first, second]) == [OVER, RUNS]

    def test_what_is_over_as_soon_as_it_begins_frees_its_slot_at_once(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow({**transform(n=1), "when": False}, settings=at_once(1))
        events = come(pipeline, orchestrator, workflow, *[{}] * 5)
        give_slots_away(orchestrator)
        assert statuses(pipeline, events) == [OVER] * 5

    def test_as_many_begin_as_have_ended_together(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(4))
        events = come(pipeline, orchestrator, workflow, *[{}] * 12)
        assert statuses(pipeline, events) == [RUNS] * 4 + [WAITS] * 8
        end(pipeline, orchestrator, events[:4])
        assert statuses(pipeline, events) == [OVER] * 4 + [RUNS] * 4 + [WAITS] * 4
        end(pipeline, orchestrator, events[4:7])
        assert statuses(pipeline, events) == [OVER] * 7 + [RUNS] * 4 + [WAITS]

    def test_one_key_does_not_wait_for_another(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(1, key="{{ trigger.customer }}"))
        a, more_a, b, more_b = come(pipeline, orchestrator, workflow, *[{"customer": name} for name in "aabb"])
        assert statuses(pipeline, [a, more_a, b, more_b]) == [RUNS, WAITS, RUNS, WAITS]
        end(pipeline, orchestrator, [a, b])
        assert statuses(pipeline, [a, more_a, b, more_b]) == [OVER, RUNS, OVER, RUNS]

    def test_slots_that_a_process_freed_and_never_gave_away_are_found(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(2))
        events = come(pipeline, orchestrator, workflow, *[{}] * 4)
        end(pipeline, orchestrator, events[:2], dies=True)
        look(Orchestrator(pipeline.backends))
        assert statuses(pipeline, events[2:]) == [RUNS] * 2

    def test_a_cancelled_execution_makes_room(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(
            {"type": "WAIT", "config": {"seconds": "{{ trigger.seconds }}"}}, settings={"concurrency": {"limit": 1}}
        )
        with working(pipeline.backends):
            old = pipeline.accept(workflow.id, {"seconds": 3600})
            running = pipeline.started(old.event_id)
            new = pipeline.accept(workflow.id, {"seconds": 0})
            pipeline.started(new.event_id)
            pipeline.cancel(running.id)
            assert pipeline.finished(new.event_id).status == "COMPLETED"

    def test_a_limit_that_was_raised_holds_for_what_came_after(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(1))
        before = come(pipeline, orchestrator, workflow, {}, {})
        with Session(pipeline.backends.engine) as session:
            pipeline.workflows.update(session, OWNER, workflow.id, WorkflowChange.read({"settings": at_once(3)}))
        after = come(pipeline, orchestrator, workflow, {}, {}, {})
        assert statuses(pipeline, before + after) == [RUNS] + [WAITS] * 4
        end(pipeline, orchestrator, before[:1])
        look(orchestrator)
        assert statuses(pipeline, before + after) == [OVER] + [RUNS] * 3 + [WAITS]

    def test_several_orchestrators_never_let_more_run_than_the_limit_and_none_is_left_behind(
        self, pipeline: Pipeline
    ) -> None:
        limit = at_once(3, key="{{ trigger.customer }}")
        workflow = pipeline.workflow({**transform(n=1), "id": "n"}, transform(m=2), settings=limit)
        most_at_once = text(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM orchestrator.workflow_executions"
            " WHERE status = 'RUNNING' GROUP BY concurrency_key) counted"
        )
        seen = []
        with working(pipeline.backends, Orchestrator, Orchestrator, Executor):
            events = [pipeline.accept(workflow.id, {"customer": n % 3}).event_id for n in range(60)]

            def all_over() -> bool:
                with pipeline.backends.engine.connect() as connection:
                    seen.append(connection.execute(most_at_once).scalar() or 0)
                return pipeline.count_of(workflow.id) == 60 and set(statuses(pipeline, events)) == {OVER}

            eventually(all_over)
        assert max(seen) <= 3

    def test_giving_a_slot_away_costs_the_same_however_many_wait(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(1))

        def statements(waiting: int) -> int:
            events = come(pipeline, orchestrator, workflow, *[{}] * waiting)
            with counting_statements(pipeline.backends.engine) as seen:
                end(pipeline, orchestrator, events[:1])
            end(pipeline, orchestrator, events[1:])
            while running := [event for event in events if statuses(pipeline, [event]) == [RUNS]]:
                end(pipeline, orchestrator, running)
            return len(seen)

        statements(2)
        assert statements(2) == statements(20)

    def test_a_key_that_cannot_be_computed_fails_the_execution(self, pipeline: Pipeline) -> None:
        limit = {"limit": 1, "key": "{{ trigger.customer }}"}
        workflow = pipeline.workflow(transform(n=1), settings={"concurrency": limit})
        with working(pipeline.backends):
            failed = pipeline.finished(pipeline.accept(workflow.id, {}).event_id)
        assert failed.status == "FAILED"
        assert "customer" in failed.error["message"]


class TestSkip:
    def test_what_is_above_the_limit_is_dropped_with_the_reason(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(2, onLimit="skip"))
        events = come(pipeline, orchestrator, workflow, {}, {}, {})
        assert statuses(pipeline, events) == [RUNS, RUNS, "none"]
        assert "the limit" in pipeline.dropped_because(events[2])

    def test_there_is_room_again_when_one_is_over(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(1, onLimit="skip"))
        first = come(pipeline, orchestrator, workflow, {})
        end(pipeline, orchestrator, first)
        assert statuses(pipeline, come(pipeline, orchestrator, workflow, {})) == [RUNS]


class TestCancelOldest:
    def test_the_oldest_makes_room_for_the_newest(self, pipeline: Pipeline) -> None:
        limit = {"limit": 1, "onLimit": "cancelOldest"}
        workflow = pipeline.workflow(
            {"type": "WAIT", "config": {"seconds": "{{ trigger.seconds }}"}}, settings={"concurrency": limit}
        )
        with working(pipeline.backends):
            old = pipeline.accept(workflow.id, {"seconds": 3600})
            pipeline.started(old.event_id)
            new = pipeline.accept(workflow.id, {"seconds": 0})
            assert pipeline.finished(old.event_id).status == "CANCELLED"
            assert pipeline.finished(new.event_id).status == "COMPLETED"

    def test_of_many_at_once_the_newest_win(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(1, onLimit="cancelOldest"))
        old = come(pipeline, orchestrator, workflow, {})
        new = come(pipeline, orchestrator, workflow, *[{}] * 5)
        assert statuses(pipeline, old + new) == [DISPLACED] * 5 + [RUNS]

    def test_no_more_are_displaced_than_there_is_need_for(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(3, onLimit="cancelOldest"))
        old = come(pipeline, orchestrator, workflow, {}, {})
        new = come(pipeline, orchestrator, workflow, {}, {})
        assert statuses(pipeline, old + new) == [DISPLACED, RUNS, RUNS, RUNS]

    def test_a_displaced_one_has_no_step_left_to_do_and_its_slot_is_given_once(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings=at_once(1, onLimit="cancelOldest"))
        events = come(pipeline, orchestrator, workflow, {}, {})
        look(orchestrator)
        assert statuses(pipeline, events) == [DISPLACED, RUNS]
        displaced = pipeline.execution(events[0])
        assert displaced is not None
        assert (displaced.finished_at is not None, pipeline.attempts(displaced.id)) == (True, [])

    def test_each_key_keeps_its_own_newest(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        limit = at_once(1, key="{{ trigger.customer }}", onLimit="cancelOldest")
        workflow = pipeline.workflow(HOLDS, settings=limit)
        events = come(pipeline, orchestrator, workflow, *[{"customer": name} for name in "abab"])
        assert statuses(pipeline, events) == [DISPLACED, DISPLACED, RUNS, RUNS]

    def test_results_of_the_same_batch_are_not_lost(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        """Of an execution that ends in the batch in which another makes room."""
        limited = pipeline.workflow(HOLDS, settings=at_once(1, onLimit="cancelOldest"))
        free = pipeline.workflow(HOLDS)
        old, holds = come(pipeline, orchestrator, limited, {}), come(pipeline, orchestrator, free, {})
        row = pipeline.execution(holds[0])
        assert row is not None
        with pipeline.backends.engine.begin() as connection:
            (wait,) = waits_store.end_waits(connection, [first_step_done(row.id)])
        new = pipeline.accept(limited.id, {})
        orchestrator.handle(
            [
                received(new.event_id, limited.id, {}),
                Received(None, wait_result(wait)),  # type: ignore[arg-type]
            ]
        )
        assert statuses(pipeline, [*old, new.event_id, *holds]) == [DISPLACED, RUNS, OVER]


class TestRate:
    def test_what_comes_at_once_is_spread(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(n=1), settings={"rateLimit": {"limit": 2, "seconds": 600}})
        with working(pipeline.backends):
            events = [pipeline.accept(workflow.id).event_id for _ in range(3)]
            assert [pipeline.finished(event).status for event in events[:2]] == ["COMPLETED"] * 2
            held = eventually(lambda: pipeline.execution(events[2]))
        assert (held.status, held.begin_at is not None) == ("PENDING", True)

    def test_no_more_begin_within_the_time_than_the_limit_says(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings={"rateLimit": {"limit": 10, "seconds": 600}})
        events = come(pipeline, orchestrator, workflow, *[{}] * 25)
        for _ in range(9):  # nine tenths of the time: nothing is free before all of it is over
            time_passes(pipeline, 60)
            look(orchestrator)
        assert statuses(pipeline, events) == [RUNS] * 10 + [WAITS] * 15
        time_passes(pipeline, 65)
        look(orchestrator)
        assert statuses(pipeline, events) == [RUNS] * 20 + [WAITS] * 5
        time_passes(pipeline, 605)
        look(orchestrator)
        assert statuses(pipeline, events) == [RUNS] * 25

    def test_after_a_quiet_time_as_many_begin_at_once_as_the_limit_says(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings={"rateLimit": {"limit": 3, "seconds": 600}})
        come(pipeline, orchestrator, workflow, {}, {}, {}, {})
        time_passes(pipeline, 605)
        look(orchestrator)
        time_passes(pipeline, 605)
        assert statuses(pipeline, come(pipeline, orchestrator, workflow, *[{}] * 4)) == [RUNS] * 3 + [WAITS]

    def test_what_comes_new_does_not_overtake_what_waits(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        """Not even when a permit is free and nothing has looked yet."""
        workflow = pipeline.workflow(HOLDS, settings={"rateLimit": {"limit": 1, "seconds": 600}})
        first, second = come(pipeline, orchestrator, workflow, {}, {})
        time_passes(pipeline, 605)
        third = come(pipeline, orchestrator, workflow, {})
        assert statuses(pipeline, [first, second, *third]) == [RUNS, WAITS, WAITS]
        look(orchestrator)
        assert statuses(pipeline, [first, second, *third]) == [RUNS, RUNS, WAITS]

    def test_what_is_skipped_takes_no_permit(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        limits = {**at_once(1, onLimit="skip"), "rateLimit": {"limit": 2, "seconds": 600}}
        workflow = pipeline.workflow(HOLDS, settings=limits)
        first, *dropped = come(pipeline, orchestrator, workflow, *[{}] * 5)
        assert statuses(pipeline, dropped) == ["none"] * 4
        end(pipeline, orchestrator, [first])
        assert statuses(pipeline, come(pipeline, orchestrator, workflow, {})) == [RUNS]

    def test_what_waits_for_a_slot_takes_its_permit_when_it_begins(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        limits = {**at_once(2), "rateLimit": {"limit": 3, "seconds": 600}}
        workflow = pipeline.workflow(HOLDS, settings=limits)
        events = come(pipeline, orchestrator, workflow, *[{}] * 6)
        assert statuses(pipeline, events) == [RUNS] * 2 + [WAITS] * 4
        end(pipeline, orchestrator, events[:2])
        assert statuses(pipeline, events) == [OVER] * 2 + [RUNS] + [WAITS] * 3
        time_passes(pipeline, 605)
        look(orchestrator)
        assert statuses(pipeline, events) == [OVER] * 2 + [RUNS] * 2 + [WAITS] * 2

    def test_what_waits_for_its_turn_can_be_cancelled_and_the_next_takes_it(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        workflow = pipeline.workflow(HOLDS, settings={"rateLimit": {"limit": 1, "seconds": 600}})
        _, second, third = come(pipeline, orchestrator, workflow, {}, {}, {})
        row = pipeline.execution(second)
        assert row is not None
        pipeline.cancel(row.id)
        time_passes(pipeline, 605)
        look(orchestrator)
        assert statuses(pipeline, [second, third]) == [DISPLACED, RUNS]

    def test_many_workflows_cost_no_more_statements_than_one(
        self, pipeline: Pipeline, orchestrator: Orchestrator
    ) -> None:
        settings = {"rateLimit": {"limit": 1, "seconds": 600}}
        workflows = [pipeline.workflow(HOLDS, settings=settings) for _ in range(6)]
        for workflow in workflows:
            come(pipeline, orchestrator, workflow, {})

        def statements(some: Sequence[WorkflowView]) -> int:
            events = [(pipeline.accept(workflow.id).event_id, workflow.id) for workflow in some]
            with counting_statements(pipeline.backends.engine) as seen:
                orchestrator.handle([received(*event, {}) for event in events])
            return len(seen)

        assert statements(workflows[:1]) == statements(workflows[1:])

    def test_time_alone_frees_permits(self, pipeline: Pipeline) -> None:
        workflow = pipeline.workflow(transform(n=1), settings={"rateLimit": {"limit": 2, "seconds": 0.5}})
        with working(pipeline.backends):
            events = [pipeline.accept(workflow.id).event_id for _ in range(7)]
            done = [pipeline.finished(event) for event in events]
        assert [row.status for row in done] == ["COMPLETED"] * 7


class TestAfterAnOutageOfExecutors:
    """Three a minute."""

    @pytest.fixture
    def events(self, pipeline: Pipeline, orchestrator: Orchestrator) -> Sequence[UUID]:
        workflow = pipeline.workflow(transform(a=1), settings={"rateLimit": {"limit": 3, "seconds": 60}})
        events = come(pipeline, orchestrator, workflow, *[{"n": n} for n in range(9)])
        assert statuses(pipeline, events) == ["RUNNING"] * 3 + ["PENDING"] * 6
        executors_are_away_for_an_hour(pipeline)
        look(orchestrator)
        return events

    def test_no_more_have_gathered_than_may_begin_together(self, pipeline: Pipeline, events: Sequence[UUID]) -> None:
        assert statuses(pipeline, events).count("RUNNING") == 3

    def test_their_time_counts_from_their_start(
        self, pipeline: Pipeline, orchestrator: Orchestrator, events: Sequence[UUID]
    ) -> None:
        first_steps_start(pipeline, seconds_ago=50)
        time_passes(pipeline, 60)
        look(orchestrator)
        assert statuses(pipeline, events).count("RUNNING") == 3
        first_steps_start(pipeline, seconds_ago=61)
        time_passes(pipeline, 60)
        look(orchestrator)
        assert statuses(pipeline, events).count("RUNNING") == 6

    @pytest.mark.parametrize(("late", "counted"), [(0.05, 0), (0.2, 3), (0.9, 3)])
    def test_a_delay_counts_from_a_tenth_of_a_second_on(
        self, pipeline: Pipeline, events: Sequence[UUID], late: float, counted: int
    ) -> None:
        pipeline.change_attempts("started_at = due_at + make_interval(secs => :late)", late=late)
        row = pipeline.execution(events[0])
        assert row is not None
        with pipeline.backends.engine.connect() as connection:
            permits = permits_store.load_permits(connection, [row.workflow_id])
        assert len(permits[row.workflow_id].late) == counted

    def test_new_executions_wait_as_well(self, pipeline: Pipeline, orchestrator: Orchestrator) -> None:
        workflow = pipeline.workflow(transform(a=1), settings={"rateLimit": {"limit": 3, "seconds": 60}})
        come(pipeline, orchestrator, workflow, *[{"n": n} for n in range(3)])
        executors_are_away_for_an_hour(pipeline)
        assert statuses(pipeline, come(pipeline, orchestrator, workflow, {"n": 4})) == ["PENDING"]
