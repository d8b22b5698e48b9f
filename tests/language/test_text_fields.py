"""Fields that are text take any value, and are not empty where they are required."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, AliasChoices, Field, ValidationError

from flowforge.connectors.sdk import ConnectorConfig, field, secret
from flowforge.language.blocks import BLOCKS


class Note(ConnectorConfig):
    text: str = field(title="Text")
    title: str | None = None
    tags: list[str] = field(default_factory=list)
    labels: dict[str, Annotated[str, AfterValidator(str.strip)]] = field(default_factory=dict)
    parts: dict[str, str | list[Any] | None] = field(default_factory=dict)
    count: int = 0
    anything: Any = None
    token: str = secret("")
    renamed: str = Field("", validation_alias=AliasChoices("new", "old"))


def written(**config: Any) -> Any:
    return Note.model_validate({"text": "x", **config})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (0.5, "0.5"),
        (8202522731445525542, "8202522731445525542"),
        (True, "true"),
        (False, "false"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (["ä"], '["ä"]'),
        (" as it is ", " as it is "),
    ],
)
def test_a_value_becomes_text_as_it_does_inside_other_text(value: Any, text: str) -> None:
    assert written(text=value).text == text
    assert written(title=value).title == text
    assert written(tags=[value]).tags == [text]
    assert written(labels={"x": value}).labels == {"x": text.strip()}
    assert (written(new=value).renamed, written(old=value).renamed) == (text, text)


def test_null_is_no_text_inside_of_lists_and_objects() -> None:
    assert (written(tags=[None]).tags, written(labels={"x": None}).labels) == ([""], {"x": ""})


def test_what_a_field_takes_besides_text_stays_what_it_is() -> None:
    assert written(title=None).title is None
    assert written(parts={"a": [1], "b": None, "c": 1}).parts == {"a": [1], "b": None, "c": "1"}
    assert (written(anything=True).anything, written(count=3).count) == (True, 3)


@pytest.mark.parametrize("value", [None, "", "  ", "\n\t", "\u00a0"])
def test_a_required_text_that_turns_out_empty_is_an_error_that_names_it(value: Any) -> None:
    with pytest.raises(ValidationError, match="is empty") as caught:
        written(text=value)
    assert [error["loc"] for error in caught.value.errors()] == [("text",)]


def test_a_secret_may_be_a_number_and_nothing_else() -> None:
    assert written(token=12345).token == "12345"
    for value in (True, {"a": "b"}, ["b"]):
        with pytest.raises(ValidationError, match="valid string"):
            written(token=value)


def test_what_cannot_be_written_is_named() -> None:
    deep: list[Any] = []
    for _ in range(500):
        deep = [deep]
    with pytest.raises(ValidationError, match=r"title cannot be written as text: .* nested too deeply"):
        written(title=deep)


@pytest.mark.parametrize(
    ("type_", "config", "name", "text"),
    [
        ("RESPOND", {"headers": {"X-Paid": True}}, "headers", {"X-Paid": "true"}),
        ("RESPOND", {"headers": {"X-Note": None}}, "headers", {"X-Note": ""}),
        ("STOP", {"message": {"missing": 3}}, "message", '{"missing":3}'),
        ("WAIT", {"for": "approval", "message": 17}, "message", "17"),
    ],
)
def test_so_do_the_texts_of_blocks(type_: str, config: dict[str, Any], name: str, text: Any) -> None:
    assert getattr(BLOCKS[type_].parse(config), name) == text
