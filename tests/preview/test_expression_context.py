"""What the expressions of a step would see before it runs: pinned, of the latest execution, or computed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from flowforge.db.tables import FrameRow, Workflow, WorkflowVersion
from flowforge.errors import Conflict, Invalid, NotFound
from flowforge.ids import uuid7
from flowforge.language.expressions.unknown_values import unknown_in
from flowforge.preview.expression_context import ExpressionContext, context_at, sample
from flowforge.workflows.pins import MOST_PINNED_BYTES, TRIGGER, pin, pinned_outputs, unpin

Json = dict[str, Any]
FETCH: Json = {"id": "fetch", "type": "HTTP_REQUEST", "config": {"url": "https://example.test/"}}
SHAPE: Json = {"id": "shape", "type": "TRANSFORM", "config": {"output": {"rows": "{{ steps.fetch.rows }}"}}}
INNER: Json = {"id": "inner", "type": "HTTP_REQUEST"}
LOOP: Json = {
    "id": "each",
    "type": "FOR_EACH",
    "config": {"items": "{{ steps.shape.rows }}"},
    "actions": [INNER, {"id": "last", "type": "TRANSFORM"}],
}
HANDLED: Json = {"id": "risky", "type": "HTTP_REQUEST", "onError": [{"id": "handler", "type": "TRANSFORM"}]}
DEFINITION: Json = {"name": "w", "actions": [FETCH, SHAPE, LOOP, HANDLED]}
IN_LOOP, IN_HANDLER = "/actions/2/actions/1", "/actions/3/onError/0"


@pytest.fixture
def workflow_id(workflow: Callable[..., Workflow]) -> UUID:
    return workflow().id


@pytest.fixture
def known(session: Session, workflow_id: UUID) -> Callable[..., ExpressionContext]:
    def look(at: str, definition: Json = DEFINITION) -> ExpressionContext:
        return context_at(session, workflow_id, definition, at)

    return look


@pytest.fixture
def ran(session: Session, workflow_id: UUID, execution: Callable[..., UUID]) -> Callable[..., UUID]:
    """An execution of a definition, later than those before it."""
    count = iter(range(100))

    def run(outputs: Json, *, definition: Json = DEFINITION, **columns: Any) -> UUID:
        version = WorkflowVersion(id=uuid7(), workflow_id=workflow_id, definition=definition, templated=True)
        session.add(version)
        session.commit()
        return execution(next(count), workflow_id=workflow_id, version_id=version.id, step_outputs=outputs, **columns)

    return run


def test_nothing_is_known_of_what_never_ran(known: Callable[..., ExpressionContext]) -> None:
    found = known("/actions/2")
    assert found.roots == {"trigger": {}, "steps": {}}
    assert (found.trigger_source, found.sources) == ("unknown", {"fetch": "unknown", "shape": "unknown"})
    unknown = unknown_in("{{ steps.fetch.rows | default([]) }}", found.data)
    assert unknown is not None
    assert "'fetch' is not known yet" in unknown.reason
    assert unknown_in("{{ trigger.x }} {{ broken", found.data) is None


@pytest.mark.parametrize(
    ("trigger", "seen"),
    [
        ({"type": "form", "config": {"fields": [{"label": "Guests", "type": "number"}]}}, {"fields", "submittedAt"}),
        ({"type": "WEBHOOK"}, {"body", "headers", "queryParams", "method", "remoteAddress"}),
        ({"type": "email", "config": "broken"}, {"subject", "from", "body", "to", "attachments", "messageId"}),
    ],
)
def test_before_anything_has_come_in_its_kind_gives_a_sample(
    known: Callable[..., ExpressionContext], ran: Callable[..., UUID], trigger: Json, seen: set[str]
) -> None:
    definition = {**DEFINITION, "trigger": trigger}
    found = known("/actions/1", definition)
    assert found.trigger_source == "sample"
    assert seen <= found.roots["trigger"].keys()
    ran({}, trigger_payload={"n": 1})
    assert known("/actions/1", definition).roots["trigger"] == {"n": 1}


def test_the_latest_execution_is_known_under_the_numbers_of_the_draft(
    known: Callable[..., ExpressionContext], ran: Callable[..., UUID]
) -> None:
    ran({"step_0": {"rows": [1]}}, trigger_payload={"old": True})
    ran({"step_0": {"rows": [2]}, "step_1": {"rows": [2]}}, trigger_payload={"n": 2})
    renumbered = {**DEFINITION, "actions": [{"id": "new", "type": "TRANSFORM"}, *DEFINITION["actions"]]}
    found = known("/actions/3", renumbered)
    assert found.roots["trigger"] == {"n": 2}
    assert found.roots["steps"] == {name: {"rows": [2]} for name in ("fetch", "step_1", "shape", "step_2")}
    assert found.sources == {"new": "unknown", "fetch": "execution", "shape": "computed"}


def test_where_the_latest_did_not_get_far_the_one_before_it_is_taken(
    known: Callable[..., ExpressionContext], ran: Callable[..., UUID]
) -> None:
    ran({"step_0": {"rows": [1]}}, trigger_payload={"n": 1})
    ran({}, trigger_payload={})
    found = known("/actions/1")
    assert found.roots == {"trigger": {"n": 1}, "steps": {"fetch": {"rows": [1]}, "step_0": {"rows": [1]}}}


def test_a_step_of_another_type_is_another_step(
    known: Callable[..., ExpressionContext], ran: Callable[..., UUID]
) -> None:
    ran({"step_0": {"rows": [1]}}, definition={"actions": [{**FETCH, "type": "SLACK_MESSAGE"}]})
    assert known("/actions/1").sources == {"fetch": "unknown"}


def test_what_is_pinned_goes_before_what_was_recorded_and_more_is_computed_from_it(
    session: Session, workflow_id: UUID, known: Callable[..., ExpressionContext], ran: Callable[..., UUID]
) -> None:
    ran({"step_0": {"rows": [1]}}, trigger_payload={"n": 1})
    pin(session, workflow_id, "fetch", {"rows": ["a", "b"]})
    pin(session, workflow_id, TRIGGER, {"n": 9})
    found = known(IN_LOOP)
    assert found.roots["trigger"] == {"n": 9}
    assert found.roots["item"] == "a"
    assert found.roots["loop"] == {"index": 0, "number": 1, "count": 2, "first": True, "last": False}
    assert found.sources == {"fetch": "pinned", "shape": "computed", "inner": "unknown"}
    assert found.trigger_source == "pinned"
    assert sample(session, workflow_id) == {"n": 9}


def test_inside_a_loop_the_outputs_of_its_first_item_are_known(
    session: Session, known: Callable[..., ExpressionContext], ran: Callable[..., UUID]
) -> None:
    execution_id = ran({"step_0": {"x": 1}})
    for number in (1, 2):
        frame = {"block_frame": 0, "block_step": 2, "status": "COMPLETED", "current_step": 5}
        outputs = {"step_3": {"n": number}}
        session.add(
            FrameRow(
                execution_id=execution_id, number=number, position=number, item=number * 10, outputs=outputs, **frame
            )
        )
    session.commit()
    found = known(IN_LOOP)
    assert found.roots["item"] == 10, "as recorded: the list itself cannot be computed"
    assert found.roots["steps"]["inner"] == {"n": 1}
    assert "item" not in known("/actions/3").roots


def test_a_handler_knows_an_error(known: Callable[..., ExpressionContext], ran: Callable[..., UUID]) -> None:
    assert known(IN_HANDLER).roots["error"]["step"] == "risky"
    ran({"step_5": {"error": {"step": "risky", "message": "503"}}})
    assert known(IN_HANDLER).roots["error"] == {"step": "risky", "message": "503"}


def test_nested_loops_know_the_outer_item(known: Callable[..., ExpressionContext]) -> None:
    inner = {"id": "in", "type": "FOR_EACH", "config": {"items": "{{ item.rows }}"}, "actions": [{"type": "T"}]}
    outer = {"id": "out", "type": "FOR_EACH", "config": {"items": [{"rows": [7, 8]}]}, "actions": [inner]}
    found = known("/actions/0/actions/0/actions/0", {"actions": [outer]})
    assert found.roots["item"] == 7
    assert found.roots["loop"]["parent"] == {
        "index": 0,
        "number": 1,
        "count": 1,
        "first": True,
        "last": True,
        "item": {"rows": [7, 8]},
    }


def test_drafts_in_any_state_can_be_looked_at(known: Callable[..., ExpressionContext]) -> None:
    odd = {"actions": ["text", {"type": None, "config": [], "branches": [3]}, {"type": "FOR_EACH", "actions": [{}]}]}
    assert known("/actions/2/actions/0", odd).roots["trigger"] == {}
    assert known("", odd).roots["trigger"] == {}
    for nowhere in ("/actions/0", "/actions/9", "/name", "actions/1"):
        with pytest.raises(Invalid):
            known(nowhere, odd)


def test_a_long_history_costs_no_more_statements(
    known: Callable[..., ExpressionContext],
    ran: Callable[..., UUID],
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    for _ in range(8):
        ran({"step_0": {"rows": [1]}})
    known(IN_LOOP)
    with statements() as sent:
        known(IN_LOOP)
    assert len(sent) <= 5


def test_pins_are_bounded_replaced_and_taken_away(session: Session, workflow_id: UUID) -> None:
    pin(session, workflow_id, "fetch", {"n": 1})
    pin(session, workflow_id, "fetch", {"n": 2, "nul": "\x00"})
    assert pinned_outputs(session, workflow_id) == {"fetch": {"n": 2, "nul": "�"}}
    with pytest.raises(Invalid, match="bytes"):
        pin(session, workflow_id, "fetch", {"text": "x" * MOST_PINNED_BYTES})
    unpin(session, workflow_id, "fetch")
    with pytest.raises(NotFound):
        unpin(session, workflow_id, "fetch")
    with pytest.raises(Conflict):
        pin(session, uuid7(), "fetch", {})
