"""The YAML form: nothing is lost or changed on the way there and back, and nothing surprising is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowforge.ascode import yaml_reader, yaml_writer
from flowforge.ascode.form import document_of, text_of
from flowforge.language.definition import parse
from tests.ascode.definitions import Json, definitions, values

unhurried = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def exactly(value: Any) -> str:
    """Tells 1 from 1.0 and from true; the order of keys means nothing."""
    return json.dumps(value, sort_keys=True)


def read(text: str) -> Any:
    document = yaml_reader.read(text)
    assert document.flaws == ()
    return document.plain()


@settings(unhurried, max_examples=60)
@given(definitions(), st.none() | st.just("orders"), st.booleans())
def test_a_workflow_comes_back_as_it_was(definition: Json, key: str | None, enabled: bool) -> None:
    document = {"enabled": enabled, "definition": definition} | ({"key": key} if key else {})

    text = text_of(document)
    back = document_of(read(text))

    assert exactly(back) == exactly(document)
    assert parse(back["definition"]).dump() == parse(definition).dump()
    assert text_of(back) == text


@unhurried
@given(values)
def test_any_json_comes_back_as_it_was(value: Any) -> None:
    assert exactly(read(yaml_writer.write(value))) == exactly(value)


@unhurried
@given(values)
def test_other_readers_of_yaml_take_texts_for_texts(value: Any) -> None:
    def texts(part: Any) -> list[str]:
        if isinstance(part, dict):
            return [text for key, inner in part.items() for text in (key, *texts(inner))]
        return [text for inner in part for text in texts(inner)] if isinstance(part, list) else [part]

    found = yaml.safe_load(yaml_writer.write(value))

    assert [text for text in texts(value) if isinstance(text, str)] == [
        text for text in texts(found) if isinstance(text, str)
    ]


@unhurried
@given(st.text(max_size=200) | st.text(st.sampled_from("ab:\n -[]{}&*!|>'\"#,?1"), max_size=200))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    document = yaml_reader.read(text)

    assert document.root is not None or document.flaws
    assert all(flaw.line >= 1 and flaw.message for flaw in document.flaws)


def test_keys_stand_in_the_order_people_read() -> None:
    definition = {
        "actions": [
            {
                "onError": [{"config": {}, "type": "STOP"}],
                "config": {"items": "{{ trigger.body }}"},
                "actions": [{"config": {"output": {"b": 1, "a": 2}}, "type": "TRANSFORM", "id": "row"}],
                "type": "FOR_EACH",
                "id": "each",
            },
            {"branches": [{"actions": [], "when": "{{ true }}", "name": "yes"}], "type": "BRANCH"},
        ],
        "settings": {"timeout": 60},
        "trigger": {"config": {"respond": "when finished"}, "type": "webhook"},
        "name": "Orders",
    }

    assert text_of({"enabled": True, "key": "orders", "definition": definition}) == (
        """key: orders
name: Orders
enabled: true
trigger:
  type: webhook
  config:
    respond: when finished
settings:
  timeout: 60
actions:
  - id: each
    type: FOR_EACH
    config:
      items: '{{ trigger.body }}'
    actions:
      - id: row
        type: TRANSFORM
        config:
          output:
            b: 1
            a: 2
    onError:
      - type: STOP
        config: {}
  - type: BRANCH
    branches:
      - name: 'yes'
        when: '{{ true }}'
        actions: []
