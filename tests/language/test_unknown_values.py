"""Expressions over data of which a part is not known before a run."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.execution.conditions import holds
from flowforge.language.expressions.unknown_values import (
    UncertainOutput,
    Undecided,
    Unknown,
    first_unknown,
    resolve_known,
    unknown_in,
    unknown_pointers,
)

SCOPE: dict[str, Any] = {
    "trigger": {"n": 1, "which": "far"},
    "steps": {
        "far": Unknown("far"),
        "near": {"rows": [1, Unknown("inner")]},
        "maybe": UncertainOutput({"x": 5}, "maybe"),
    },
    "item": Unknown("item", is_root=True),
}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{ trigger.n }}", None),
        ("{{ steps.far.rows[0] }}", "far"),
        ("{{ steps.far | default(1) }}", "far"),
        ("{{ item.name }}", "item"),
        ("{{ steps[trigger.which] }}", "far"),
        ("{{ steps.near.rows[0] }}", None),
        ("{{ steps.near.rows | length }}", "inner"),
        ("{{ steps.maybe.x }}", None),
        ("{{ steps.maybe }}", None),
        ("{{ steps.maybe.x | default(0) }}", "maybe"),
        ("{{ steps.maybe is defined }}", "maybe"),
        ("{{ steps.nothing.x }}", None),
        ("{{ broken", None),
        ("(not known: far)", None),
    ],
)
def test_an_expression_that_takes_something_unknown_is_unknown(text: str, name: str | None) -> None:
    found = unknown_in(text, SCOPE)
    assert (found.name if found else None) == name


def test_whether_a_step_is_among_all_of_them_is_not_known_where_it_may_not_run() -> None:
    found = unknown_in("{{ steps | length }}", {"steps": {"maybe": UncertainOutput({}, "maybe")}})
    assert found is not None
    assert found.name == "maybe"


def test_the_rest_of_a_value_is_computed() -> None:
    value = {"a": "{{ trigger.n + 1 }}", "b": ["{{ steps.far.x }}!", "text"]}
    resolved = resolve_known(value, SCOPE, step="it")
    assert resolved == {"a": 2, "b": ["(not known: far)", "text"]}
    assert unknown_pointers(resolved, ("config",)) == ["/config/b/0"]
    known = first_unknown(resolved)
    assert known is not None
    assert "'far' is not known yet" in known.reason


def test_a_condition_that_takes_something_unknown_is_undecided() -> None:
    with pytest.raises(Undecided):
        holds(resolve_known("{{ steps.far.ok }}", SCOPE, step="it", field="when"))
