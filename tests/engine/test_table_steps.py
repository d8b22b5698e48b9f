"""Steps that work with tables, and remember: through the real pipeline, and over deaths of executors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from flowforge.connectors.tables import Which
from flowforge.engine.pruning import prune
from flowforge.errors import Invalid, Unavailable
from flowforge.kept_tables import Call, KeptTable
from flowforge.secrets import MASK
from flowforge.wiring import Backends
from tests.data_tables.tables import make_table, tables_of
from tests.engine.pipeline import OWNER, Pipeline, working
from tests.engine.test_credentials import keep
from tests.waiting import eventually


@pytest.fixture
def people(backends: Backends) -> KeptTable:
    make_table(backends, OWNER)
    return tables_of(backends, OWNER).find("people")


@pytest.fixture
def running(pipeline: Pipeline) -> Iterator[Pipeline]:
    with working(pipeline.backends):
        yield pipeline


def table(operation: str, **config: Any) -> dict[str, Any]:
    return {"type": "TABLE", "config": {"operation": operation, "table": "people", **config}}


def outputs(pipeline: Pipeline, *actions: dict[str, Any], payload: dict[str, Any] | None = None) -> list[Any]:
    done = pipeline.finished(pipeline.accept(pipeline.workflow(*actions).id, payload).event_id)
    assert done.status == "COMPLETED", done.error
    return [done.step_outputs[f"step_{index}"] for index in range(len(actions))]


def error(pipeline: Pipeline, action: dict[str, Any], payload: dict[str, Any] | None = None) -> str:
    done = pipeline.finished(pipeline.accept(pipeline.workflow(action).id, payload).event_id)
    assert done.status == "FAILED"
    return str(done.error)


def test_rows_are_kept_between_executions(running: Pipeline, people: KeptTable) -> None:
    values = {"email": "{{ trigger.email }}", "age": "{{ trigger.age }}", "more": "{{ trigger }}"}
    [added] = outputs(running, table("add", values=values), payload={"email": "a@x", "age": 40})
    assert (added["isNew"], added["row"]["email"], added["row"]["age"]) == (True, "a@x", 40)
    found, counted, one = outputs(
        running,
        table("find", conditions=[{"column": "age", "operator": "more", "value": "{{ 3 + 6 }}"}], sort="age"),
        table("count"),
        table("get", key="a@x"),
    )
    assert (found["rows"], found["count"], found["next"]) == ([added["row"]], 1, None)
    assert (counted, one) == ({"count": 1}, {"found": True, "row": added["row"]})


def test_only_what_is_new_is_acted_upon(running: Pipeline, people: KeptTable) -> None:
    adding = table("addIfNew", rows="{{ trigger.items }}")
    payload = {"items": [{"email": "a"}, {"email": "b"}]}
    [first] = outputs(running, adding, payload=payload)
    assert ([row["email"] for row in first["rows"]], first["added"], first["known"]) == (["a", "b"], 2, 0)
    [second] = outputs(running, adding, payload={"items": [*payload["items"], {"email": "c"}]})
    assert ([row["email"] for row in second["rows"]], second["added"], second["known"]) == (["c"], 1, 2)


def test_rows_are_changed_and_deleted(running: Pipeline, people: KeptTable) -> None:
    made, changed, counted, deleted = outputs(
        running,
        table("addOrChange", values={"email": "a", "age": 1}),
        table("change", key="a", values={"paid": "true"}),
        table("increment", key="a", column="age", amount=2),
        table("delete", conditions=[{"column": "email", "value": "a"}]),
    )
    assert (made["isNew"], changed, counted, deleted) == (True, {"changed": 1}, {"value": 3}, {"deleted": 1})


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"operation": "delete", "key": "{{ trigger.nothing }}"}, "one of key, id and conditions is required"),
        (
            {
                "operation": "delete",
                "key": "{{ trigger.nothing }}",
                "conditions": [{"column": "age", "operator": "isEmpty"}],
            },
            "/key: is empty",
        ),
        ({"operation": "add", "values": {"email": "a", "age": "{{ trigger.text }}"}}, "/values/age: must be a number"),
        ({"operation": "add", "rows": [{"email": "a"}, "{{ trigger.text }}"]}, "/rows/1: must be an object"),
        ({"operation": "get", "id": "{{ trigger.text }}"}, "/id: must be the id of a row"),
        ({"operation": "count", "table": "{{ trigger.text }}"}, "there is no table 'poeple'; did you mean 'people'?"),
    ],
)
def test_what_is_wrong_is_named(running: Pipeline, people: KeptTable, config: dict[str, Any], told: str) -> None:
    action = {"type": "TABLE", "config": {"table": "people", **config}}
    assert told in error(running, action, {"nothing": None, "text": "poeple"})


def test_a_secret_is_never_kept(running: Pipeline, people: KeptTable) -> None:
    keep(running, KEY="kept-under-lock")
    values = {"email": "a", "more": {"it": "{{ secrets.KEY }}", "cut": "{{ secrets.KEY | truncate(9) }}"}}
    [added] = outputs(running, table("add", values=values))
    assert added["row"]["more"] == {"it": MASK, "cut": MASK}
    assert (people.get(Which(key="a")) or {})["more"] == {"it": MASK, "cut": MASK}


def test_what_an_operation_needs_is_checked_on_saving(pipeline: Pipeline, people: KeptTable) -> None:
    with pytest.raises(Invalid, match="one of values and rows is required for add"):
        pipeline.workflow(table("add", values={"email": "a"}, rows=[]))


def test_a_step_that_is_tried_again_without_an_answer_changes_nothing_again(
    pipeline: Pipeline, people: KeptTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change was committed, its result never came: as where an executor dies, the step is run again."""
    real, values = KeptTable.increment, list[Any]()

    def increment(self: KeptTable, which: Which, column: str, amount: float) -> Any:
        values.append(real(self, which, column, amount))
        if len(values) == 1:
            raise Unavailable("PostgreSQL does not answer")
        return values[-1]

    monkeypatch.setattr(KeptTable, "increment", increment)
    counting = {**table("increment", key="a", column="age"), "retry": {"attempts": 2, "delay": 0.01}}
    with working(pipeline.backends):
        [output] = outputs(pipeline, counting)
    assert (values, output) == ([1, 1], {"value": 1})
    assert (people.get(Which(key="a")) or {})["age"] == 1


