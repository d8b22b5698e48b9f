"""An executor that has slept begins nothing that another may have by now; who merely slept loses nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text

from flowforge.db import attempts_store
from flowforge.db.attempt_rows import AttemptKey, as_plain
from flowforge.db.attempts_store import Claim, HeldAttempt, WantedAttempt
from flowforge.engine.executor import Executor
from flowforge.engine.leases import Instant, LeaseTerms
from flowforge.engine.orchestrator import Orchestrator
from flowforge.engine.running_steps import ClaimedStep
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.engine.late_receiver import LateReceiver
from tests.engine.pipeline import Pipeline, working
from tests.statements import counting_statements
from tests.waiting import eventually


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"executor_calls": 1, "executor_threads": 1, "step_lease_seconds": 3.0})


class TestWhatWaitsInAnExecutor:
    """Behind a call that takes its only thread."""

    def test_is_not_begun_once_another_has_it(self, pipeline: Pipeline, late_receiver: LateReceiver) -> None:
        with working(pipeline.backends):
            second = self._waiting_behind_the_first(pipeline, late_receiver)
            pipeline.change_attempts("lease_owner = 'another'", second)
            _await_heartbeats(pipeline)
            late_receiver.answer.set()
            eventually(lambda: len(_running(pipeline)) == 1)
        assert late_receiver.paths == ["/first"]

    def test_begins_under_a_lease_that_only_looked_lost(self, pipeline: Pipeline, late_receiver: LateReceiver) -> None:
        with working(pipeline.backends):
            second = self._waiting_behind_the_first(pipeline, late_receiver)
            pipeline.change_attempts("lease_until = now() - interval '1 hour', lapsed_at = now()", second)
            late_receiver.answer.set()
            eventually(lambda: late_receiver.paths == ["/first", "/second"])
            eventually(lambda: not _running(pipeline))

    def test_is_not_begun_once_another_has_it_though_its_call_needs_care(
        self, pipeline: Pipeline, late_receiver: LateReceiver
    ) -> None:
        with working(pipeline.backends):
            second = self._waiting_behind_the_first(pipeline, late_receiver, afterCrash="fail")
            pipeline.change_attempts("lease_owner = 'another'", second)
            late_receiver.answer.set()
            eventually(lambda: len(_running(pipeline)) == 1)
        assert late_receiver.paths == ["/first"]

    def test_has_not_begun_for_postgresql_either(self, pipeline: Pipeline, late_receiver: LateReceiver) -> None:
        with working(pipeline.backends):
            second = self._waiting_behind_the_first(pipeline, late_receiver)
            assert _attempt(pipeline, second) == (0, None)
            late_receiver.answer.set()
            eventually(lambda: not _running(pipeline))
            claims, started_at = _attempt(pipeline, second)
        assert (claims, started_at is not None) == (1, True)

    def _waiting_behind_the_first(self, pipeline: Pipeline, late_receiver: LateReceiver, **more: str) -> UUID:
        first = pipeline.workflow(late_receiver.call("/first"))
        second = pipeline.workflow({**late_receiver.call("/second"), **more})
        pipeline.accept(first.id)
        eventually(lambda: late_receiver.paths == ["/first"])
        event = pipeline.accept(second.id)
        eventually(lambda: len(_running(pipeline)) == 2)
        return pipeline.started(event.event_id).id


class TestUpkeep:
    def test_gives_an_owner_notice_before_its_lease_is_lost(self, pipeline: Pipeline) -> None:
        execution_id = self._held(pipeline)
        pipeline.change_attempts("lease_until = now() - interval '1 hour'", execution_id)
        assert pipeline.resend().leases == 0
        pipeline.change_attempts("lapsed_at = lapsed_at - interval '1 hour'", execution_id)
        assert pipeline.resend().leases == 1

    def test_leaves_a_lease_to_an_owner_who_has_woken_up(self, pipeline: Pipeline, late_receiver: LateReceiver) -> None:
        workflow = pipeline.workflow(late_receiver.call("/first"))
        with working(pipeline.backends):
            event = pipeline.accept(workflow.id)
            eventually(lambda: late_receiver.paths == ["/first"])
            held = pipeline.started(event.event_id).id
            pipeline.change_attempts("lease_until = now() - interval '1 hour'", held)
            assert pipeline.resend().leases == 0
            eventually(lambda: _has_run_out(pipeline) is False)
            assert pipeline.resend().leases == 0
            late_receiver.answer.set()
            assert pipeline.finished(event.event_id).status == "COMPLETED"
        assert late_receiver.paths == ["/first"]

    def _held(self, pipeline: Pipeline) -> UUID:
        execution_id = _queued(pipeline).execution_id
        dead = "state = 'RUNNING', lease_owner = 'dead', claims = 1, started_at = now()"
        pipeline.change_attempts(dead, execution_id)
        return execution_id


def test_a_step_that_a_place_is_free_for_begins_with_its_claim(pipeline: Pipeline) -> None:
    """One statement writes the claim and the beginning; another one takes the result."""
    workflow = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {}}})
    with working(pipeline.backends):
        pipeline.finished(pipeline.accept(workflow.id).event_id)
        with counting_statements(pipeline.backends.engine) as statements:
            pipeline.finished(pipeline.accept(workflow.id).event_id)
    assert len([one for one in statements if "WITH ready" in one]) == 1
    assert len([one for one in statements if "SET state = 'APPLIED'" in one]) == 1
    assert not [one for one in statements if "SET started_at" in one or "SET state = 'ENDED'" in one]


class TestBeginnings:
    """Of calls that waited in an executor, as PostgreSQL hears of them."""

    def test_a_heartbeat_notes_which_calls_have_begun(self, pipeline: Pipeline) -> None:
        key = self._claimed(pipeline, begins=False)
        began = datetime.now(UTC).replace(microsecond=0)
        for _ in range(2):
            self._extend(pipeline, HeldAttempt(key.execution_id, 0, 0, 1, began))
            assert _attempt(pipeline, key.execution_id) == (1, began)

    def test_a_heartbeat_notes_none_of_what_waits(self, pipeline: Pipeline) -> None:
        key = self._claimed(pipeline, begins=False)
        self._extend(pipeline, HeldAttempt(key.execution_id, 0, 0, 1, None))
        assert _attempt(pipeline, key.execution_id) == (0, None)

    @pytest.mark.parametrize(
        ("change", "needs_care"),
        [("parked = true", False), ("leases_lost = 1", True), ("fails_after_crash = true", True)],
    )
    def test_a_call_needs_care_that_must_not_be_made_twice_or_with_which_an_executor_died(
        self, pipeline: Pipeline, change: str, needs_care: bool
    ) -> None:
        key = _queued(pipeline)
        pipeline.change_attempts(change, key.execution_id)
        [claim] = self._claim(pipeline, key, begins=False)
        assert claim.needs_care is needs_care

    def _claimed(self, pipeline: Pipeline, *, begins: bool) -> AttemptKey:
        key = _queued(pipeline)
        assert len(self._claim(pipeline, key, begins=begins)) == 1
        return key

    def _claim(self, pipeline: Pipeline, key: AttemptKey, *, begins: bool) -> list[Claim]:
        wanted = [WantedAttempt(key.execution_id, 0, 0, 1, begins)]
        with pipeline.backends.engine.begin() as connection:
            return attempts_store.claim(connection, wanted, owner="e", lease=10)

    def _extend(self, pipeline: Pipeline, held: HeldAttempt) -> None:
        with pipeline.backends.engine.begin() as connection:
            assert len(attempts_store.extend_leases(connection, "e", [held], 10)) == 1


def _queued(pipeline: Pipeline) -> AttemptKey:
    workflow = pipeline.workflow({"type": "TRANSFORM", "config": {"output": {}}})
    with working(pipeline.backends, Orchestrator):
        row = pipeline.started(pipeline.accept(workflow.id).event_id)
    return AttemptKey(row.id, 0, 0, 1)


@pytest.mark.parametrize("seconds", [1, 15, 3600])
def test_a_lease_is_given_away_only_after_its_executor_has_stopped_believing_in_it(seconds: float) -> None:
    terms = LeaseTerms.within(seconds)
    assert terms.runs + terms.notice <= seconds * 1.001
    assert terms.heartbeat < terms.notice < terms.runs


@pytest.mark.parametrize("slept", [Instant(-100.0, 0.0), Instant(0.0, -100.0)], ids=["suspended", "paused"])
def test_a_moment_is_as_long_ago_as_the_clock_says_that_saw_the_sleep(slept: Instant) -> None:
    now = Instant.now()
    before = Instant(now.elapsing + slept.elapsing, now.time_of_day + slept.time_of_day)
    assert before.seconds_ago() >= 100
    assert now.seconds_ago() < 50


def test_an_executor_that_slept_asks_before_it_begins(backends: Backends, late_receiver: LateReceiver) -> None:
    """Claimed with a place free for it; then the process was stopped for longer than its lease."""
    pipeline = Pipeline(backends)
    workflow = pipeline.workflow(late_receiver.call("/second"))
    with working(backends, Orchestrator):
        execution_id = pipeline.started(pipeline.accept(workflow.id).event_id).id
    executor = Executor(backends)
    try:
        submit = executor._steps.submit

        def submit_after_sleep(steps: Sequence[ClaimedStep]) -> None:
            pipeline.change_attempts("lease_owner = 'another'", execution_id)
            held = executor._held
            held.extend(map(as_plain, held.all()), Instant(time.monotonic() - 1e6, time.time() - 1e6))
            submit(steps)

        executor._steps.submit = submit_after_sleep  # type: ignore[method-assign]
        pipeline.change_attempts("parked = true")
        executor.tick()
        eventually(lambda: not executor._held.all())
    finally:
        executor.stop()
    assert late_receiver.paths == []


def _await_heartbeats(pipeline: Pipeline) -> None:
    """Waits until the executor has extended its leases twice: then it has seen all that was changed before."""
    for _ in range(2):
        before = _lease_end(pipeline)
        eventually(lambda before=before: _lease_end(pipeline) > before)  # type: ignore[misc]


def _lease_end(pipeline: Pipeline) -> datetime:
    with pipeline.backends.engine.connect() as connection:
        statement = "SELECT max(lease_until) FROM orchestrator.step_attempts WHERE lease_owner LIKE 'executor%'"
        moment: datetime = connection.execute(text(statement)).scalar_one()
        return moment


def _attempt(pipeline: Pipeline, execution_id: UUID) -> tuple[int, object]:
    [attempt] = pipeline.attempts(execution_id)
    return attempt.claims, attempt.started_at


def _running(pipeline: Pipeline) -> list[UUID]:
    with pipeline.backends.engine.connect() as connection:
        found = connection.execute(text("SELECT execution_id FROM orchestrator.step_attempts WHERE state = 'RUNNING'"))
        return list(found.scalars())


def _has_run_out(pipeline: Pipeline) -> bool:
    with pipeline.backends.engine.connect() as connection:
        found = connection.execute(
            text("SELECT lease_until < now() OR lapsed_at IS NOT NULL FROM orchestrator.step_attempts")
        )
        return bool(found.scalar_one())
