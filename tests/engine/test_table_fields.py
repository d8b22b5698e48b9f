"""Steps that work with tables, while they are being built: their fields, their problems, the data they will give."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from flowforge.connectors.account import Account
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid
from flowforge.wiring import Backends
from flowforge.workflows.api_steps import sample_output
from tests.data_tables.tables import PEOPLE, make_table, tables_of
from tests.engine.pipeline import OWNER, Pipeline
from webapp.ui.fields import Field
from webapp.ui.step_fields import form_of_step


@pytest.fixture
def account(backends: Backends) -> Account:
    make_table(backends, OWNER, columns=[*PEOPLE, {"name": "town", "required": True}])
    make_table(backends, OWNER, "plain", key=None)
    return Account(tables=tables_of(backends, OWNER))


def fields(account: Account, **config: Any) -> dict[str, Field]:
    return {field.key: field for field in form_of_step(load_catalog(), "TABLE", config, account).fields}


def test_the_tables_of_the_account_are_offered(account: Account) -> None:
    assert fields(account)["table"].choices == ["people", "plain"]
    assert fields(account, table="deleted")["table"].choices == ["people", "plain", "deleted"]


def test_a_step_has_the_fields_of_its_operation(account: Account) -> None:
    assert list(fields(account, operation="addIfNew", table="people")) == [
        "table",
        "operation",
        "values",
        "rows",
        "expireAfter",
    ]
    assert list(fields(account, operation="increment", table="people")) == [
        "table",
        "operation",
        "column",
        "key",
        "amount",
        "id",
    ]
    assert "key" not in fields(account, operation="get", table="plain")


def test_values_have_a_field_for_each_column(account: Account) -> None:
    values = fields(account, operation="add", table="people")["values"]
    assert {field.label: (field.kind, field.required) for field in values.inner} == {
        "email": ("text", True),
        "age": ("number", False),
        "paid": ("switch", False),
        "since": ("text", False),
        "more": ("json", False),
        "town": ("text", True),
    }
    assert not any(field.required for field in fields(account, operation="change", table="people")["values"].inner)


def test_columns_are_chosen_where_one_is_meant(account: Account) -> None:
    found = fields(account, operation="find", table="people")
    assert found["sort"].choices == ["email", "age", "paid", "since", "town"]
    assert found["conditions"].inner[0].choices == ["email", "age", "paid", "since", "more", "town"]
    assert fields(account, operation="increment", table="people")["column"].choices == ["age"]
    assert fields(account, operation="get", table="people")["key"].label == "Key: email"


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"operation": "count", "table": "poeple"}, "/table: there is no table 'poeple'; did you mean 'people'?"),
        (
            {"operation": "add", "values": {"emial": "a", "email": "{{ trigger.x }}", "town": "b"}},
            "/values/emial: there is no such column; did you mean 'email'?",
        ),
        ({"operation": "add", "values": {"email": "a", "age": "old", "town": "b"}}, "/values/age: must be a number"),
        ({"operation": "addIfNew", "values": {"email": "a"}}, "/values/town: is required"),
        (
            {"conditions": [{"column": "age", "value": "{{ trigger.x }}"}, {"column": "agee", "value": 1}]},
            "/conditions/1/column: there is no column 'agee'; did you mean 'age'?",
        ),
        ({"conditions": [{"column": "age", "operator": "contains", "value": 1}]}, "/conditions/0/operator: is for"),
        ({"sort": "more"}, "/sort: cannot be a column of JSON"),
        ({"operation": "increment", "key": "a", "column": "email"}, "/column: must be a column of numbers"),
        ({"operation": "increment", "key": "a", "column": "age", "amount": "x"}, "/amount: must be a"),
        ({"operation": "get", "table": "plain", "key": "a"}, "/key: the table has no key column"),
    ],
)
def test_what_cannot_work_is_refused_on_saving(
    pipeline: Pipeline, account: Account, config: dict[str, Any], problem: str
) -> None:
    with pytest.raises(Invalid) as refused:
        pipeline.workflow({"type": "TABLE", "config": {"table": "people", **config}})
    assert f"/actions/0/config{problem}" in str(refused.value)


def test_what_expressions_give_is_not_judged(pipeline: Pipeline, account: Account) -> None:
    values = {"email": "{{ trigger.a }}", "age": "{{ trigger.b }}", "town": "{{ trigger.c }}"}
    pipeline.workflow(
        {"type": "TABLE", "config": {"table": "people", "operation": "add", "values": values}},
        {"type": "TABLE", "config": {"table": "people", "operation": "add", "rows": "{{ trigger.d }}"}},
        {"type": "TABLE", "config": {"table": "{{ trigger.e }}", "operation": "count"}},
    )


def test_the_data_picker_knows_the_columns_before_the_first_run(backends: Backends, account: Account) -> None:
    with Session(backends.engine):
        action = {"type": "TABLE", "config": {"operation": "find", "table": "people"}}
        sample = sample_output(load_catalog(), account, action)
    assert sample is not None
    assert list(sample["rows"][0])[1:7] == ["email", "age", "paid", "since", "more", "town"]
    assert sample_output(load_catalog(), account, {"type": "TABLE", "config": {"table": "nothing"}}) is None
