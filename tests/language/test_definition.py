"""Reading workflow definitions."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.errors import Invalid, Problem, at_most
from flowforge.language.check import check
from flowforge.language.definition import LONGEST_NOTE, MAX_ACTIONS, MAX_BYTES, RetryPolicy, parse, read
from flowforge.language.plan import compile_plan


def problems(raw: object) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(raw)
    return {problem.pointer: problem.message for problem in caught.value.problems}


def with_action(**keys: Any) -> dict[str, Any]:
    return {"name": "orders", "actions": [{"type": "HTTP_REQUEST", **keys}]}


def test_the_contracts_definition_is_read() -> None:
    definition = parse(
        {
            "name": "orders",
            "trigger": {"type": "webhook", "config": {}},
            "actions": [{"type": "SLACK_MESSAGE", "config": {"message": "hello"}}],
        }
    )
    assert definition.trigger is not None
    assert definition.trigger.type == "webhook"
    assert definition.actions[0].config == {"message": "hello"}


def test_types_are_read_in_any_case() -> None:
    definition = parse({"name": "x", "trigger": {"type": "WebHook"}, "actions": [{"type": "Slack_message"}]})
    assert definition.dump() == {
        "name": "x",
        "trigger": {"type": "webhook"},
        "actions": [{"type": "SLACK_MESSAGE"}],
    }


def test_an_action_without_config_is_read_and_stays_without() -> None:
    definition = parse({"name": "x", "actions": [{"type": "SLACK_MESSAGE"}]})
    assert definition.actions[0].config is None
    assert definition.dump()["actions"] == [{"type": "SLACK_MESSAGE"}]


@pytest.mark.parametrize("raw", [{"name": "x"}, {"name": "x", "actions": None, "trigger": None}])
def test_actions_and_trigger_may_be_absent_or_null(raw: dict[str, Any]) -> None:
    assert parse(raw).dump() == {"name": "x", "trigger": None, "actions": []}


def test_our_optional_keys_survive_and_unknown_ones_are_dropped() -> None:
    action = {
        "type": "HTTP_REQUEST",
        "config": {"url": "https://shop.example", "unknown": {"kept": [1, None]}},
        "id": "fetch",
        "name": "Fetch the order",
        "retry": {"attempts": 3, "delay": 0.5, "factor": 1, "maxDelay": 10, "jitter": False},
        "timeout": 30,
        "enabled": False,
    }
    assert parse(with_action(**action, colour="red")).dump()["actions"] == [action]


def test_a_retry_policy_has_defaults() -> None:
    assert parse(with_action(retry={"attempts": 2})).actions[0].retry == RetryPolicy(attempts=2)
    assert RetryPolicy(attempts=2).max_delay == 300


@pytest.mark.parametrize(
    ("raw", "pointer", "message"),
    [
        (5, "", "must be an object"),
        (None, "", "must be an object"),
        ([], "", "must be an object"),
        ({}, "/name", "is required"),
        ({"name": 5}, "/name", "must be text"),
        ({"name": "  "}, "/name", "must not be empty"),
        ({"name": "a\x00b"}, "/name", "must not contain the NUL character"),
        ({"name": "x" * 256}, "/name", "must have at most 255 characters"),
        ({"name": "x", "actions": {}}, "/actions", "must be a list"),
        ({"name": "x", "actions": "[]"}, "/actions", "must be a list"),
        ({"name": "x", "actions": [5]}, "/actions/0", "must be an object"),
        ({"name": "x", "actions": [{}]}, "/actions/0/type", "is required"),
        ({"name": "x", "actions": [{"type": 5}]}, "/actions/0/type", "must be text"),
        ({"name": "x", "actions": [{"type": "naïve"}]}, "/actions/0/type", "must be plain ASCII characters"),
        ({"name": "x", "trigger": []}, "/trigger", "must be an object"),
        ({"name": "x", "trigger": {}}, "/trigger/type", "is required"),
        ({"name": "x", "trigger": {"type": "webhook", "config": 1}}, "/trigger/config", "must be an object"),
        (with_action(config=[]), "/actions/0/config", "must be an object"),
        (with_action(enabled="yes"), "/actions/0/enabled", "must be true or false"),
        (with_action(timeout=0), "/actions/0/timeout", "must be more than 0"),
        (with_action(timeout=True), "/actions/0/timeout", "must be a number"),
        (with_action(timeout="5"), "/actions/0/timeout", "must be a number"),
        (with_action(retry=5), "/actions/0/retry", "must be an object"),
        (with_action(retry={"attempts": 0}), "/actions/0/retry/attempts", "must be at least 1"),
        (with_action(retry={"attempts": 1.5}), "/actions/0/retry/attempts", "must be a whole number"),
        (with_action(retry={"maxDelay": 10**6}), "/actions/0/retry/maxDelay", "must be at most 86400"),
    ],
)
def test_what_cannot_be_used_is_named(raw: object, pointer: str, message: str) -> None:
    assert problems(raw) == {pointer: message}


def test_all_problems_are_reported_at_once() -> None:
    raw = {"name": 5, "trigger": 1, "actions": [{"config": []}, {"type": "A", "timeout": -1}]}
    assert set(problems(raw)) == {
        "/name",
        "/trigger",
        "/actions/0/type",
        "/actions/0/config",
        "/actions/1/timeout",
    }


@pytest.mark.parametrize("identifier", ["1st", "two words", "a-b", "a.b", "", "é", "x" * 65, "{{ x }}"])
def test_an_id_has_to_fit_into_an_expression(identifier: str) -> None:
    assert problems(with_action(id=identifier)).keys() == {"/actions/0/id"}


def test_an_id_cannot_look_like_a_position() -> None:
    assert "by its position" in problems(with_action(id="step_7"))["/actions/0/id"]


def test_ids_are_unique() -> None:
    actions = [{"type": "A", "id": "same"}, {"type": "A"}, {"type": "A", "id": "same"}]
    assert problems({"name": "x", "actions": actions}) == {"/actions/2/id": "'same' is the id of /actions/0 already"}


def test_there_is_a_largest_number_of_actions() -> None:
    assert len(parse({"name": "x", "actions": [{"type": "A"}] * MAX_ACTIONS}).actions) == MAX_ACTIONS
    assert problems({"name": "x", "actions": [{"type": "A"}] * (MAX_ACTIONS + 1)}).keys() == {"/actions"}


def test_there_is_a_largest_size() -> None:
    assert "bytes of JSON" in problems(with_action(config={"text": "x" * MAX_BYTES}))[""]


def test_there_is_a_deepest_nesting() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    [(pointer, message)] = problems(with_action(config={"deep": deep})).items()
    assert pointer.startswith("/actions/0/config/deep/0/0")
    assert "nested" in message


def test_what_is_not_json_is_refused() -> None:
    assert "JSON" in problems(with_action(config={"value": object()}))[""]


class TestWhatIsLeft:
    """Of a definition of the wrong shape: everything that has the right one, in its place."""

    def test_parts_that_are_wrong_are_left_out(self) -> None:
        reading = read(
            {
                "name": 5,
                "trigger": {"config": {}},
                "settings": {"timeout": 60, "concurrency": {"limit": "two", "key": "{{ trigger.x }}"}},
                "actions": [
                    {"type": "A", "id": "fine", "timeout": "5", "retry": {"attempts": "two", "delay": 3}},
                    7,
                    {"id": "untyped", "config": {"x": 1}},
                    {"type": "BRANCH", "branches": [{"when": 1, "actions": [{"type": "B", "config": []}]}, None]},
                ],
            }
        )
        assert reading.definition is not None
        assert reading.definition.dump() == {
            "name": "?",
            "trigger": None,
            "settings": {"timeout": 60},
            "actions": [
                {"type": "A", "id": "fine", "retry": {"delay": 3}},
                {"type": "?"},
                {"type": "?", "id": "untyped", "config": {"x": 1}},
                {"type": "BRANCH", "branches": [{"actions": [{"type": "B"}]}, {}]},
            ],
        }
        assert [problem.pointer for problem in reading.problems] == [
            "/actions/0/retry/attempts",
            "/actions/0/timeout",
            "/actions/1",
            "/actions/2/type",
            "/actions/3/branches/0/when",
            "/actions/3/branches/0/actions/0/config",
            "/actions/3/branches/1",
            "/name",
            "/trigger/type",
            "/settings/concurrency/limit",
        ]
        assert reading.unidentified_steps == {"untyped"}

    def test_a_problem_of_a_part_that_is_left_out_is_recognised(self) -> None:
        reading = read({"name": "x", "actions": [{"type": "A", "config": []}, {"type": "A", "timeout": 0}]})
        assert reading.concerns_removed_part(Problem("/actions/0/config/url", "is required"))
        assert reading.concerns_removed_part(Problem("/actions/1/timeout", "is odd"))
        assert not reading.concerns_removed_part(Problem("/actions/1/config/url", "is required"))
        assert not reading.concerns_removed_part(Problem("/actions/1/timeouts", "is odd"))

    def test_what_is_too_large_is_not_looked_at_any_further(self) -> None:
        nested = {"type": "FOR_EACH", "actions": [1] * 999}
        reading = read({"name": "x", "actions": [nested] * 100})
        assert reading.definition is None
        assert [problem.pointer for problem in reading.problems] == ["/actions"]

    @pytest.mark.parametrize("raw", [5, [], {"name": "x", "actions": "none"}, {"name": "x", "actions": {"type": "A"}}])
    def test_nothing_is_left_of_what_is_none_at_all(self, raw: object) -> None:
        definition = read(raw).definition
        assert definition is None or definition.actions == []

    def test_numbers_of_steps_are_in_doubt_where_a_list_of_them_is_left_out(self) -> None:
        branches = [{"when": True, "actions": [{"type": "A"}]}] * 51
        reading = read({"name": "x", "actions": [{"type": "BRANCH", "branches": branches}, {"type": "A"}]})
        assert "step_52" in reading.unidentified_steps


def test_a_long_list_of_problems_ends_with_how_many_more_there_are() -> None:
    problems = [Problem(f"/{number}", "is wrong") for number in range(1_000)]
    assert at_most(problems[:200]) == problems[:200]
    told = at_most(problems)
    assert told == [*problems[:199], Problem("", "there are 801 more problems; these are the first ones")]


def test_notes_are_kept_and_change_nothing_in_the_plan() -> None:
    noted = {
        "name": "x",
        "settings": {"note": "On all."},
        "actions": [{"type": "A", "config": {}, "note": "{{ On one."}],
    }
    assert parse(noted).dump() == {**noted, "trigger": None}
    [step] = compile_plan(noted, templated=True).steps
    assert (step.name, step.config) == ("step_0", {})


def test_all_notes_together_are_bounded() -> None:
    noted = {"type": "TRANSFORM", "config": {"output": {}}, "note": "x" * LONGEST_NOTE}
    found = check(parse({"name": "x", "actions": [noted] * 11}))
    assert [problem.pointer for problem in found] == ["/actions/10/note"]
    assert "longer than 40,000 characters together" in found[0].message
