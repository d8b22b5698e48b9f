"""What is found wrong with expressions when a workflow is saved."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.evaluation import names


def problems(*actions: dict[str, Any]) -> list[tuple[str, str]]:
    definition = parse({"name": "orders", "actions": [{"type": "TRANSFORM", **action} for action in actions]})
    return [(problem.pointer, problem.message) for problem in check(definition)]


def test_references_to_known_roots_and_earlier_steps_are_fine() -> None:
    assert not problems(
        {"id": "fetch", "config": {"url": "{{ trigger.body.url }}/{{ workflow.id }}/{{ execution.id }}?{{ now }}"}},
        {"config": {"a": "{{ steps.fetch.items[0] }}", "b": "{{ steps.step_0.x }}", "c": "{{ steps['fetch'] }}"}},
        {"config": {"all": "{{ steps }}", "computed": "{{ steps[trigger.which] }}", "one": "{{ steps.step_1.y }}"}},
    )


def test_actions_without_config_are_fine() -> None:
    assert not problems({}, {"config": None}, {"config": {}})


def test_an_unknown_root_names_the_nearest() -> None:
    assert problems({"config": {"url": "{{ triger.body }}"}}) == [
        ("/actions/0/config/url", "'triger' is not known; did you mean 'trigger'? (in {{ triger.body }})")
    ]


def test_an_unknown_step_names_the_nearest() -> None:
    assert problems({"id": "fetch"}, {"config": {"url": "{{ steps.fetsh.x }}"}}) == [
        ("/actions/1/config/url", "there is no earlier step 'fetsh'; did you mean 'fetch'? (in {{ steps.fetsh.x }})")
    ]


def test_a_step_cannot_use_its_own_output_or_a_later_one() -> None:
    found = problems(
        {"id": "first", "config": {"a": "{{ steps.first }}", "b": "{{ steps.second.x }}", "c": "{{ steps.step_1 }}"}},
        {"id": "second"},
    )
    assert [pointer for pointer, _ in found] == [f"/actions/0/config/{name}" for name in "abc"]
    assert all("has not run by then" in message for _, message in found)


def test_a_disabled_step_has_no_output_unless_the_expression_provides_for_it() -> None:
    [(pointer, message)] = problems(
        {"id": "off", "enabled": False},
        {
            "config": {
                "a": "{{ steps.off.x }}",
                "b": "{{ steps.off.x | default(1) }}",
                "c": "{{ steps.off is defined }}",
            }
        },
    )
    assert pointer == "/actions/1/config/a"
    assert "disabled" in message


def test_what_cannot_be_read_is_a_problem_of_its_field() -> None:
    found = problems(
        {
            "config": {
                "headers": {"a/b": "{{ 1 + }}"},
                "rows": ["fine", "{{ trigger.x | nope }}"],
                "loop": "{% for x in y %}",
                "comment": "{# no #}",
                "open": "{{ trigger",
            }
        }
    )
    assert [pointer for pointer, _ in found] == [
        "/actions/0/config/headers/a~1b",
        "/actions/0/config/rows/1",
        "/actions/0/config/loop",
        "/actions/0/config/comment",
        "/actions/0/config/open",
    ]


def test_all_problems_of_one_text_are_reported() -> None:
    assert len(problems({"config": {"text": "{{ a }} {{ trigger.fine }} {{ b }} {{ steps.c }}"}})) == 3


def test_the_expressions_of_a_disabled_step_are_checked_too() -> None:
    assert len(problems({"enabled": False, "config": {"text": "{{ nope }}"}})) == 1


def test_a_step_inside_a_later_block_or_its_own_handler_has_not_run() -> None:
    found = problems(
        {"config": {"later": "{{ steps.inner.x }}", "own": "{{ steps.handler.x }}"}, "onError": [_step("handler")]},
        {"type": "BRANCH", "branches": [{"when": True, "actions": [_step("inner")]}]},
    )
    assert [pointer for pointer, _ in found] == ["/actions/0/config/later", "/actions/0/config/own"]
    assert all("has not run by then" in message for _, message in found)


def test_a_step_of_a_loop_inside_a_branch_is_hidden_outside_of_the_branch() -> None:
    loop = {"id": "each", "type": "FOR_EACH", "config": {"items": []}, "actions": [_step("inner")]}
    [(_, message)] = problems(
        {"type": "BRANCH", "branches": [{"when": True, "actions": [loop]}]},
        {"config": {"x": "{{ steps.inner.x }}"}},
    )
    assert "runs once for every item of 'each'" in message


def test_an_unknown_filter_and_an_unknown_name_are_told_at_once() -> None:
    assert problems({"config": {"x": "{{ sceps.q | lowr }} {{ trigger.a is numbr }} {{ stepz.b }}"}}) == [
        (
            "/actions/0/config/x",
            "there is no filter 'lowr'; did you mean 'lower'? (in {{ sceps.q | lowr }})",
        ),
        ("/actions/0/config/x", "'sceps' is not known; did you mean 'steps'? (in {{ sceps.q | lowr }})"),
        ("/actions/0/config/x", "there is no test 'numbr'; did you mean 'number'? (in {{ trigger.a is numbr }})"),
        ("/actions/0/config/x", "'stepz' is not known; did you mean 'steps'? (in {{ stepz.b }})"),
    ]


def test_all_unknown_names_of_one_expression_are_told_each_once() -> None:
    text = "{{ trigger.a | lowr | defalt(trigger.b | uper) | lowr is numbr }}"
    assert [message for _, message in problems({"config": {"x": text}})] == [
        f"there is no {what}; did you mean '{nearest}'? (in {text})"
        for what, nearest in (
            ("filter 'lowr'", "lower"),
            ("filter 'uper'", "upper"),
            ("filter 'defalt'", "default"),
            ("test 'numbr'", "number"),
        )
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ (1 }}", "{{ has no }} that ends it: the brackets in between do not match (in '{{ (1 }}')"),
        (
            "Dear Ada, you owe us {{ trigger.total",
            "{{ has no }} that ends it (in '…ear Ada, you owe us {{ trigger.total')",
        ),
        ("{{ 'a }} and so on", "a quote is not closed (in '{{ 'a }} and so on')"),
    ],
)
def test_what_has_no_end_is_shown_with_the_text_around_it(text: str, message: str) -> None:
    assert problems({"config": {"x": text}}) == [("/actions/0/config/x", message)]


def test_the_text_around_a_statement_is_shown() -> None:
    [(_, message)] = problems({"config": {"x": "Hello {% for x in y %}"}})
    assert message.endswith("(in 'Hello {% for x in y %}')")


class TestHints:
    """Comparing names is dear: what counts is how often it is done."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        asked: list[str] = []
        real = names.hint
        monkeypatch.setattr(names, "hint", lambda name, existing: asked.append(name) or real(name, existing))
        return asked

    def test_the_same_question_is_answered_once(self, asked: list[str]) -> None:
        found = problems({"id": "fetch"}, {"config": {"list": ["{{ steps.fetsh }}"] * 500}})
        assert len(found) == 500
        assert all("did you mean 'fetch'?" in message for _, message in found)
        assert asked == ["fetsh"]

    @pytest.mark.parametrize(
        "expression", ["steps.{}", "{}", "resume.{}", "trigger.x | {}", "trigger.x is {}"], ids=lambda text: text
    )
    def test_after_many_problems_there_are_no_more(self, asked: list[str], expression: str) -> None:
        texts = [f"{{{{ {expression.format(f'nothing{number}')} }}}}" for number in range(1_000)]
        found = problems(
            {"id": "fetch"}, {"id": "ok", "type": "WAIT", "config": {"for": "resume"}}, {"config": {"l": texts}}
        )
        assert len(found) == 1_000
        assert len(asked) == 50


def _step(identifier: str) -> dict[str, Any]:
    return {"id": identifier, "type": "TRANSFORM", "config": {}}
