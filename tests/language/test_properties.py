"""What holds for every definition, every value and every text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge.errors import Invalid
from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.plan import compile_plan

E = TypeVar("E", bound=Exception)

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers
plain_text = st.text(max_size=30).filter(lambda text: "{{" not in text)
names = st.text(max_size=10)


def json_values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars | texts,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )


objects = st.dictionaries(names, json_values(plain_text), max_size=4)
types = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
seconds = st.floats(0, 86_400) | st.integers(0, 86_400)
retries = st.fixed_dictionaries(
    {},
    optional={
        "attempts": st.integers(1, 100),
        "delay": seconds,
        "factor": st.floats(1, 10),
        "maxDelay": seconds,
        "jitter": st.booleans(),
    },
)
actions = st.fixed_dictionaries(
    {"type": types},
    optional={
        "config": st.none() | objects,
        "name": st.text(st.characters(min_codepoint=33, exclude_categories=["C", "Z"]), min_size=1, max_size=20),
        "retry": st.none() | retries,
        "timeout": st.none() | st.floats(0.001, 86_400),
        "enabled": st.booleans(),
        "something else": scalars,
    },
)


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    drawn = draw(st.lists(actions, max_size=5))
    for number, action in enumerate(drawn):
        if draw(st.booleans()):
            action["id"] = f"id_{number}"
    trigger = draw(st.none() | st.fixed_dictionaries({"type": types}, optional={"config": objects}))
    return {"name": "generated", "trigger": trigger, "actions": drawn}


# Text that is likely to come close to an expression.
TEXT = r"""{{ }} {% %} {# | ( ) [ ] { } ' " \ . , : ~ + - * ** % / // < == trigger steps now a 0 1e9 none is not in if
else and or default defined upper join map sort tojson fromjson date round selectattr unique replace split int truncate
urlencode items title é 🙂"""
fragments = st.sampled_from([*re.split(r"\s+", TEXT), " ", "\n", "\x00"])
near_expressions = st.lists(fragments, max_size=14).map("".join)
wrapped = st.lists(fragments, max_size=10).map(lambda parts: "{{ " + "".join(parts) + " }}")
any_text = st.text(max_size=60) | near_expressions | wrapped


@given(definitions())
def test_reading_what_was_written_gives_the_same_definition(raw: dict[str, Any]) -> None:
    definition = parse(raw)
    assert parse(definition.dump()) == definition


@given(definitions())
def test_every_documented_key_survives(raw: dict[str, Any]) -> None:
    written = parse(raw).dump()
    for before, after in zip(raw["actions"], written["actions"], strict=True):
        assert after["type"] == before["type"].upper()
        assert {**after, "type": before["type"], "something else": 0} == {**before, "something else": 0}


@given(definitions())
def test_every_definition_compiles_to_steps_in_order(raw: dict[str, Any]) -> None:
    plan = compile_plan(raw, templated=True)
    running = [index for index, action in enumerate(raw["actions"]) if action.get("enabled", True)]
    assert [step.index for step in plan.steps] == running
    assert plan.length == len(raw["actions"])


def error_of(action: Callable[[], object], expected: type[E]) -> E | None:
    """The error, where there was one of the expected kind; any other goes through."""
    try:
        action()
    except expected as error:
        return error
    return None


@given(json_values(any_text))
def test_reading_raises_nothing_but_invalid(raw: Any) -> None:
    actions = [raw, {"type": raw}, {"type": "A", "config": raw}]
    for candidate in (raw, {"name": raw, "actions": raw}, {"name": "x", "trigger": raw, "actions": actions}):
        error = error_of(lambda read=candidate: parse(read), Invalid)
        assert error is None or error.problems


@given(json_values(plain_text))
def test_a_value_without_expressions_is_returned_itself(value: Any) -> None:
    assert resolve(value, {}, step="any") is value


@given(json_values(st.text(max_size=20)))
def test_a_single_expression_keeps_the_type(value: Any) -> None:
    assert resolve("{{ trigger.value }}", {"trigger": {"value": value}}, step="any") is value


@given(any_text, json_values(st.text(max_size=20)))
def test_resolving_raises_nothing_but_expression_errors(text: str, data: Any) -> None:
    scope = {"trigger": data, "steps": {"a": data}}
    error = error_of(lambda: resolve({"field": [text]}, scope, step="any", field="config"), ExpressionError)
    assert error is None or (error.step, error.field) == ("any", "config.field[0]")


@given(any_text)
def test_checking_raises_nothing(text: str) -> None:
    problems = check(parse({"name": "x", "actions": [{"type": "A", "config": {"a/b": text}}]}))
    assert {problem.pointer for problem in problems} <= {"/actions/0/config/a~1b"}


@given(any_text)
def test_what_cannot_be_read_is_found_when_the_workflow_is_saved(text: str) -> None:
    problems = check(parse({"name": "x", "actions": [{"type": "A", "config": {"field": text}}]}))
    error = error_of(lambda: resolve(text, {}, step="any"), ExpressionError)
    for unreadable in ("is not an expression", "there is no filter", "has no }}", "not supported"):
        assert problems or error is None or unreadable not in error.message


@pytest.mark.parametrize("pieces", [("a", "b"), ("{ ", "}"), ("}}", "{ "), ('"', "'"), ("\r\n", "\n")])
def test_text_around_an_expression_stays_as_it_is(pieces: tuple[str, str]) -> None:
    before, after = pieces
    assert resolve(f"{before}{{{{ 'x' }}}}{after}", {}, step="any") == f"{before}x{after}"
