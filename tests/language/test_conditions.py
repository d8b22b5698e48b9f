"""Conditions stand between their braces as a whole."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.plan import compile_plan

IF = "{{ trigger.body.n == 5 }}"


def problems(*actions: dict[str, Any]) -> dict[str, str]:
    return {problem.pointer: problem.message for problem in check(parse({"name": "w", "actions": list(actions)}))}


def conditional(when: str) -> list[tuple[dict[str, Any], str]]:
    """An action with the condition at each place for one, and the pointer to it."""
    inner = [{"type": "TRANSFORM", "config": {"output": {}}}]
    return [
        ({"type": "TRANSFORM", "config": {"output": {}}, "when": when}, "/actions/0/when"),
        ({"type": "BRANCH", "branches": [{"when": when, "actions": inner}]}, "/actions/0/branches/0/when"),
        ({"type": "REPEAT", "config": {"until": when}, "actions": inner}, "/actions/0/config/until"),
    ]


@pytest.mark.parametrize(
    ("when", "advice"),
    [
        ("{{ trigger.body.n }} == 5", "did you mean {{ trigger.body.n == 5 }}?"),
        ("not {{ trigger.body.done }}", "did you mean {{ not trigger.body.done }}?"),
        ("{{ trigger.a }} and {{ trigger.b }}", "did you mean {{ trigger.a and trigger.b }}?"),
        ("{{ trigger.a }}{{ trigger.b }}", "put all of the condition between {{ and }}"),
        ("{{ trigger.n > 5 }} today", "put all of the condition between {{ and }}"),
        ("={{ trigger.n > 5 }}", "put all of the condition between {{ and }}"),
        ('"{{ trigger.n > 5 }}"', "put all of the condition between {{ and }}"),
    ],
)
def test_text_around_the_braces_is_refused_with_what_was_meant(when: str, advice: str) -> None:
    for action, at in conditional(when):
        assert problems(action) == {at: f"has text around its braces, so it would always hold; {advice}"}


@pytest.mark.parametrize("when", [IF, f" {IF}", f"{IF}\n", f"\n  {IF}\n"])
def test_blanks_around_them_do_not_count(when: str) -> None:
    for action, _ in conditional(when):
        assert problems(action) == {}
    transform, branch, repeat = (
        compile_plan({"actions": [action]}, templated=True).steps[0] for action, _ in conditional(when)
    )
    assert (transform.when, branch.bodies[0].when, repeat.config["until"]) == (IF, IF, IF)


def test_other_fields_of_that_name_are_text() -> None:
    assert problems({"type": "TRANSFORM", "config": {"output": {"when": "on {{ trigger.day }}"}}}) == {}


def test_a_condition_that_cannot_be_read_has_one_problem() -> None:
    assert list(problems({"type": "TRANSFORM", "config": {"output": {}}, "when": "{{ trigger. }} == 5"})) == [
        "/actions/0/when"
    ]
