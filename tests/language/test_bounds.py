"""No expression takes more than 50 ms of CPU or 10 MB, whatever it says and whatever data it meets.

The meter promises it, by counting estimated nanoseconds; what stands here are its counts, the same on every machine.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from flowforge.file_values import InlineFile
from flowforge.language.check import MAX_EXPRESSIONS, check
from flowforge.language.definition import parse
from flowforge.language.evaluation import names
from flowforge.language.evaluation.meter import EXPRESSION_WORK, MEMORY, STEP_WORK, Failure, Meter
from flowforge.language.expressions import resolving
from flowforge.language.expressions.resolving import ExpressionError, resolve
from flowforge.language.expressions.template import OPEN
from flowforge.language.filters.all_filters import FILTERS
from tests.language.hostile import HOSTILE, REFUSED, scope

MEMORY_BYTES = 10_000_000

cases = pytest.mark.parametrize("text", HOSTILE, ids=[f"{number}-{text[:30]!a}" for number, text in enumerate(HOSTILE)])


class Paid(Meter):
    """A meter that remembers what it was paid; `refused` is what was more than it had left."""

    def __init__(self) -> None:
        super().__init__()
        self.nanoseconds = 0
        self.bytes = 0
        self.refused = False

    def work(self, nanoseconds: int) -> None:
        self._take(super().work, nanoseconds)
        self.nanoseconds += nanoseconds

    def memory(self, size: int) -> None:
        self._take(super().memory, size)
        self.bytes += size

    def _take(self, pay: Callable[[int], None], amount: int) -> None:
        assert amount >= 0
        self.refused = True
        pay(amount)
        self.refused = False


def _paid(text: str, data: Any) -> tuple[Paid, str]:
    """What computing the text was paid for, and how it ended."""
    meter = Paid()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolving, "Meter", lambda *_, **__: meter)
        try:
            resolve({"field": text}, data, step="hostile")
        except ExpressionError as error:
            return meter, str(error)
    return meter, ""


def _run(text: str) -> None:
    with suppress(ExpressionError):
        resolve({"field": text}, scope(), step="hostile")


@cases
def test_hostile_expressions_are_answered_within_what_they_may_cost(text: str) -> None:
    expressions_in_it = max(1, text.count(OPEN))
    first, ended = _paid(text, scope())
    assert first.nanoseconds <= min(STEP_WORK, EXPRESSION_WORK * expressions_in_it)
    assert first.bytes <= MEMORY
    assert not first.refused or "too much work" in ended or "too large" in ended
    # It counts instead of looking at a clock: the same data always costs the same.
    second, ended_again = _paid(text, scope())
    assert (second.nanoseconds, second.bytes, ended_again) == (first.nanoseconds, first.bytes, ended)


@pytest.mark.parametrize("text", REFUSED)
def test_what_would_take_long_is_refused_before_it_is_done(text: str) -> None:
    meter, ended = _paid(text, scope())
    assert meter.refused
    assert "too much work" in ended


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'b' not in trigger.long }}",
        "{{ trigger.long | replace('" + "b" * 90 + "', '') | length }}",
        "{{ trigger.long | split('" + "b" * 90 + "') | length }}",
        "{{ trigger.members[:9999] | flatten | length }}",
    ],
)
def test_large_data_can_be_searched_and_shaped_all_the_same(text: str) -> None:
    assert resolve(text, scope(), step="large")


def test_a_flat_list_is_paid_for_before_its_members_are_counted() -> None:
    members = _Untouched(range(500_000))
    with pytest.raises(Failure, match="too much work"):
        FILTERS["flatten"].compute(_expression_begun(), members)


class _Untouched(list[int]):
    def __iter__(self) -> Any:
        raise AssertionError("they were looked at")


def _expression_begun() -> Meter:
    meter = Meter()
    meter.begin_expression()
    return meter


def test_a_missing_name_is_compared_with_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    real = names._likeness
    monkeypatch.setattr(names, "_likeness", lambda one, other: compared.append(other) or real(one, other))
    alike = {"trigger": {f"{'customer_' * 6}{number}": number for number in range(200)}}
    with pytest.raises(ExpressionError, match=r"did you mean 'customer_.*_137'"):
        resolve("{{ trigger." + "customer_" * 5 + "cusotmer_137 }}", alike, step="missing")
    assert len(compared) <= 3


GROWING = {
    "text": [
        "upper lower capitalize title trim split escape e urlencode string urldecode slugify tojson md5 sha256 uuid",
        "base64 base64url hex replace('a','b') hmac_sha256('k') regex_test('b') regex_match('b') regex_find_all('b')",
        "from_csv html_text regex_replace('b','c') regex_test('(a|b)+c') to_file('a.txt')",
    ],
    "digits": ["from_hex"],
    "base64": ["from_base64"],
    "json": ["fromjson from_jsonl"],
    "url": ["parse_url with_query({'a':1})"],
    "members": [
        "join reverse sort('a') unique map('a') selectattr('a') rejectattr('a') sum('a') min('a') max('a')",
        "group_by('a') index_by('a') chunk(3) zip(trigger.members) flatten tojson string",
        "filter(item.a>1) where('a') find(item.a>1) any(item.a<0) all(item.a>=0) average('a') dedupe(item.a//2)",
        "merge(trigger.members,'a') merge(trigger.members) difference(trigger.members) pairs([1,2]) pivot('b','b')",
        "intersection(trigger.members,'a') csv jsonl",
        "map(item.a) sort(-item.a) sum(item.a) min(item.a) max(item.a) group_by(item.a//2) index_by(item.a)",
    ],
    "fields": ["keys values items query_string with_fields({'a':1})"],
    "file": ["text"],
}
"""Filters by the kind of data they are tried with."""
CHEAP = {
    "length",
    "count",
    "first",
    "last",
    "truncate",
    "default",
    "d",
    "int",
    "float",
    "round",
    "floor",
    "ceil",
    "abs",
    "format_number",
    "date",
    "parse_date",
    "iso",
    "timestamp",
    "plus",
    "minus",
    "diff",
    "start_of",
    "end_of",
    "link",  # a small part of it has: what stands in the data is kept
}
"""Their cost has nothing to do with the size of the data."""


def _data(size: int) -> dict[str, Any]:
    return {
        "text": "a" * size,
        "digits": "61" * size,
        "base64": "YWFh" * size,
        "json": "[" + "1," * size + "1]",
        "url": "http://x.test/?" + "a" * size,
        "members": [{"a": number, "b": number % 2} for number in range(size)],
        "fields": {f"f{number}": "x" for number in range(size)},
        "file": InlineFile.named("a.txt", "text/plain", b"a" * size).as_json(),
    }


@pytest.mark.parametrize(
    "expression",
    [f"trigger.{kind} | {use}" for kind, lines in GROWING.items() for use in " ".join(lines).split()],
)
def test_what_a_filter_is_paid_grows_with_the_data(expression: str) -> None:
    small, large = (_paid(f"{{{{ {expression} }}}}", {"trigger": _data(size)}) for size in (200, 2_000))
    assert (small[1], large[1]) == ("", "")
    assert large[0].nanoseconds + large[0].bytes > 4 * (small[0].nanoseconds + small[0].bytes) - 4 * _COMPILING


_COMPILING = 1_100_000
"""What a regular expression costs before it meets any data."""


def test_every_filter_is_known_to_be_cheap_or_paid_for() -> None:
    tried = {use.partition("(")[0] for lines in GROWING.values() for use in " ".join(lines).split()}
    assert tried | CHEAP == set(FILTERS)


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
