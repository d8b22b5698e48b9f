"""No expression takes more than 50 ms of CPU or 10 MB, whatever it says and whatever data it meets."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from flowforge.language.check import MAX_EXPRESSIONS, check
from flowforge.language.definition import parse
from flowforge.language.expressions import ExpressionError, resolve
from tests.language.hostile import HOSTILE, scope

CPU_SECONDS = 0.050
MEMORY_BYTES = 10_000_000

cases = pytest.mark.parametrize("text", HOSTILE, ids=[f"{number}-{text[:30]!a}" for number, text in enumerate(HOSTILE)])


def _run(text: str) -> None:
    with suppress(ExpressionError):
        resolve({"field": text}, scope(), step="hostile")


def _cpu_seconds(run: Callable[[], Any]) -> float:
    """The best of five: other work on the machine only ever adds to the CPU time of a thread."""
    measured = []
    for _ in range(5):
        before = time.thread_time()
        run()
        measured.append(time.thread_time() - before)
        if measured[-1] < CPU_SECONDS:
            break
    return min(measured)


@cases
def test_hostile_expressions_are_answered_within_the_cpu_limit(text: str) -> None:
    expressions = max(1, text.count("{{"))
    # What is promised is promised for one expression; a text of many has a limit of its own, of ten times that.
    allowed = CPU_SECONDS if expressions == 1 else 10 * CPU_SECONDS
    assert _cpu_seconds(lambda: _run(text)) < allowed


@cases
def test_hostile_expressions_stay_within_the_memory_limit(text: str) -> None:
    scope()
    tracemalloc.start()
    try:
        _run(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_BYTES


@cases
def test_hostile_expressions_are_harmless_when_a_workflow_is_saved(text: str) -> None:
    check(parse({"name": "hostile", "actions": [{"type": "TRANSFORM", "config": {"field": text[:500_000]}}]}))


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 1000000000 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ range(1000000000) }}",
        "{{ trigger.long | center(1000000000) }}",
        "{{ 'a'.__class__.__mro__ }}",
        "{{ trigger.__class__ }}",
        "{{ lipsum(100000) }}",
    ],
)
def test_what_multiplies_or_leaves_the_data_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        resolve(text, scope(), step="hostile")


def test_a_result_larger_than_the_limit_is_an_error_that_says_so() -> None:
    with pytest.raises(ExpressionError, match="8 MB"):
        resolve("{{ trigger.long }}" * 9, scope(), step="big")


def test_more_work_than_the_limit_is_an_error_that_says_so() -> None:
    with pytest.raises(ExpressionError, match="too much work"):
        resolve("text {{ steps }}", scope(), step="big")


def test_a_large_payload_passes_through_a_path_untouched() -> None:
    assert resolve("{{ trigger.objects }}", scope(), step="copy") is scope()["trigger"]["objects"]


def test_a_large_body_fits_into_text() -> None:
    assert len(resolve("Body: {{ trigger.long }}", scope(), step="copy")) == 1_000_006


def test_all_expressions_of_a_step_share_the_limit() -> None:
    fields = {f"field_{n}": "x{{ trigger.long }}" for n in range(9)}
    with pytest.raises(ExpressionError, match="8 MB"):
        resolve(fields, scope(), step="big")


def test_a_step_with_too_many_expressions_is_refused() -> None:
    with pytest.raises(ExpressionError, match="1,000 expressions"):
        resolve(["{{ 1 }}"] * 1_001, {}, step="many")


def test_a_workflow_with_too_many_expressions_is_refused() -> None:
    config = {"list": ["{{ 1 }}"] * (MAX_EXPRESSIONS + 1)}
    [problem] = check(parse({"name": "many", "actions": [{"type": "TRANSFORM", "config": config}]}))
    assert problem.pointer == "/actions"
