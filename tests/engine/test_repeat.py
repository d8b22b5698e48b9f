"""REPEAT through the real workers: what is in PostgreSQL afterwards, and while it rests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from flowforge.db.tables import FrameRow, OpenBlockRow
from tests.actions import transform
from tests.engine.pipeline import Pipeline, working
from tests.waiting import eventually

Action = dict[str, Any]


def repeat(*actions: Action, **config: Any) -> Action:
    return {"id": "again", "type": "REPEAT", "config": config, "actions": list(actions)}


def frames(pipeline: Pipeline, execution_id: UUID) -> Sequence[FrameRow]:
    with Session(pipeline.backends.engine) as session:
        wanted = select(FrameRow).where(FrameRow.execution_id == execution_id).order_by(FrameRow.number)
        return session.scalars(wanted).all()


def test_it_asks_until_it_is_done_and_hands_on_what_it_has(pipeline: Pipeline) -> None:
    page = {**transform(next="{{ carry + 1 }}", rows="{{ [carry, carry * 10] }}"), "id": "page"}
    paging = repeat(
        page,
        until="{{ steps.page.next > 4 }}",
        start="{{ trigger.first }}",
        carry="{{ steps.page.next }}",
        collect="{{ steps.page.rows }}",
        delay=0.01,
    )
    workflow = pipeline.workflow(paging, transform(all="{{ steps.again.results | flatten }}"))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id, {"first": 2}).event_id)
    assert done.error is None
    assert done.step_outputs["step_0"] == {
        "count": 3,
        "done": True,
        "last": [4, 40],
        "carry": 5,
        "results": [[2, 20], [3, 30], [4, 40]],
    }
    assert done.step_outputs["step_2"] == {"all": [2, 20, 3, 30, 4, 40]}


def test_its_frames_are_opened_one_by_one(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(
        repeat(transform(n="{{ round.number }}"), until="{{ round.number == 3 }}", most=10_000)
    )
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert done.error is None
    rounds = frames(pipeline, done.id)
    assert [(frame.number, frame.position, frame.status) for frame in rounds] == [
        (1, 0, "COMPLETED"),
        (2, 1, "COMPLETED"),
        (3, 2, "COMPLETED"),
    ]
    assert [frame.item for frame in rounds] == [
        {"last": None, "carry": None},
        {"last": {"n": 1}, "carry": None},
        {"last": {"n": 2}, "carry": None},
    ]


def test_rounds_run_inside_items_and_items_inside_rounds(pipeline: Pipeline) -> None:
    inner = repeat(transform(n="{{ item * 10 + round.number }}"), until="{{ round.number == 2 }}")
    items = {"id": "each", "type": "FOR_EACH", "config": {"items": [1, 2], "concurrency": 2}, "actions": [inner]}
    outer = {**repeat(items, until="{{ round.number == 2 }}", collect="{{ steps.each.results }}"), "id": "outer"}
    workflow = pipeline.workflow(outer)
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert done.error is None
    [first, second] = done.step_outputs["step_0"]["results"]
    assert first == second
    assert [one["last"] for one in first] == [{"n": 12}, {"n": 22}]


def test_rounds_that_need_no_executor_go_on_in_another_run_of_the_machine(pipeline: Pipeline) -> None:
    passed_over = {**transform(x=1), "when": "{{ false }}"}
    workflow = pipeline.workflow(repeat(passed_over, until="{{ round.number == 600 }}", most=1_000))
    with working(pipeline.backends):
        done = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert done.error is None
    assert done.step_outputs["step_0"]["count"] == 600


def test_an_error_in_a_round_fails_it_and_no_further_round_begins(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(repeat(transform(x="{{ 1 / (2 - round.number) }}"), until=False))
    with working(pipeline.backends):
        failed = pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert failed.status == "FAILED"
    assert failed.error is not None
    assert (failed.error["stepIndex"], failed.error["round"]) == (1, 2)
    assert len(frames(pipeline, failed.id)) == 2


def test_it_can_be_cancelled_while_it_rests(pipeline: Pipeline) -> None:
    workflow = pipeline.workflow(repeat(transform(x=1), until=False, delay=3600))
    with working(pipeline.backends):
        event = pipeline.accept(workflow.id)
        row = pipeline.started(event.event_id)
        resting = eventually(lambda: [one for one in pipeline.attempts(row.id) if one.state == "WAITING"])
        assert [(one.step_index, one.iteration, one.attempt) for one in resting] == [(0, 0, 2)]
        pipeline.cancel(row.id)
    assert pipeline.finished(event.event_id).status == "CANCELLED"
    with Session(pipeline.backends.engine) as session:
        [block] = session.scalars(select(OpenBlockRow).where(OpenBlockRow.execution_id == row.id)).all()
    assert (block.total, block.begun, block.ended) == (2, 1, 1)
