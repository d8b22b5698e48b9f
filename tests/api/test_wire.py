"""How values become JSON by their models, and how a request's parts are read by theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from flask import Blueprint, Flask
from pydantic import Field, SkipValidation, ValidationError

from flowforge import jsonio
from flowforge.errors import Invalid
from flowforge.execution.state import Status
from webapp import body, errors
from webapp.endpoint import Tag, endpoint, object_body
from webapp.query_params import Flag, FlagOrNone, NumberFromTo, OneOf, Query, UuidOrNone, WholeNumber, read_query
from webapp.wire import FreeObject, Wire, from_wire, left_out_when_none, to_wire

AN_ID = UUID(int=7)


class Inner(Wire):
    made_at: datetime


class Outer(Wire):
    id: UUID
    free_data: FreeObject
    inner: Inner | None
    note: str | None = left_out_when_none()
    only_of_some: int = 0


@dataclass(frozen=True, slots=True)
class InnerValue:
    made_at: datetime


@dataclass(frozen=True, slots=True)
class OuterValue:
    inner: InnerValue | None
    free_data: dict[str, Any]
    id: UUID
    note: str | None = None


class TestAnswers:
    def test_have_the_names_and_the_order_of_their_model(self) -> None:
        made_at = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
        value = OuterValue(InnerValue(made_at), {"b": 1, "a": None}, AN_ID, "yes")

        assert jsonio.dumps(to_wire(Outer, value)) == (
            b'{"id":"00000000-0000-0000-0000-000000000007","freeData":{"b":1,"a":null},'
            b'"inner":{"madeAt":"2026-03-04T05:06:07.089Z"},"note":"yes"}'
        )

    def test_leave_out_what_their_model_says_and_what_the_value_does_not_have(self) -> None:
        [written] = jsonio.loads(jsonio.dumps(to_wire([Outer], [OuterValue(None, {}, AN_ID)])))

        assert list(written) == ["id", "freeData", "inner"]

    def test_hold_free_json_itself_not_a_copy(self) -> None:
        data = {"large": [1, 2, 3]}

        assert to_wire(Outer, OuterValue(None, data, AN_ID)).as_json()["freeData"] is data

    def test_are_refused_where_the_value_is_not_what_the_model_describes(self) -> None:
        with pytest.raises(ValidationError):
            to_wire(Inner, OuterValue(None, {}, AN_ID))


class Order(Wire):
    amount: int
    unit_price: SkipValidation[Any] = None
    who: str


def test_a_body_that_does_not_fit_is_refused_with_every_problem() -> None:
    with pytest.raises(Invalid) as refused:
        from_wire(Order, {"amount": "many"})

    assert [problem.pointer for problem in refused.value.problems] == ["/amount", "/who"]
    assert refused.value.problems[1].message == "is required"


class Search(Query):
    workflow_id: UuidOrNone = None
    size: Annotated[int, WholeNumber(1, 100, default=25)] = 25
    roughly: Annotated[int, WholeNumber(1, 100, default=25, lenient=True)] = 25
    hours: Annotated[int, NumberFromTo(1, 24)] = 24
    status: Annotated[Status | None, OneOf(Status)] = None
    dry_run: Flag = False
    enabled: FlagOrNone = None
    names: list[str] = Field([])


def searched(query: str) -> Search:
    with Flask("test").test_request_context(f"/?{query}"):
        return read_query(Search)


class TestQueryParameters:
    def test_have_defaults(self) -> None:
        assert searched("") == Search()

    def test_are_read_by_their_types(self) -> None:
        read = searched(f"workflowId={AN_ID}&size=7&status=failed&dryRun=TRUE&enabled=false&names=a&names=b&hours=3")

        assert (read.workflow_id, read.size, read.status, read.hours) == (AN_ID, 7, Status.FAILED, 3)
        assert (read.dry_run, read.enabled, read.names) == (True, False, ["a", "b"])

    def test_count_the_first_time_they_are_given(self) -> None:
        assert searched("size=3&size=4").size == 3

    def test_that_are_too_large_are_cut(self) -> None:
        assert searched("size=1000&roughly=1000") == Search(size=100, roughly=100)

    @pytest.mark.parametrize(("given", "read"), [("x", 25), ("-3", 1), ("", 25)])
    def test_may_be_lenient(self, given: str, read: int) -> None:
        assert searched(f"roughly={given}").roughly == read

    @pytest.mark.parametrize(
        ("query", "pointer", "message"),
        [
            ("workflowId=x", "/workflowId", "is not a UUID"),
            ("size=x", "/size", "must be a whole number"),
            ("size=0", "/size", "must be at least 1"),
            ("hours=25", "/hours", "must be a whole number from 1 to 24"),
            ("status=x", "/status", "must be one of PENDING, RUNNING, COMPLETED, FAILED, CANCELLED"),
            ("dryRun=x", "/dryRun", "must be true or false"),
            ("dryRun", "/dryRun", "must be true or false"),
        ],
    )
    def test_that_cannot_be_read_are_named(self, query: str, pointer: str, message: str) -> None:
        with pytest.raises(Invalid) as refused:
            searched(query)

        assert [(problem.pointer, problem.message) for problem in refused.value.problems] == [(pointer, message)]

    def test_without_a_value_count_as_not_given(self) -> None:
        assert searched("workflowId=&size=&status=&enabled=&hours=") == Search()


@pytest.fixture
def app() -> Flask:
    blueprint = Blueprint("things", __name__)

    @blueprint.post("/api/things/<int:number>")
    @endpoint(Tag.OVERVIEW, [Inner], takes=object_body(may_be_absent=True), query=Search, public=True)
    def things(number: int, body: dict[str, Any], query: Search) -> list[InnerValue]:
        return [InnerValue(datetime(number, body.get("month", 1), query.size, tzinfo=UTC))]

    @blueprint.get("/api/mine")
    @endpoint(Tag.OVERVIEW, Inner)
    def mine() -> None:
        raise AssertionError("nobody is signed in")

    app = Flask("test")
    body.install(app)
    errors.install(app)
    app.register_blueprint(blueprint)
    return app


class TestEndpoints:
    def test_are_called_with_what_they_declare(self, app: Flask) -> None:
        answer = app.test_client().post("/api/things/2020?size=9", json={"month": 5})

        assert answer.json == [{"madeAt": "2020-05-09T00:00:00.000Z"}]

    def test_may_do_without_a_body(self, app: Flask) -> None:
        assert app.test_client().post("/api/things/2020").json == [{"madeAt": "2020-01-25T00:00:00.000Z"}]

    def test_refuse_parameters_they_cannot_read(self, app: Flask) -> None:
        answer = app.test_client().post("/api/things/2020?size=many")

        assert (answer.status_code, answer.json["details"][0]["pointer"]) == (400, "/size")

    def test_are_closed_to_everybody_who_is_not_signed_in(self, app: Flask) -> None:
        assert app.test_client().get("/api/mine", headers={"Authorization": "Bearer "}).status_code == 401
