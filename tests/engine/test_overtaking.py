"""New work of other workflows and accounts does not wait until a backlog has been worked off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from os import urandom
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from flowforge.bus import Delivery, Message
from flowforge.db.sizes_store import MOST_BYTES
from flowforge.engine import overtaking
from flowforge.engine.consumer import Received
from flowforge.engine.intake import NewEvent, record
from flowforge.engine.orchestrator import Orchestrator
from flowforge.events import TRIGGER_EVENTS, TriggerEvent
from flowforge.jsonio import JsonObject
from flowforge.wiring import Backends
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline
from tests.statements import counting_statements

LONG_AGO = timedelta(minutes=1)


def wait_in_table(
    pipeline: Pipeline, workflow_id: UUID, owner: UUID = OWNER, payload: JsonObject | None = None
) -> NewEvent:
    """An accepted event whose message the bus has not brought yet."""
    new = NewEvent(None, workflow_id, owner, "webhook", payload or {"order": 1}, {})
    with pipeline.backends.engine.begin() as connection:
        record(connection, [new])
    return new


def bring(orchestrator: Orchestrator, new: NewEvent, age: timedelta = LONG_AGO) -> None:
    """The bus brings an event that was accepted so long ago."""
    message = TriggerEvent(
        event_id=new.event_id,
        workflow_id=new.workflow_id,
        user_id=new.user_id,
        trigger_type="webhook",
        timestamp=datetime.now(UTC) - age,
    )
    value = Message.of(TRIGGER_EVENTS, message).value
    orchestrator.handle([Received(Delivery(TRIGGER_EVENTS, message.key, value, ""), message)])


def test_new_work_of_another_workflow_begins_before_the_backlog_is_worked_off(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overtaking, "AT_ONCE", 3)
    busy, quiet = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a="{{ trigger.order }}"))
    backlog = [wait_in_table(pipeline, busy.id) for _ in range(5)]
    new = wait_in_table(pipeline, quiet.id)
    orchestrator = Orchestrator(pipeline.backends)

    bring(orchestrator, backlog[0])
    orchestrator.tick()

    begun = pipeline.execution(new.event_id)
    assert begun is not None
    assert begun.trigger_payload == {"order": 1}
    assert pipeline.count_of(busy.id) == 1


class TestABacklog:
    """Its own events get past nobody."""

    @pytest.fixture(autouse=True)
    def few_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(overtaking, "AT_ONCE", 2)
        monkeypatch.setattr(overtaking, "MOST_WAITING", 5)

    def test_of_each_partition_that_the_bus_brings_in_turn_is_left_to_it(self, pipeline: Pipeline) -> None:
        one, other = (pipeline.workflow(transform(a=1)) for _ in range(2))
        orchestrator = Orchestrator(pipeline.backends)
        backlogs = [[wait_in_table(pipeline, busy.id) for _ in range(4)] for busy in (one, other)]
        for first, *_ in backlogs:
            bring(orchestrator, first)
        orchestrator.tick()
        assert [pipeline.count_of(one.id), pipeline.count_of(other.id)] == [1, 1]

    def test_is_no_backlog_any_more_once_the_bus_brings_others(
        self, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(overtaking, "_REMEMBERED_SECONDS", 0.0)
        before, busy = (pipeline.workflow(transform(a=1)) for _ in range(2))
        orchestrator = Orchestrator(pipeline.backends)
        first, *_ = [wait_in_table(pipeline, before.id) for _ in range(4)]
        bring(orchestrator, first)
        bring(orchestrator, wait_in_table(pipeline, busy.id))
        orchestrator.tick()
        assert pipeline.count_of(before.id) == 1 + 2

    @pytest.mark.parametrize(("waiting", "begun"), [(5, 2), (6, 0)])
    def test_that_another_orchestrator_works_off_is_known_by_its_length(
        self, pipeline: Pipeline, waiting: int, begun: int
    ) -> None:
        busy, elsewhere = (pipeline.workflow(transform(a=1)) for _ in range(2))
        orchestrator = Orchestrator(pipeline.backends)
        for _ in range(waiting):
            wait_in_table(pipeline, elsewhere.id)
        bring(orchestrator, wait_in_table(pipeline, busy.id))
        orchestrator.tick()
        assert pipeline.count_of(elsewhere.id) == begun

    def test_is_not_what_a_few_events_between_those_of_others_are(self, pipeline: Pipeline) -> None:
        busy, quiet = (pipeline.workflow(transform(a=1)) for _ in range(2))
        orchestrator = Orchestrator(pipeline.backends)
        bring(orchestrator, wait_in_table(pipeline, quiet.id))
        bring(orchestrator, wait_in_table(pipeline, busy.id))
        bring(orchestrator, wait_in_table(pipeline, quiet.id))
        new = wait_in_table(pipeline, quiet.id)
        orchestrator.tick()
        assert pipeline.execution(new.event_id) is not None


def test_what_got_past_the_backlog_runs_once(pipeline: Pipeline) -> None:
    busy, quiet = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a=1))
    orchestrator = Orchestrator(pipeline.backends)
    new = wait_in_table(pipeline, quiet.id)
    bring(orchestrator, wait_in_table(pipeline, busy.id))
    orchestrator.tick()
    bring(orchestrator, new)
    assert pipeline.count_of(quiet.id) == 1


def test_those_who_have_the_fewest_waiting_go_first(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overtaking, "AT_ONCE", 2)
    modest = Pipeline(pipeline.backends, owner=(modest_owner := uuid4()))
    busy, other, quiet = (pipeline.workflow(transform(a=1)) for _ in range(3))
    neighbour = modest.workflow(transform(a=1))
    orchestrator = Orchestrator(pipeline.backends)
    for _ in range(3):
        wait_in_table(pipeline, other.id)
    for _ in range(2):
        wait_in_table(pipeline, quiet.id)
    wait_in_table(modest, neighbour.id, modest_owner)

    bring(orchestrator, wait_in_table(pipeline, busy.id))
    orchestrator.tick()

    assert [modest.count_of(neighbour.id), pipeline.count_of(quiet.id), pipeline.count_of(other.id)] == [1, 1, 0]


def test_events_of_one_workflow_keep_their_order(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overtaking, "AT_ONCE", 1)
    busy, quiet = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a=1))
    first, second = (wait_in_table(pipeline, quiet.id) for _ in range(2))
    orchestrator = Orchestrator(pipeline.backends)
    bring(orchestrator, wait_in_table(pipeline, busy.id))
    orchestrator.tick()
    assert pipeline.execution(first.event_id) is not None
    assert pipeline.execution(second.event_id) is None


def test_an_event_larger_than_what_is_loaded_at_once_goes_alone(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overtaking, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(overtaking, "_PART_OF_THE_TIME", 1000.0)
    modest = Pipeline(pipeline.backends, owner=(modest_owner := uuid4()))
    busy, quiet, neighbour = (of.workflow(transform(a=1)) for of in (pipeline, pipeline, modest))
    large = {"text": urandom(MOST_BYTES // 2).hex()}  # of the account with the fewest waiting: it comes first
    wait_in_table(modest, neighbour.id, modest_owner, large)
    wait_in_table(pipeline, quiet.id)
    orchestrator = Orchestrator(pipeline.backends)
    bring(orchestrator, wait_in_table(pipeline, busy.id))

    begun = []
    for _ in range(2):
        orchestrator.tick()
        begun.append((modest.count_of(neighbour.id), pipeline.count_of(quiet.id)))

    assert begun == [(1, 0), (1, 1)]


def test_nobody_is_looked_for_while_there_is_no_backlog(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(transform(a=1))
    waiting = wait_in_table(pipeline, pipeline.workflow(transform(a=1)).id)
    orchestrator = Orchestrator(pipeline.backends)
    bring(orchestrator, wait_in_table(pipeline, workflow.id))
    bring(orchestrator, wait_in_table(pipeline, workflow.id), age=timedelta(0))
    with counting_statements(pipeline.backends.engine) as sent:
        orchestrator.tick()
    assert [statement for statement in sent if "trigger_events" in statement] == []
    assert pipeline.execution(waiting.event_id) is None


def test_nobody_is_looked_for_again_until_more_of_the_backlog_comes(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overtaking, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(overtaking, "_PART_OF_THE_TIME", 1000.0)
    workflow = pipeline.workflow(transform(a=1))
    orchestrator = Orchestrator(pipeline.backends)
    with counting_statements(pipeline.backends.engine) as sent:
        for _ in range(2):
            bring(orchestrator, wait_in_table(pipeline, workflow.id))
            orchestrator.tick()
            orchestrator.tick()
    assert len([statement for statement in sent if "backlog" in statement]) == 2


def test_an_event_that_cannot_begin_is_left_to_its_turn(backends: Backends, pipeline: Pipeline) -> None:
    busy, broken = pipeline.workflow(transform(a=1)), pipeline.workflow(transform(a=1))
    waiting = wait_in_table(pipeline, broken.id)
    with backends.engine.begin() as connection:
        refuse = f"CHECK (event_id <> '{waiting.event_id}')"
        connection.execute(text(f"ALTER TABLE orchestrator.workflow_executions ADD CONSTRAINT refused {refuse}"))
    orchestrator = Orchestrator(backends)
    try:
        bring(orchestrator, wait_in_table(pipeline, busy.id))
        orchestrator.tick()
        bring(orchestrator, after := wait_in_table(pipeline, busy.id))
    finally:
        with backends.engine.begin() as connection:
            connection.execute(text("ALTER TABLE orchestrator.workflow_executions DROP CONSTRAINT refused"))
    assert pipeline.execution(after.event_id) is not None
