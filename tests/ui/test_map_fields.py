"""Maps in forms: what is written in an entry is what is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from flowforge.connectors.account import Account
from flowforge.connectors.catalog import load_catalog
from webapp.ui.fields import Field, fields_of
from webapp.ui.forms import config_from_form
from webapp.ui.map_entries import Entry
from webapp.ui.step_fields import form_of_step

FIELDS = {field.key: field for field in form_of_step(load_catalog(), "HTTP_REQUEST", {}, Account()).fields}


def saved_again(field: Field, entries: dict[str, Any]) -> Any:
    """The entries after they were drawn and saved without a change."""
    form: MultiDict[str, str] = MultiDict()
    for name, value in field.pairs({field.key: entries}):
        form.add(f"config.{field.key}.name", name)
        form.add(f"config.{field.key}.value", value)
    return config_from_form([field], form, {})[field.key]


@pytest.mark.parametrize("text", ["12", "1.10", "007", "true", "null", "1e5", '"quoted"', "{{ trigger.body.n }}"])
@pytest.mark.parametrize("key", ["headers", "query", "form"])
def test_a_text_stays_as_it_is_written(key: str, text: str) -> None:
    assert FIELDS[key].pairs({key: {"x": text}})[0] == ("x", text)
    assert saved_again(FIELDS[key], {"x": text}) == {"x": text}


@pytest.mark.parametrize("value", [{"brand": "acme"}, ["a", "b"]])
def test_objects_and_lists_stay_what_they_are_where_they_are_taken(value: Any) -> None:
    assert saved_again(FIELDS["query"], {"x": value}) == {"x": value}


ANYTHING = fields_of({"properties": {"output": {"type": "object"}}})[0]
VALUES = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["5", "true", "null", "{}", '"quoted"', "{{ a.b }}", " ", "yes"]),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)


def posted(entries: list[Entry], arrange: str = "") -> MultiDict[str, str]:
    form: MultiDict[str, str] = MultiDict({"arrange": arrange} if arrange else {})
    for entry in entries:
        for part, text in (("name", entry.name), ("value", entry.text), ("type", entry.type)):
            form.add(f"config.output.{part}", text)
    return form


@given(st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), VALUES, max_size=4))
def test_entries_of_any_type_are_drawn_and_read_without_loss(values: dict[str, Any]) -> None:
    drawn = ANYTHING.entries({"output": values})
    config = config_from_form([ANYTHING], posted(drawn), {})
    normal = {name: value.replace("\r\n", "\n") if isinstance(value, str) else value for name, value in values.items()}
    assert config == ({"output": normal} if values else {})


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("5", "text", "5"),
        ("5", "number", 5),
        ("much", "number", "much"),
        ("nan", "number", "nan"),
        ("1e999", "number", "1e999"),
        ("yes", "boolean", True),
        ("[1]", "json", [1]),
        ("trigger.body.id", "expression", "{{ trigger.body.id }}"),
        ("5", "", 5),
        ("a", "", "a"),
    ],
)
def test_a_text_has_the_type_that_is_chosen(text: str, type_: str, value: Any) -> None:
    assert config_from_form([ANYTHING], posted([Entry("it", text, type_)]), {}) == {"output": {"it": value}}


@pytest.mark.parametrize(
    ("button", "names"),
    [
        ("up:config.output:1", ["b", "a", "c"]),
        ("down:config.output:0", ["b", "a", "c"]),
        ("remove:config.output:1", ["a", "c"]),
    ],
)
def test_entries_are_moved_and_removed(button: str, names: list[str]) -> None:
    entries = [Entry(name, "1") for name in "abc"]
    config = config_from_form([ANYTHING], posted([*entries, Entry()], button), {})
    assert list(config["output"]) == names


def test_a_map_is_the_same_as_entries_and_as_json() -> None:
    value = {"n": 5, "t": "5", "e": "{{ a.b }}"}
    text = MultiDict({"config.output": ANYTHING.shown({"output": value}), "config.output.written": "yes"})
    assert config_from_form([ANYTHING], text, {}) == {"output": value}
