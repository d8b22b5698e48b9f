"""docs/language.md tells the truth about filters, tests and limits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flowforge.language import check, definition
from flowforge.language.definition import ActionDefinition, parse
from flowforge.language.evaluation import meter
from flowforge.language.evaluation.predicates import PREDICATES
from flowforge.language.expressions import syntax
from flowforge.language.expressions.template import template
from flowforge.language.filters.all_filters import FILTERS

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_is_in_the_table(name: str) -> None:
    assert f"`{FILTERS[name].usage}`" in PAGE


def test_every_filter_in_the_table_exists() -> None:
    usages = {found.usage for found in FILTERS.values()}
    section = PAGE.partition("## Filters")[2].partition("After `is`")[0]
    for row in re.findall(r"^\| (`.*?) \| ", section, re.MULTILINE):
        assert set(re.findall(r"`([^`]+)`", row)) <= usages


def test_every_expression_shown_for_a_filter_can_be_read() -> None:
    section = PAGE.partition("## Filters")[2].partition("After `is`")[0]
    spans = [span.replace("\\|", "|") for line in section.splitlines() for span in re.findall(r"`([^`]+)`", line)]
    shown = [span for span in spans if " | " in span and not span.startswith("value |")]
    assert len(shown) > 3
    for text in shown:
        assert list(template(f"{{{{ {text} }}}}").expressions)


@pytest.mark.parametrize("name", sorted(PREDICATES))
def test_every_test_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("key", [field.alias or name for name, field in ActionDefinition.model_fields.items()])
def test_every_key_of_an_action_is_explained(key: str) -> None:
    assert f"| `{key}` |" in PAGE


def test_the_example_is_a_valid_workflow() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found
    assert not check.check(parse(json.loads(found.group(1))))


@pytest.mark.parametrize(
    "words",
    [
        f"{definition.MAX_ACTIONS:,}",
        f"{definition.MAX_BYTES:,} bytes",
        f"nested {definition.MAX_DEPTH} levels",
        f"{syntax.MAX_LENGTH:,} characters",
        f"{syntax.MAX_NODES} parts",
        f"{meter.EXPRESSIONS:,} of them",
        f"making {meter.MEMORY // 1_000_000} MB",
        f"{check.MAX_EXPRESSIONS:,}",
    ],
)
def test_the_limits_are_stated(words: str) -> None:
    assert words in PAGE
