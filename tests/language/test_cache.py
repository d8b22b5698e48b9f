"""What was read once is not read again, as long as there is room for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.expressions import template
from flowforge.language.expressions.cache import BoundedCache
from flowforge.language.expressions.resolving import resolve

STEPS = 1_000


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every expression that is parsed."""
    sources: list[str] = []
    real = template.parse
    monkeypatch.setattr(template, "parse", lambda source: sources.append(source) or real(source))
    template.forget_templates()
    yield sources
    template.forget_templates()


def _configs(steps: int = STEPS) -> list[dict[str, Any]]:
    """Two expressions for each step, all of them different; one in a text longer than most."""
    return [
        {"a": f"{{{{ trigger.x | default({number}) }}}}", "b": "x" * 5_000 * (number == 7) + f"{{{{ {number} + 1 }}}}"}
        for number in range(steps)
    ]


def test_a_workflow_of_the_largest_size_is_parsed_once_not_per_event(parsed: list[str]) -> None:
    for _ in range(3):
        for number, config in enumerate(_configs()):
            assert resolve(config, {"trigger": {}}, step=f"s{number}")["a"] == number
    assert len(parsed) == 2 * STEPS


def test_what_was_checked_is_not_parsed_again_to_be_run_or_checked(parsed: list[str]) -> None:
    actions = [{"type": "TRANSFORM", "config": {"output": config}} for config in _configs()]
    definition = parse({"name": "w", "actions": actions})
    assert check(definition) == check(definition) == []
    for number, config in enumerate(_configs()):
        resolve(config, {"trigger": {}}, step=f"s{number}")
    assert len(parsed) == 2 * STEPS


def test_what_cannot_be_read_is_not_remembered(parsed: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(template.TemplateFailure):
            template.template("{{ 1 + }}")
    assert len(parsed) == 2


class TestRemembered:
    def test_it_forgets_what_was_not_used_for_longest(self) -> None:
        known: BoundedCache[int] = BoundedCache(10_000)
        for number in range(100):
            known.keep(str(number), number, 500)
            assert known.get("0") == 0
        assert known.get("99") == 99
        assert known.get("50") is None

    def test_it_keeps_no_more_than_twice_what_it_may(self) -> None:
        known: BoundedCache[int] = BoundedCache(10_000)
        for number in range(100):
            known.keep(str(number), number, 500)
        assert 10 <= sum(known.get(str(number)) is not None for number in range(100)) <= 25

    def test_what_is_large_is_not_kept_at_all(self) -> None:
        known: BoundedCache[int] = BoundedCache(10_000)
        known.keep("small", 1, 0)
        known.keep("large", 2, 5_000)
        assert (known.get("small"), known.get("large")) == (1, None)
