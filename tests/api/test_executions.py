"""Executions over the API: pages of them, one of them, and stopping one."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, insert, text
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.db.engine import sqlalchemy_url
from flowforge.db.tables import ExecutionRow, FrameRow, OpenBlockRow, StepAttempt
from flowforge.events import EXECUTION_EVENTS, ExecutionEvent
from flowforge.executions import executions
from flowforge.executions.within_bytes import MOST_BYTES
from flowforge.ids import uuid7
from flowforge.wiring import Backends
from tests.api.things import EXECUTIONS, execution, pointers
from tests.people import Person


def page(client: FlaskClient, person: Person, query: str = "") -> Any:
    answer = client.get(f"{EXECUTIONS}?{query}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def steps(client: FlaskClient, person: Person, query: str) -> list[int]:
    return [one["currentStep"] for one in page(client, person, query)["content"]]


def attempt(engine: Engine, execution_id: UUID, **columns: Any) -> None:
    values = {"step_index": 0, "iteration": 0, "attempt": 1, "state": "APPLIED", "workflow_id": UUID(int=1)} | columns
    with engine.begin() as connection:
        connection.execute(insert(StepAttempt).values(execution_id=execution_id, due_at="2026-01-01T00:00Z", **values))


class TestPages:
    @pytest.fixture
    def three(self, engine: Engine, owner: Person) -> list[UUID]:
        """Steps 0, 1, 2 in the order they were made."""
        return [execution(engine, owner, current_step=step) for step in range(3)]

    def test_are_newest_first(self, client: FlaskClient, owner: Person, three: list[UUID]) -> None:
        assert steps(client, owner, "") == [2, 1, 0]

    def test_come_in_the_contracts_envelope(self, client: FlaskClient, owner: Person, three: list[UUID]) -> None:
        second = page(client, owner, "page=1&size=2")

        sort = {"empty": False, "sorted": True, "unsorted": False}
        assert [one["currentStep"] for one in second.pop("content")] == [0]
        assert second == {
            "number": 1,
            "size": 2,
            "totalElements": 3,
            "totalPages": 2,
            "first": False,
            "last": True,
            "empty": False,
            "numberOfElements": 1,
            "sort": sort,
            "pageable": {"pageNumber": 1, "pageSize": 2, "offset": 2, "paged": True, "unpaged": False, "sort": sort},
        }

    def test_say_of_small_ones_that_they_are_whole(self, client: FlaskClient, owner: Person, three: list[UUID]) -> None:
        assert [one["truncated"] for one in page(client, owner)["content"]] == [False] * 3

    def test_of_nothing(self, client: FlaskClient, owner: Person) -> None:
        nothing = page(client, owner)

        assert (nothing["content"], nothing["empty"], nothing["totalElements"], nothing["totalPages"]) == (
            [],
            True,
            0,
            0,
        )
        assert (nothing["first"], nothing["last"]) == (True, True)

    def test_hold_only_the_callers(
        self, client: FlaskClient, stranger: Person, owner: Person, three: list[UUID]
    ) -> None:
        assert page(client, stranger)["totalElements"] == 0

    @pytest.mark.parametrize(
        ("sort", "order"),
        [
            ("createdAt,asc", [0, 1, 2]),
            ("createdAt", [0, 1, 2]),
            ("currentStep,desc", [2, 1, 0]),
            ("currentStep,ASC", [0, 1, 2]),
            ("status,asc", [0, 1, 2]),
            ("workflowId,desc", [2, 1, 0]),
            ("updatedAt,asc", [0, 1, 2]),
            ("password,asc", [2, 1, 0]),
            ("id;drop table,asc", [2, 1, 0]),
            ("", [2, 1, 0]),
        ],
    )
    def test_are_sorted_by_what_is_known(
        self, client: FlaskClient, owner: Person, three: list[UUID], sort: str, order: list[int]
    ) -> None:
        assert steps(client, owner, f"sort={sort}") == order

    @pytest.mark.parametrize(
        ("query", "number", "size"),
        [
            ("page=-1&size=0", 0, 1),
            ("page=x&size=y", 0, 20),
            ("page=&size=", 0, 20),
            ("size=100000", 0, 200),
            ("page=99999999999999999999", 1_000_000, 20),
            ("page=1e3&size=1.5", 0, 20),
            ("page=0&page=5&size=2&size=9", 0, 2),
        ],
    )
    def test_bring_what_is_asked_into_range(
        self, client: FlaskClient, owner: Person, query: str, number: int, size: int
    ) -> None:
        answer = page(client, owner, query)

        assert (answer["number"], answer["size"]) == (number, size)

    def test_of_one_workflow(self, client: FlaskClient, owner: Person, engine: Engine, three: list[UUID]) -> None:
        mine = uuid4()
        execution(engine, owner, workflow_id=mine)

        assert page(client, owner, f"workflowId={mine}")["totalElements"] == 1
        assert page(client, owner, f"workflowId={mine}&workflowId={UUID(int=1)}")["totalElements"] == 1
        assert page(client, owner, "workflowId=")["totalElements"] == 4

    def test_of_one_status(self, client: FlaskClient, owner: Person, engine: Engine, three: list[UUID]) -> None:
        execution(engine, owner, status="FAILED")

        assert page(client, owner, "status=failed")["totalElements"] == 1
        assert page(client, owner, "status=PENDING")["totalElements"] == 0

    @pytest.mark.parametrize("query", ["workflowId=17", "workflowId=%00", "status=DONE", "status=%00"])
    def test_of_what_there_cannot_be(self, client: FlaskClient, owner: Person, query: str) -> None:
        refused = client.get(f"{EXECUTIONS}?{query}", headers=owner.headers)

        assert refused.status_code == 400
        assert refused.json["details"][0]["pointer"] == "/" + query.partition("=")[0]

    def test_are_counted_no_further_than_a_limit(
        self, client: FlaskClient, owner: Person, engine: Engine, three: list[UUID]
    ) -> None:
        copies = text(
            "INSERT INTO orchestrator.workflow_executions (id, workflow_id, user_id, status, current_step)"
            " SELECT gen_random_uuid(), workflow_id, user_id, status, current_step"
            " FROM orchestrator.workflow_executions, generate_series(1, :count) WHERE id = :id"
        )
        with engine.begin() as connection:
            connection.execute(copies, {"count": executions.COUNT_LIMIT, "id": three[0]})

        assert page(client, owner)["totalElements"] == executions.COUNT_LIMIT


class TestOne:
    def test_has_the_contracts_fields_first(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        names = ["id", "workflowId", "userId", "status", "currentStep", "triggerPayload", "stepOutputs"]
        names += ["createdAt", "updatedAt"]
        run = execution(engine, owner, trigger_payload={"body": 1}, step_outputs={"step_0": {"ok": True}})

        shown = client.get(f"{EXECUTIONS}/{run}", headers=owner.headers).json

        assert list(shown)[: len(names)] == names
        assert (shown["triggerPayload"], shown["stepOutputs"]) == ({"body": 1}, {"step_0": {"ok": True}})

    def test_says_why_it_failed_and_what_was_tried(self, client: FlaskClient, owner: Person, engine: Engine) -> None:
        error = {"step": "step_0", "stepIndex": 0, "message": "refused", "attempt": 2}
        run = execution(engine, owner, status="FAILED", error=error, event_id=uuid7(), version_id=uuid7())
        attempt(engine, run, attempt=2, succeeded=False, error={"message": "refused"})
        attempt(engine, run, attempt=1, succeeded=False, error={"message": "away"})

        shown = client.get(f"{EXECUTIONS}/{run}", headers=owner.headers).json

        assert shown["error"] == error
        assert [(one["attempt"], one["error"]["message"]) for one in shown["attempts"]] == [(1, "away"), (2, "refused")]

    def test_from_an_adopted_database_is_shown_as_it_is(
        self, client: FlaskClient, owner: Person, engine: Engine
    ) -> None:
        run = execution(engine, owner, trigger_payload=None, step_outputs={"step1": "opaque"})

        shown = client.get(f"{EXECUTIONS}/{run}", headers=owner.headers).json

        assert (shown["triggerPayload"], shown["stepOutputs"]) == (None, {"step1": "opaque"})


class TestCancelling:
    @pytest.mark.parametrize("status", ["PENDING", "RUNNING"])
    def test_stops_what_is_under_way(self, client: FlaskClient, owner: Person, engine: Engine, status: str) -> None:
        run = execution(engine, owner, status=status)
        attempt(engine, run, step_index=1, state="QUEUED")

        answer = client.post(f"{EXECUTIONS}/{run}/cancel", headers=owner.headers)

        assert (answer.status_code, answer.json["status"]) == (200, "CANCELLED")
        assert answer.json["finishedAt"]
        with Session(engine) as session:
            assert session.get_one(ExecutionRow, run).status == "CANCELLED"
            assert session.get_one(StepAttempt, (run, 1, 0, 1)).state == "APPLIED"

    @pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "CANCELLED"])
    def test_leaves_what_is_over(
        self, client: FlaskClient, owner: Person, engine: Engine, backends: Backends, status: str
    ) -> None:
        run = execution(engine, owner, status=status)
        before = client.get(f"{EXECUTIONS}/{run}", headers=owner.headers).json

        answer = client.post(f"{EXECUTIONS}/{run}/cancel", headers=owner.headers)

        assert answer.status_code == 200
        assert answer.json["status"] == status
        assert answer.json["updatedAt"] == before["updatedAt"]
        assert told(backends) == []

    def test_is_told_to_the_log_and_the_live_view_once(
        self, client: FlaskClient, owner: Person, engine: Engine, backends: Backends
    ) -> None:
        run = execution(engine, owner, status="RUNNING")

        for _ in range(2):
            client.post(f"{EXECUTIONS}/{run}/cancel", headers=owner.headers)

        (event,) = told(backends)
        assert (event.execution_id, event.status) == (run, "CANCELLED")

    def test_what_a_running_step_gives_later_is_still_the_steps(
        self, client: FlaskClient, owner: Person, engine: Engine
    ) -> None:
        run = execution(engine, owner, status="RUNNING")
        attempt(engine, run, state="RUNNING")

        client.post(f"{EXECUTIONS}/{run}/cancel", headers=owner.headers)

        with Session(engine) as session:
            assert session.get_one(StepAttempt, (run, 0, 0, 1)).state == "RUNNING"


def told(backends: Backends) -> list[ExecutionEvent]:
    subscription = backends.bus.subscribe([EXECUTION_EVENTS], "test", "reader")
    try:
        return [ExecutionEvent.decode(one.value) for one in subscription.poll(10, 0.2)]
    finally:
        subscription.close()


class TestLargeOnes:
    """Each has a megabyte of outputs, which PostgreSQL keeps in a few kilobytes."""

    OUTPUTS: ClassVar = {"step_0": {"body": "abcdefghij" * 100_000}}

    @pytest.fixture
    def twelve(self, engine: Engine, owner: Person) -> list[UUID]:
        return [
            execution(
                engine,
                owner,
                current_step=step,
                trigger_payload={"n": step},
                step_outputs=self.OUTPUTS,
                result={"value": step},
            )
            for step in range(12)
        ]

    def test_do_not_make_a_page_larger_than_its_bytes(
        self, client: FlaskClient, owner: Person, twelve: list[UUID]
    ) -> None:
        answer = client.get(EXECUTIONS, headers=owner.headers)

        content = answer.json["content"]
        assert len(answer.data) < MOST_BYTES + 100_000
        assert [one["truncated"] for one in content] == [False] * 8 + [True] * 4
        assert [one["currentStep"] for one in content] == list(range(11, -1, -1))
        assert [one["stepOutputs"] for one in content[:8]] == [self.OUTPUTS] * 8
        for one in content[8:]:
            assert (one["triggerPayload"], one["stepOutputs"], one["result"]) == (None, None, None)
        assert set(content[0]) == set(content[-1])

    def test_are_never_loaded_beyond_that(self, database_url: str, owner: Person, twelve: list[UUID]) -> None:
        """Not one that does not fit, and not for a moment."""
        loaded: list[int] = []

        def count(text: str) -> Any:
            loaded.append(len(text))
            return jsonio.loads(text)

        counting = create_engine(sqlalchemy_url(database_url), json_deserializer=count)
        with Session(counting) as session:
            executions.find(session, owner.id, most_bytes=3_000_000)
        counting.dispose()
        assert 2_000_000 < sum(loaded) < 3_000_000

    def test_do_not_keep_small_ones_behind_them_out(
        self, client: FlaskClient, engine: Engine, owner: Person, twelve: list[UUID]
    ) -> None:
        small = execution(engine, owner, created_at="2020-01-01T00:00Z", step_outputs={"step_0": {"ok": True}})

        last = page(client, owner)["content"][-1]
        assert (last["id"], last["truncated"]) == (str(small), False)
        assert last["stepOutputs"] == {"step_0": {"ok": True}}

    def test_are_whole_when_asked_for_alone(self, client: FlaskClient, owner: Person, twelve: list[UUID]) -> None:
        client.get(EXECUTIONS, headers=owner.headers)
        alone = client.get(f"{EXECUTIONS}/{twelve[0]}", headers=owner.headers).json

        assert (alone["stepOutputs"], alone["triggerPayload"], alone["result"]) == (self.OUTPUTS, {"n": 0}, 0)


class TestOneWithManyLargeOutputs:
    """Ten of a megabyte each, and a small one."""

    LARGE: ClassVar = {"body": "abcdefghij" * 100_000}
    OUTPUTS: ClassVar = dict.fromkeys((f"step_{number}" for number in range(10)), LARGE) | {"step_10": {"ok": True}}
    KEPT: ClassVar = {*(f"step_{number}" for number in range(8)), "step_10"}

    @pytest.fixture
    def run(self, engine: Engine, owner: Person) -> UUID:
        run = execution(engine, owner, step_outputs=self.OUTPUTS, trigger_payload={"n": 1}, result={"value": 2})
        frame = {"number": 1, "block_frame": 0, "block_step": 0, "position": 0, "status": "COMPLETED"}
        with Session(engine) as session:
            session.add(FrameRow(execution_id=run, current_step=1, outputs=self.OUTPUTS, item="a", **frame))
            session.commit()
        return run

    @pytest.mark.parametrize("place", ["", "/frames/1"])
    def test_leaves_out_what_would_be_too_much_and_names_it(
        self, client: FlaskClient, owner: Person, run: UUID, place: str
    ) -> None:
        answer = client.get(f"{EXECUTIONS}/{run}{place}", headers=owner.headers)

        outputs = answer.json["outputs" if place else "stepOutputs"]
        assert len(answer.data) < MOST_BYTES + 100_000
        assert outputs == {key: self.OUTPUTS[key] for key in self.KEPT}
        assert sorted(answer.json["omittedOutputs"]) == ["step_8", "step_9"]

    def test_has_its_payload_and_its_result_all_the_same(self, client: FlaskClient, owner: Person, run: UUID) -> None:
        shown = client.get(f"{EXECUTIONS}/{run}", headers=owner.headers).json
        assert (shown["triggerPayload"], shown["result"]) == ({"n": 1}, 2)

    def test_is_no_larger_when_somebody_cancels_it(self, client: FlaskClient, owner: Person, run: UUID) -> None:
        answer = client.post(f"{EXECUTIONS}/{run}/cancel", headers=owner.headers)
        assert len(answer.json["omittedOutputs"]) == 2

    @pytest.mark.parametrize("frame", [0, 1])
    def test_gives_each_output_by_itself(self, client: FlaskClient, owner: Person, run: UUID, frame: int) -> None:
        found = client.get(f"{EXECUTIONS}/{run}/outputs/step_9?frame={frame}", headers=owner.headers).json
        assert found == {"key": "step_9", "frame": frame, "output": self.LARGE}

    @pytest.mark.parametrize("asked", ["step_11", "step_9?frame=2"])
    def test_has_no_other_outputs(self, client: FlaskClient, owner: Person, run: UUID, asked: str) -> None:
        refused = client.get(f"{EXECUTIONS}/{run}/outputs/{asked}", headers=owner.headers)
        assert (refused.status_code, refused.json["message"]) == (404, "there is no such output")

    def test_a_name_holds_no_nul(self, client: FlaskClient, owner: Person, run: UUID) -> None:
        refused = client.get(f"{EXECUTIONS}/{run}/outputs/%00", headers=owner.headers)
        assert (refused.status_code, pointers(refused.json)) == (400, {"/key"})

    def test_names_nothing_where_all_fits(self, client: FlaskClient, engine: Engine, owner: Person) -> None:
        run = execution(engine, owner, step_outputs={"step_0": {"ok": True}})
        shown = client.get(f"{EXECUTIONS}/{run}", headers=owner.headers).json
        assert (shown["stepOutputs"], shown["omittedOutputs"]) == ({"step_0": {"ok": True}}, [])


class TestLargeItemsOfALoop:
    """Twelve; each has given a megabyte."""

    LARGE: ClassVar = {"step_1": {"body": "abcdefghij" * 100_000}}

    @pytest.fixture
    def run(self, engine: Engine, owner: Person) -> UUID:
        run = execution(engine, owner)
        block = {"first_frame": 1, "total": 12, "at_once": 1, "begun": 12, "ended": 12, "failed": 0, "closure": {}}
        frame = {"block_frame": 0, "block_step": 0, "status": "COMPLETED", "current_step": 1}
        with Session(engine) as session:
            session.add(OpenBlockRow(execution_id=run, frame=0, step_index=0, **block))
            session.flush()
            for position in range(12):
                session.add(
                    FrameRow(
                        execution_id=run,
                        number=position + 1,
                        position=position,
                        item=position,
                        result={"value": position},
                        outputs=self.LARGE,
                        **frame,
                    )
                )
            session.commit()
        return run

    def test_do_not_make_a_page_larger_than_its_bytes(self, client: FlaskClient, owner: Person, run: UUID) -> None:
        answer = client.get(f"{EXECUTIONS}/{run}/frames", headers=owner.headers)

        assert len(answer.data) < MOST_BYTES + 100_000
        assert [frame["truncated"] for frame in answer.json] == [False] * 8 + [True] * 4
        assert [frame["item"] for frame in answer.json] == list(range(12))
        assert [frame["outputs"] for frame in answer.json] == [self.LARGE] * 8 + [None] * 4

    def test_are_whole_when_asked_for_alone(self, client: FlaskClient, owner: Person, run: UUID) -> None:
        last = client.get(f"{EXECUTIONS}/{run}/frames/12", headers=owner.headers).json
        assert (last["outputs"], last["result"], last["omittedOutputs"]) == (self.LARGE, {"value": 11}, [])
