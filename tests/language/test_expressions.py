"""What expressions give."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from flowforge.language.expressions.resolving import ExpressionError, Reference, references, resolve
from flowforge.language.expressions.template import TemplateFailure

ITEMS = [{"id": 7, "name": "pen", "price": 1.5}, {"id": 9, "name": "ink", "price": 4}]
SCOPE: dict[str, Any] = {
    "trigger": {
        "body": {"email": "Ada@Example.org", "total": 12, "vip": True, "note": None, "tags": ["a", "b"], "_id": "m1"},
        "headers": {"content-type": "application/json"},
        "rows": {"0": "zero"},
    },
    "steps": {"fetch": {"items": ITEMS}, "step_0": {"items": ITEMS}},
    "workflow": {"id": "w-1", "name": "orders"},
    "execution": {"id": "e-1"},
    "now": datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC),
}


def value_of(expression: str) -> Any:
    return resolve(f"{{{{ {expression} }}}}", SCOPE, step="test", field="config.value")


def failure_of(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        resolve({"message": text}, SCOPE, step="notify", field="config")
    return caught.value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("trigger.body.email | lower", "ada@example.org"),
        ("steps.fetch.items[0].id", 7),
        ("steps.step_0.items[-1].name", "ink"),
        ("steps['fetch']['items'].0.name", "pen"),
        ("trigger.headers['content-type']", "application/json"),
        ("trigger.body._id", "m1"),
        ("trigger.rows[0]", "zero"),
        ("trigger.body.tags[1:]", ["b"]),
        ("trigger.body.email[:3]", "Ada"),
        ("trigger.body[trigger.body.tags[0] ~ 'x'] | default('none')", "none"),
        ("workflow.name ~ '/' ~ execution.id", "orders/e-1"),
        ("now", "2026-03-04T05:06:07.089Z"),
        ("trigger.body.total * 2 + 1", 25),
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("2 ** 10", 1024),
        ("-trigger.body.total", -12),
        ("7 / 2", 3.5),
        ("'a' + 'b'", "ab"),
        ("trigger.body.tags + ['c']", ["a", "b", "c"]),
        ("trigger.body.total > 10 and trigger.body.vip", True),
        ("1 < 2 < 3", True),
        ("'b' in trigger.body.tags", True),
        ("'z' not in 'abc'", True),
        ("'big' if trigger.body.total > 10 else 'small'", "big"),
        ("'big' if trigger.body.total > 100", None),
        ("trigger.body.note or 'nothing'", "nothing"),
        ("not trigger.body.vip", False),
        ("[1, trigger.body.total, {'a': none}]", [1, 12, {"a": None}]),
        ("{'nested': {'total': trigger.body.total}}", {"nested": {"total": 12}}),
        ("trigger.body.total is divisibleby 5", False),
        ("trigger.body.total is number", True),
        ("trigger.body.vip is number", False),
        ("trigger.body.missing is defined", False),
        ("trigger.missing.deeper is undefined", True),
        ("trigger.body.note is none", True),
        ("'{{ }} {%'", "{{ }} {%"),
        ('"it\'s"', "it's"),
    ],
)
def test_an_expression_has_a_value(expression: str, expected: Any) -> None:
    assert value_of(expression) == expected
    assert type(value_of(expression)) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{ trigger.body.email }}!", "Hello Ada@Example.org!"),
        ("{{ trigger.body.total }}{{ trigger.body.total }}", "1212"),
        ("is {{ trigger.body.vip }}", "is true"),
        ("<{{ trigger.body.note }}>", "<>"),
        ("tags: {{ trigger.body.tags }}", 'tags: ["a","b"]'),
        ("at {{ now }}", "at 2026-03-04T05:06:07.089Z"),
        ('{"order":{{ trigger.body.total }}}', '{"order":12}'),
        (" {{ trigger.body.total }}", " 12"),
        ("one\r\n{{ trigger.body.total }}\r\ntwo\n", "one\r\n12\r\ntwo\n"),
        ("}} {{ trigger.body.total }} %} #}", "}} 12 %} #}"),
    ],
)
def test_inside_text_a_value_becomes_text(text: str, expected: str) -> None:
    assert resolve(text, SCOPE, step="test") == expected


def test_lists_and_objects_are_walked_and_names_of_fields_left_alone() -> None:
    config = {"{{ x }}": ["{{ trigger.body.total }}", {"deep": "{{ trigger.body.vip }}"}], "plain": 5}
    assert resolve(config, SCOPE, step="test") == {"{{ x }}": [12, {"deep": True}], "plain": 5}


def test_nothing_that_was_passed_in_is_changed() -> None:
    config = {"list": ["{{ trigger.body.total }}"], "same": {"a": 1}}
    resolved = resolve(config, SCOPE, step="test")
    assert config == {"list": ["{{ trigger.body.total }}"], "same": {"a": 1}}
    assert resolved["same"] is config["same"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("trigger.body.emial", "trigger.body has no 'emial'; did you mean 'email'?"),
        ("trigger.bdy.email", "trigger has no 'bdy'; did you mean 'body'?"),
        ("tigger.body", "'tigger' is not known; did you mean 'trigger'?"),
        ("steps.fetsh.items", "steps has no 'fetsh'; did you mean 'fetch'?"),
        ("steps.fetch.items[5].id", "steps.fetch.items has no position 5: its length is 2"),
        ("trigger.body.email.domain", "trigger.body.email is text, so it has no 'domain'"),
        ("trigger.body.note.author", "trigger.body.note is null, so it has no 'author'"),
        ("trigger.rows.x", "trigger.rows has no 'x'; there is '0'"),
        ("trigger.body.total | uper", "there is no filter 'uper'; did you mean 'upper'?"),
        ("trigger.body.total is defned", "there is no test 'defned'; did you mean 'defined'?"),
        ("trigger.body.total | upper", "upper needs text, not a number"),
        ("trigger.body.email | replace('a')", "the filter is used as replace(old, new)"),
        ("trigger.body.total + 'x'", "+ cannot add a number and text; ~ joins anything as text"),
        ("trigger.body.total < 'x'", "< cannot compare a number with text"),
        ("1 / 0", "division by zero"),
        ("range(3)", "a function or method call"),
        ("trigger.body.email.upper()", "a function or method call"),
        ("", "there is nothing between {{ and }}"),
        ("a b", "the expression should end before 'b'"),
        ("1 +", "this is not an expression"),
        ("trigger..body", "this is not an expression"),
        ("trigger.body | default", None),
    ],
)
def test_a_failure_says_why_and_names_the_nearest_name(expression: str, message: str | None) -> None:
    if message is None:
        assert value_of(expression) == SCOPE["trigger"]["body"]
    else:
        assert message in failure_of(f"{{{{ {expression} }}}}").message


def test_a_failure_names_step_field_and_expression() -> None:
    failure = failure_of("Dear {{ trigger.body.emial }}, your secret word is hush")
    assert str(failure) == (
        "step 'notify', config.message: trigger.body has no 'emial'; did you mean 'email'?"
        " (in {{ trigger.body.emial }})"
    )
    assert (failure.step, failure.field, failure.text) == ("notify", "config.message", "{{ trigger.body.emial }}")


def test_a_failure_never_shows_data() -> None:
    scope = {"trigger": {"token": "hush-hush", "map": {}}}
    for expression in [
        "trigger.token | int",
        "trigger.map[trigger.token]",
        "trigger.token + 1",
        "trigger.token | date",
    ]:
        with pytest.raises(ExpressionError) as caught:
            resolve(f"{{{{ {expression} }}}}", scope, step="test")
        assert "hush" not in str(caught.value)


def test_the_field_of_a_failure_is_where_it_is() -> None:
    with pytest.raises(ExpressionError) as caught:
        resolve({"rows": ["fine", {"a": "{{ nope }}"}]}, SCOPE, step="test", field="config")
    assert caught.value.field == "config.rows[1].a"


@pytest.mark.parametrize("text", ["{% if x %}{{ 1 }}", "{{ 1 }}{# note #}", "{{- 1 }}", "{{ 1 -}}", "{{ 1", "{{ '1 }}"])
def test_only_whole_expressions_are_accepted(text: str) -> None:
    assert failure_of(text)


def test_data_has_no_python_attributes() -> None:
    scope = {"trigger": {"items": [1], "keys": "mine"}}
    assert resolve("{{ trigger.items }}", scope, step="test") == [1]
    assert resolve("{{ trigger.keys }}", scope, step="test") == "mine"
    assert resolve("{{ trigger.__class__ | default('none') }}", scope, step="test") == "none"


def test_references_are_found_with_their_places() -> None:
    config = {"url": "{{ steps.fetch.items[0].id }}/{{ trigger.a | default(trigger['b']) }}", "plain": "x"}
    fetch, trigger_a, trigger_b = references(config)
    assert fetch == Reference("steps", ("fetch", "items", 0, "id"), "/url", "{{ steps.fetch.items[0].id }}", False)
    assert (trigger_a.keys, trigger_a.optional) == (("a",), True)
    assert (trigger_b.keys, trigger_b.optional) == (("b",), False)


def test_a_computed_key_ends_what_is_known_of_a_reference() -> None:
    found = references("{{ trigger.rows[steps.fetch.n].x }}")
    assert [(reference.root, reference.keys) for reference in found] == [
        ("trigger", ("rows",)),
        ("steps", ("fetch", "n")),
    ]


def test_references_of_what_cannot_be_read_are_an_error() -> None:
    with pytest.raises(TemplateFailure):
        references("{{ 1 + }}")
