"""What is found wrong with blocks when a workflow is saved: their shape, and what can be seen from where."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.errors import Invalid
from flowforge.language.block import ConfigUnusable
from flowforge.language.blocks import BLOCKS
from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.plan import compile_plan

Action = dict[str, Any]


def problems(*actions: Action, **more: Any) -> list[tuple[str, str]]:
    definition = parse({"name": "orders", "actions": list(actions), **more})
    return [(problem.pointer, problem.message) for problem in check(definition)]


def says(id_: str, text: str) -> Action:
    return {"type": "TRANSFORM", "id": id_, "config": {"output": {"text": text}}}


def branch(*ways: list[Action], **more: Any) -> Action:
    return {"type": "BRANCH", "branches": [{"when": True, "actions": way} for way in ways], **more}


def loop(*actions: Action, **config: Any) -> Action:
    return {"type": "FOR_EACH", "id": "each", "config": {"items": [1], **config}, "actions": list(actions)}


def repeat(*actions: Action, **config: Any) -> Action:
    return {"type": "REPEAT", "id": "again", "config": config, "actions": list(actions)}


def parallel(*lanes: list[Action], **more: Any) -> Action:
    return {"type": "PARALLEL", "id": "both", "branches": [{"actions": lane} for lane in lanes], **more}


@pytest.mark.parametrize(
    ("action", "pointer", "words"),
    [
        ({"type": "BRANCH"}, "/branches", "at least one branch"),
        ({"type": "BRANCH", "branches": [{"actions": []}]}, "/branches/0/when", "is required"),
        ({"type": "BRANCH", "branches": [{"when": "yes"}]}, "/branches/0/when", "needs an expression"),
        ({"type": "BRANCH", "branches": [{"when": True, "name": "else"}], "else": []}, "/branches/0/name", "another"),
        ({"type": "PARALLEL", "branches": [{"when": True}]}, "/branches/0/when", "has no meaning"),
        ({"type": "PARALLEL", "branches": [{}], "else": []}, "/else", "has no else"),
        ({"type": "FOR_EACH"}, "/config/items", "is required"),
        ({"type": "REPEAT", "config": {"until": 5}}, "/config/until", "must be text or true or false"),
        ({"type": "REPEAT", "config": {"until": True, "delay": 1e9}}, "/config/delay", "must be at most 31622400"),
        ({"type": "FOR_EACH", "config": {"items": 3}}, "/config/items", "must be a list"),
        ({"type": "FOR_EACH", "config": {"items": [], "concurrency": 0}}, "/config/concurrency", "at least 1"),
        ({"type": "FOR_EACH", "config": {"items": [], "onItemError": "go"}}, "/config/onItemError", "'stop'"),
        (
            {"type": "FOR_EACH", "config": {"items": [], "onItemError": "{{ trigger.mode }}"}},
            "/config/onItemError",
            "takes no expression: onItemError must be 'stop' or 'continue'",
        ),
        (
            {"type": "WAIT", "config": {"for": "{{ trigger.how }}"}},
            "/config/for",
            "takes no expression: for must be 'resume' or 'approval'",
        ),
        ({"type": "REPEAT"}, "/config/until", "is required"),
        ({"type": "REPEAT", "config": {"until": "done"}}, "/config/until", "needs an expression"),
        ({"type": "REPEAT", "config": {"until": True, "most": 10_001}}, "/config/most", "at most 10000"),
        ({"type": "REPEAT", "config": {"until": True, "delay": -1}}, "/config/delay", "at least 0"),
        (
            {"type": "REPEAT", "config": {"until": True, "onMost": "{{ trigger.mode }}"}},
            "/config/onMost",
            "takes no expression: onMost must be 'fail' or 'continue'",
        ),
        ({"type": "WAIT"}, "/config", "needs one of"),
        ({"type": "WAIT", "config": {"seconds": 1, "until": "2026-01-01"}}, "/config", "needs one of"),
        ({"type": "WAIT", "config": {"seconds": -1}}, "/config/seconds", "at least 0"),
        ({"type": "WAIT", "config": {"until": "tomorrow"}}, "/config/until", "tomorrow"),
        ({"type": "RUN_WORKFLOW", "config": {"workflowId": "x"}}, "/config/workflowId", "UUID"),
        ({"type": "STOP", "config": {"status": "done"}}, "/config/status", "'completed'"),
        ({"type": "RESPOND", "config": {"status": 99}}, "/config/status", "at least 200"),
        ({"type": "STOP", "retry": {"attempts": 2}}, "/retry", "cannot be tried again"),
        ({"type": "WAIT", "config": {"seconds": 1}, "timeout": 3}, "/timeout", "no time limit"),
        ({"type": "WAIT", "config": {"seconds": 1}, "afterCrash": "again"}, "/afterCrash", "calls nobody"),
        ({"type": "TRANSFORM", "actions": []}, "/actions", "holds no actions"),
        ({"type": "TRANSFORM", "branches": []}, "/branches", "has no branches"),
        ({"type": "TRANSFORM", "when": "always"}, "/when", "needs an expression"),
    ],
)
def test_a_block_of_the_wrong_shape_is_told_where(action: Action, pointer: str, words: str) -> None:
    found = problems(action)
    assert [place for place, _ in found] == [f"/actions/0{pointer}"]
    assert words in found[0][1]


def test_a_field_that_holds_an_expression_is_not_judged_before_it_is_computed() -> None:
    assert not problems(
        {"type": "WAIT", "config": {"seconds": "{{ trigger.seconds }}"}},
        {"type": "RUN_WORKFLOW", "config": {"workflowId": "{{ trigger.id }}", "payload": "{{ trigger.payload }}"}},
        {"type": "FOR_EACH", "config": {"items": "{{ trigger.items }}"}, "actions": []},
    )


def test_all_problems_of_a_tree_are_told_at_once() -> None:
    found = problems(
        branch([{"type": "STOP", "config": {"status": 3}}, loop(says("x", "{{ itm }}"))]), {"type": "WAIT"}
    )
    assert [pointer for pointer, _ in found] == [
        "/actions/0/branches/0/actions/0/config/status",
        "/actions/1/config",
        "/actions/0/branches/0/actions/1/actions/0/config/output/text",
    ]


class TestWhatCanBeSeen:
    def test_a_way_of_a_branch_is_seen_from_after_it(self) -> None:
        assert not problems(branch([says("a", "x")]), says("b", "{{ steps.a.text | default('none') }}"))

    def test_another_way_is_not(self) -> None:
        found = problems(branch([says("a", "x")], [says("b", "{{ steps.a.text }}")]))
        assert "is in another branch" in found[0][1]

    def test_parallel_branches_see_each_other_only_afterwards(self) -> None:
        assert not problems(parallel([says("a", "x")], [says("b", "y")]), says("c", "{{ steps.a.text }}"))
        found = problems(parallel([says("a", "x")], [says("b", "{{ steps.a.text }}")]))
        assert "is in another branch" in found[0][1]

    def test_a_loop_gives_its_results_only(self) -> None:
        assert not problems(loop(says("a", "{{ item }}")), says("b", "{{ steps.each.results }}"))
        found = problems(loop(says("a", "{{ item }}")), says("b", "{{ steps.a.text }}"))
        assert "use the results of 'each'" in found[0][1]

    def test_what_a_loop_collects_sees_its_steps_and_its_items_do_not(self) -> None:
        assert not problems(loop(says("a", "x"), collect="{{ [steps.a.text, item, loop.index] }}"))
        found = problems(loop(says("a", "x"), items="{{ steps.a.text }}"))
        assert [pointer for pointer, _ in found] == ["/actions/0/config/items"]

    def test_the_expressions_after_a_round_see_its_steps_and_what_it_begins_with_does_not(self) -> None:
        seen = {"until": "{{ steps.a.text == carry }}", "carry": "{{ round.number }}", "collect": "{{ steps.a.text }}"}
        assert not problems(repeat(says("a", "{{ round.last }}"), **seen))
        found = problems(repeat(says("a", "x"), until=True, start="{{ steps.a.text }}", most="{{ round.number }}"))
        assert {pointer for pointer, _ in found} == {"/actions/0/config/start", "/actions/0/config/most"}

    def test_from_outside_only_what_comes_of_the_rounds_is_seen(self) -> None:
        assert not problems(repeat(says("a", "x"), until=True), says("b", "{{ steps.again.last }}"))
        found = problems(repeat(says("a", "x"), until=True), says("b", "{{ steps.a.text }}"))
        assert "runs once for every round of 'again'" in found[0][1]

    def test_a_step_inside_a_block_cannot_use_the_block(self) -> None:
        found = problems(loop(says("a", "{{ steps.each.count }}")))
        assert "this is inside it" in found[0][1]

    def test_a_handler_sees_the_error_and_the_step_it_handles(self) -> None:
        handler = says("mend", "{{ error.message ~ steps.call.error.message }}")
        assert not problems({"type": "TRANSFORM", "id": "call", "onError": [handler]})

    @pytest.mark.parametrize("root", ["item", "loop", "round", "carry", "error"])
    def test_what_belongs_to_a_block_is_not_known_outside(self, root: str) -> None:
        found = problems(says("a", f"{{{{ {root} }}}}"))
        assert "is not known here" in found[0][1]

    def test_the_link_of_a_wait_is_known_where_it_waits(self) -> None:
        wait = {"type": "WAIT", "id": "ok", "config": {"for": "approval"}}
        assert not problems(says("a", "{{ resume.ok.approveUrl }}"), wait)
        assert not problems(loop(says("a", "{{ resume.ok.url }}"), wait))
        assert "another loop" in problems(says("a", "{{ resume.ok.url }}"), loop(wait))[0][1]
        assert "did you mean 'ok'" in problems(says("a", "{{ resume.ok2.url }}"), wait)[0][1]


def test_the_key_of_a_limit_is_made_of_the_trigger() -> None:
    settings = {"concurrency": {"limit": 1, "key": "{{ steps.a.x }}"}}
    [(pointer, message)] = problems(settings=settings)
    assert (pointer, "'steps' is not known here" in message) == ("/settings/concurrency/key", True)


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"timeout": 0}, "/settings/timeout"),
        ({"concurrency": {}}, "/settings/concurrency/limit"),
        ({"concurrency": {"limit": 1, "onLimit": "wait"}}, "/settings/concurrency/onLimit"),
        ({"rateLimit": {"limit": 0, "seconds": 1}}, "/settings/rateLimit/limit"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse({"name": "w", "settings": settings})
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


def test_blocks_may_be_nested_ten_deep() -> None:
    def nested(levels: int) -> Action:
        return {"type": "FOR_EACH", "config": {"items": [1]}, "actions": [nested(levels - 1)] if levels else []}

    parse({"name": "w", "actions": [nested(10)]})
    with pytest.raises(Invalid, match="10 levels"):
        parse({"name": "w", "actions": [nested(11)]})


def test_actions_inside_blocks_count() -> None:
    with pytest.raises(Invalid, match="more than 1,000 actions"):
        parse({"name": "w", "actions": [{"type": "FOR_EACH", "actions": [{"type": "X"}] * 1_000}]})


@pytest.mark.parametrize("on_error", ["stop", 3, {"type": "X"}])
def test_on_error_is_a_word_or_a_list(on_error: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse({"name": "w", "actions": [{"type": "X", "onError": on_error}]})
    assert [problem.pointer for problem in refused.value.problems] == ["/actions/0/onError"]


@pytest.mark.parametrize("block", BLOCKS.values(), ids=lambda block: block.type)
def test_every_block_tells_about_itself(block: Any) -> None:
    assert block.title
    assert block.help
    assert all(field.get("title") for field in block.config_schema().get("properties", {}).values())


def test_a_config_that_turns_out_wrong_names_its_fields() -> None:
    with pytest.raises(ConfigUnusable, match="concurrency must be at most 100"):
        BLOCKS["FOR_EACH"].parse({"items": [], "concurrency": 101})


def test_compiling_reads_no_expression() -> None:
    """So that it stays fast: a definition of the largest size compiles without meeting the expressions' parser."""
    actions = [says(f"s{number}", "{{ this is ( no expression }}") for number in range(1_000)]
    assert compile_plan({"actions": actions}, templated=True).length == 1_000