def test_a_step_whose_executor_died_after_its_change_changes_nothing_again(
    pipeline: Pipeline, people: KeptTable
) -> None:
    """What the dead one has committed is found by the name of its call, which the one that follows makes again."""
    event = pipeline.held_by_a_dead_executor(table("increment", key="a", column="age"), claims=1)
    execution = pipeline.started(event.event_id)
    step = f"{execution.id}-0-0"
    dead = Call(execution.id, execution.workflow_id, f"{step}-1", step)
    tables_of(pipeline.backends, OWNER, call=dead).find("people").increment(Which(key="a"), "age", 1)
    with working(pipeline.backends):
        done = eventually(lambda: pipeline.resend() and pipeline.over(event.event_id))
    assert done is not None
    assert (done.status, done.step_outputs["step_0"]) == ("COMPLETED", {"value": 1})
    assert [attempt.claims for attempt in pipeline.attempts(done.id)] == [2]
    assert (people.get(Which(key="a")) or {})["age"] == 1


class TestRemembering:
    def remember(self, **config: Any) -> dict[str, Any]:
        return {"type": "REMEMBER", "config": {"key": "{{ trigger.id }}", **config}}

    def test_tells_what_is_seen_for_the_first_time(self, running: Pipeline) -> None:
        workflow = running.workflow(self.remember())
        firsts = [
            running.finished(running.accept(workflow.id, {"id": id_}).event_id).step_outputs["step_0"]["first"]
            for id_ in ("a", "a", "b")
        ]
        assert firsts == [True, False, True]

    def test_is_the_workflows_own_or_the_accounts(self, running: Pipeline) -> None:
        payload = {"id": "a"}
        own = [outputs(running, self.remember(), payload=payload)[0]["first"] for _ in range(2)]
        shared = [outputs(running, self.remember(scope="account"), payload=payload)[0]["first"] for _ in range(2)]
        assert (own, shared) == ([True, True], [True, False])

    def test_answers_a_step_that_is_run_again_as_it_did(self, backends: Backends) -> None:
        workflow = uuid4()
        first = tables_of(backends, OWNER, call=Call(uuid4(), workflow, "x-1", "x"))
        later = tables_of(backends, OWNER, call=Call(uuid4(), workflow, "y-1", "y"))
        assert [one.see("k", across_workflows=False, days=1)[0] for one in (first, later, first)] == [True, False, True]

    def test_ends(self, backends: Backends, running: Pipeline) -> None:
        workflow = running.workflow(self.remember())

        def is_first() -> bool:
            done = running.finished(running.accept(workflow.id, {"id": "a"}).event_id)
            return bool(done.step_outputs["step_0"]["first"])

        assert is_first()
        with backends.engine.begin() as connection:
            connection.execute(text("UPDATE data_tables.remembered SET expires_at = now()"))
        assert is_first()
        with backends.engine.begin() as connection:
            connection.execute(text("UPDATE data_tables.remembered SET expires_at = now()"))
        assert prune(backends)["keys that are forgotten"] == 1

    def test_of_an_empty_key_is_an_error(self, running: Pipeline) -> None:
        assert "key: is empty" in error(running, self.remember(), {"id": ""})
