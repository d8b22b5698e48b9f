"""What a new file of an API changes, told by field."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.apis.differences import difference
from tests.apis.descriptions import described


def node(schema: Any = None, answer: Any = None, **said: Any) -> dict[str, Any]:
    body = {"requestBody": {"content": {"application/json": {"schema": schema}}}} if schema is not None else {}
    answers = {"responses": {"200": {"content": {"application/json": {"schema": answer}}}}} if answer else {}
    return {"post": {"operationId": "it", **body, **answers, **said}}


def changes(old: Any, new: Any) -> dict[str, str]:
    found = difference(described(paths={"/x": old}), described(paths={"/x": new}))
    return {problem.pointer: problem.message for problem in found.changed.get("it", ())}


def test_operations_come_and_go() -> None:
    one, two = {"get": {"operationId": "one"}}, {"get": {"operationId": "two"}}
    found = difference(described(paths={"/one": one}), described(paths={"/two": two}))
    assert [entry.id for entry in found.added] == ["two"]
    assert [entry.id for entry in found.removed] == ["one"]
    assert found.changed == {}


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ({"properties": {"a": {}}}, {"properties": {}}, {"/body/a": "is gone"}),
        ({"properties": {}}, {"properties": {"a": {}}}, {"/body/a": "is new"}),
        ({"properties": {}}, {"properties": {"a": {}}, "required": ["a"]}, {"/body/a": "is new, and required"}),
        ({"properties": {"a": {}}}, {"properties": {"a": {}}, "required": ["a"]}, {"/body/a": "is required now"}),
        (
            {"properties": {"a": {"type": "string"}}},
            {"properties": {"a": {"type": "integer"}}},
            {"/body/a": "is a whole number now, not text"},
        ),
        (
            {"properties": {"a": {"enum": ["x", "y"]}}},
            {"properties": {"a": {"enum": ["x", "z"]}}},
            {"/body/a": "is not y any more"},
        ),
        (
            {"properties": {"a": {"type": "string"}}},
            {"properties": {"a": {"type": "string", "maxLength": 5}}},
            {"/body/a": "has other limits"},
        ),
        (
            {"items": {"properties": {"a": {}}}},
            {"items": {"properties": {}}},
            {"/body/0/a": "is gone"},
        ),
        ({"description": "old", "type": "object"}, {"description": "new", "type": "object"}, {}),
    ],
)
def test_changes_stand_at_their_field(old: Any, new: Any, change: Any) -> None:
    assert changes(node(old), node(new)) == change


def test_changes_of_the_answer_are_told() -> None:
    old, new = {"properties": {"id": {"type": "string"}}}, {"properties": {"id": {"type": "integer"}}}
    assert changes(node(answer=old), node(answer=new)) == {"/answer/id": "is a whole number now, not text"}


def test_an_operation_that_moved_or_became_unusable_is_told() -> None:
    old = described(paths={"/x": node()})
    moved = described(paths={"/y": node()})
    broken = described(paths={"/x": node(parameters=[{"$ref": "#/none"}])})
    assert [str(each) for each in difference(old, moved).changed["it"]] == ["is POST /y now"]
    assert "cannot be used any more" in str(difference(old, broken).changed["it"][0])


def test_only_the_operations_that_are_asked_for_are_compared() -> None:
    old, new = described(paths={"/x": node({"properties": {"a": {}}})}), described(paths={"/x": node({})})
    assert difference(old, new, of=()).changed == {}
    assert list(difference(old, new, of=("it",)).changed) == ["it"]