"""
    )


def test_texts_of_several_lines_are_block_scalars() -> None:
    assert (
        yaml_writer.write({"text": "Dear all,\n\n  it is done: #1\n"}) == "text: |\n  Dear all,\n\n    it is done: #1\n"
    )


def test_long_lines_are_not_folded() -> None:
    assert yaml_writer.write({"text": "word " * 100 + "end"}).count("\n") == 1


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "off",
        "yes",
        "no",
        "y",
        "True",
        "NULL",
        "1_000",
        "010",
        "+1",
        "0x1F",
        ".5",
        "1.",
        ".inf",
        "12:30:45",
        "2026-03-04",
    ],
)
def test_what_is_no_json_word_or_number_is_text(text: str) -> None:
    assert read(f"{text}: {text}") == {text: text}


def test_words_and_numbers_are_those_of_json() -> None:
    assert exactly(read("[true, false, null, ~, 1, -2, 1.0, 2.5e3, 'true', \"1\"]")) == exactly(
        [True, False, None, None, 1, -2, 1.0, 2500.0, "true", "1"]
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [1\n", 3, "is not YAML"),
        ("a: 1\na: 2", 2, "'a' is there already, in line 1"),
        ("a:\n  b: !!python/object:os.system x", 2, "tags"),
        ("a: &x {b: 1}\nc:\n  <<: *x", 3, "merge keys"),
        ("a: &x\n  - *x", 2, "stands inside what it names"),
        ("a: *x", 1, "no anchor &x"),
        ("a: 1\n---\nb: 2", 2, "more than one document"),
        ("", 1, "empty"),
        ("# only a comment\n", 1, "empty"),
        ("[a]: 1", 1, "a key must be text"),
        ("? {a: 1}\n: 2", 1, "a key must be text"),
        ("{? : 1}", 1, "a key is missing"),
        ("[" * 5_000, 1, "nested more than 100"),
        ("a: " + "x" * 2_100_000, 1, "larger than 2,000,000 bytes"),
        ("a: \x07", 1, "control characters"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) and value.isprintable() else None,
)
def test_what_cannot_be_meant_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    (flaw,) = yaml_reader.read(text).flaws

    assert flaw.line == line
    assert words in flaw.message


@pytest.mark.parametrize("value", ["{{ trigger.body.x }}", "{{ a }} and {{ b }}", "[{{ a | default('x') }}]", "{{a}}"])
def test_braces_without_quotes_are_told_so(value: str) -> None:
    document = yaml_reader.read(f"name: x\nmessage: {value}\n")
    [flaw] = document.flaws
    assert (document.root, flaw.line) == (None, 2)
    assert "put the expression between quotes" in flaw.message


def test_every_duplicate_key_is_told() -> None:
    flaws = yaml_reader.read("a: 1\nb: {c: 1, c: 2}\na: 3\nb: 4").flaws

    assert [flaw.line for flaw in flaws] == [2, 3, 4]


def test_anchors_may_be_used_and_do_not_explode() -> None:
    assert read("a: &x {n: [1]}\nb: *x\nc: [*x]") == {"a": {"n": [1]}, "b": {"n": [1]}, "c": [{"n": [1]}]}

    laughs = "a0: &a0 [ha, ha, ha]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    (flaw,) = yaml_reader.read(laughs).flaws
    assert "aliases" in flaw.message


def test_anchors_inside_anchors_are_not_deeper_than_anything_else() -> None:
    ladder = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 400))
    (flaw,) = yaml_reader.read(ladder).flaws
    assert "nested more than" in flaw.message


def test_a_place_is_found_by_its_pointer() -> None:
    document = yaml_reader.read(
        "name: x\nactions:\n  - type: A\n    config:\n      a/b: [1,\n        2]\n  - type: B\n"
    )

    assert document.line_of("/actions/0/config/a~1b/1") == 6
    assert document.line_of("/actions/0/config/a~1b") == 5
    assert document.line_of("/actions/0/config/url") == 4
    assert document.line_of("/actions/1/type") == 7
    assert document.line_of("/actions/1") == 7
    assert document.line_of("/trigger") == 1
    assert document.line_of("") == 1


@pytest.mark.parametrize(
    "number", [2**64, -(2**63) - 1, 8202522731445525542, int("115792089237316195423570985008687907853")]
)
def test_whole_numbers_of_any_size_are_exact(number: int) -> None:
    assert read(f"ids: [{number}]") == {"ids": [number]}
    assert read(yaml_writer.write({"n": number})) == {"n": number}
