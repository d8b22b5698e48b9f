"""Executions go earlier than the instance asks for where the settings of their workflow say so, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from flowforge.db.tables import Adoption, ExecutionRow, FileRow
from flowforge.engine import pruning
from flowforge.errors import Invalid, Unavailable
from flowforge.logbook import LogQuery
from flowforge.wiring import Backends
from flowforge.workflows.changes import WorkflowChange
from tests.actions import transform
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.engine.test_passed_files import accepted_with_a_file
from tests.waiting import eventually

KIND = "executions of workflows with a retention of their own"
"""As the counts of `prune` call it."""


def workflow(pipeline: Pipeline, retention_days: int | None, *actions: dict[str, Any]) -> UUID:
    settings = {} if retention_days is None else {"settings": {"retentionDays": retention_days}}
    return pipeline.workflow(*(actions or [transform(ok=True)]), **settings).id


def run(pipeline: Pipeline, *workflow_ids: UUID) -> list[ExecutionRow]:
    """One execution of each, with all of its log lines."""
    with working(pipeline.backends):
        events = [pipeline.accept(id_) for id_ in workflow_ids]
        runs = [pipeline.finished(event.event_id) for event in events]
        eventually(lambda: all(lines(pipeline, id_) == 5 for id_ in workflow_ids))
    return runs


def lines(pipeline: Pipeline, workflow_id: UUID) -> int:
    return pipeline.backends.logbook.find(LogQuery(OWNER, workflow_id=workflow_id), page=0, size=100).total


def later(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


@pytest.fixture(params=["postgresql", "mongodb"])
def log_store(request: pytest.FixtureRequest, backends: Backends) -> None:
    if request.param == "mongodb":
        backends.settings.mongo_uri = f"{request.getfixturevalue('mongo_server')}/logs_{uuid4().hex[:8]}"


@pytest.mark.usefixtures("log_store")
def test_they_go_with_their_log_lines_at_their_own_time(pipeline: Pipeline) -> None:
    short, usual = workflow(pipeline, 2), workflow(pipeline, None)
    run(pipeline, short, usual)
    assert pruning.prune(pipeline.backends, later(1.9))[KIND] == 0
    assert pruning.prune(pipeline.backends, later(2.1))[KIND] == 1
    assert [pipeline.count_of(id_) for id_ in (short, usual)] == [0, 1]
    assert [lines(pipeline, id_) for id_ in (short, usual)] == [0, 5]


def test_the_instance_keeps_none_longer_than_it_says(pipeline: Pipeline) -> None:
    pipeline.backends.settings.execution_retention_days = 3
    run(pipeline, workflow(pipeline, 30))
    deleted = pruning.prune(pipeline.backends, later(3.1))
    assert (deleted["executions"], deleted[KIND]) == (1, 0)


def test_a_retention_that_is_changed_counts_for_what_is_over(pipeline: Pipeline) -> None:
    changed = workflow(pipeline, 30)
    run(pipeline, changed)
    with Session(pipeline.backends.engine) as session:
        shorter = {"name": "w", "actions": [transform(ok=True)], "settings": {"retentionDays": 1}}
        pipeline.workflows.update(session, OWNER, changed, WorkflowChange.read(shorter))
    assert pruning.prune(pipeline.backends, later(1.1))[KIND] == 1


def test_those_of_a_deleted_workflow_go_as_well(pipeline: Pipeline) -> None:
    gone = workflow(pipeline, 1)
    run(pipeline, gone)
    with Session(pipeline.backends.engine) as session:
        pipeline.workflows.delete(session, OWNER, gone)
    assert pruning.prune(pipeline.backends, later(1.1))[KIND] == 1


def test_their_files_go_at_once(pipeline: Pipeline) -> None:
    reads = workflow(pipeline, 1, transform(name="{{ trigger.file.name }}"))
    with working(pipeline.backends):
        event_id, _ = accepted_with_a_file(pipeline, reads)
        pipeline.finished(event_id)
    pruning.prune(pipeline.backends, later(1.1))
    with Session(pipeline.backends.engine) as session:
        assert session.scalar(select(func.count()).select_from(FileRow)) == 0


def test_what_still_runs_stays(pipeline: Pipeline) -> None:
    waits = workflow(pipeline, 1, {"type": "WAIT", "config": {"for": "approval"}})
    with working(pipeline.backends):
        event = pipeline.accept(waits)
        pipeline.started(event.event_id)
    pruning.prune(pipeline.backends, later(60))
    assert pipeline.count_of(waits) == 1


def test_more_than_one_transaction_takes(pipeline: Pipeline) -> None:
    short = workflow(pipeline, 1)
    with working(pipeline.backends):
        for event in [pipeline.accept(short) for _ in range(5)]:
            pipeline.finished(event.event_id)
    assert pruning.prune(pipeline.backends, later(1.1), rows_at_once=2)[KIND] == 5


def test_adopted_ones_are_as_old_as_their_adoption(pipeline: Pipeline) -> None:
    short = workflow(pipeline, 1)
    run(pipeline, short)
    with Session(pipeline.backends.engine) as session:
        session.add(Adoption(name="executions", adopted_at=later(1)))
        session.commit()
    assert pruning.prune(pipeline.backends, later(1.9))[KIND] == 0
    assert pruning.prune(pipeline.backends, later(2.1))[KIND] == 1


def test_they_stay_while_their_log_does_not_answer(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    short = workflow(pipeline, 1)
    run(pipeline, short)

    def away(*_: object) -> None:
        raise Unavailable("the log store does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(pipeline.backends.logbook, "delete_of", away)
        assert pruning.prune(pipeline.backends, later(1.1))[KIND] == 0
    assert pruning.prune(pipeline.backends, later(1.1))[KIND] == 1


@pytest.mark.parametrize("days", [0, -1, 1.5, "7", True, 40_000])
def test_it_is_a_whole_number_of_days(pipeline: Pipeline, days: object) -> None:
    with pytest.raises(Invalid) as refused:
        workflow(pipeline, days)  # type: ignore[arg-type]
    assert [problem.pointer for problem in refused.value.problems] == ["/settings/retentionDays"]
