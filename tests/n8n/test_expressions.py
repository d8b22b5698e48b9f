"""Expressions of n8n's, written as ours: a table, and what cannot be written."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from flowforge.n8n.data import Data, Output, item_at
from flowforge.n8n.expressions.lexer import NotRead
from flowforge.n8n.expressions.parser import parse
from flowforge.n8n.values import Computed, Tally, Uncomputable, Values


@dataclass(frozen=True)
class Here:
    """A place after a webhook, a request and a table; inside of one loop where `depth` is 1."""

    depth: int = 0
    zone: str = "Europe/Berlin"
    resumed_by: str | None = None

    @property
    def given(self) -> Output:
        return Output(Data(item_at(1)) if self.depth else Data("trigger.body"))

    def node(self, name: str) -> Output | None:
        known = {"Fetch": Output(Data("steps.fetch.body")), "Rows": Output(many="steps.rows.rows")}
        return known.get(name)


def _values(here: Here) -> Values:
    return Values(here, Computed("values"), Tally())


def written(source: str, here: Here | None = None) -> str:
    return _values(here or Here()).text(f"={{{{ {source} }}}}").removeprefix("{{ ").removesuffix(" }}")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("", "none"),
        ("$json.a.b", "trigger.body.a.b | default(none)"),
        ("$json?.a?.['b c'][0]", "trigger.body.a['b c'][0] | default(none)"),
        ('$node["Fetch"].json["x-y"]', "steps.fetch.body['x-y'] | default(none)"),
        ("$('Fetch').item.json.id", "steps.fetch.body.id | default(none)"),
        ("$('Rows').first().json.id", "steps.rows.rows[0].id | default(none)"),
        ("$('Rows').last().json.id", "steps.rows.rows[-1].id | default(none)"),
        ("$('Rows').all().length", "steps.rows.rows | length"),
        ("$('Rows').all().map(row => row.json.id)", "steps.rows.rows | map(item.id | default(none))"),
        ("$input.first().json.id", "trigger.body.id | default(none)"),
        ("$json.a + 1", "trigger.body.a | default(none) + 1"),
        ("'Hi ' + $json.name", "'Hi ' ~ trigger.body.name | default(none)"),
        ("`Hi ${$json.name}!`", "'Hi ' ~ trigger.body.name | default(none) ~ '!'"),
        ("($json.a + 1) * 2", "(trigger.body.a | default(none) + 1) * 2"),
        ("$json.a > 1 && !$json.b", "trigger.body.a | default(none) > 1 and not trigger.body.b | default(none)"),
        ("$json.a || 'none'", "trigger.body.a | default('none', true)"),
        ("$json.a ? 'x' : 'y'", "'x' if trigger.body.a | default(none) else 'y'"),
        ("$json.a === undefined", "trigger.body.a | default(none) is none"),
        ("$json.name.trim().toUpperCase()", "trigger.body.name | default('', true) | trim | upper"),
        ("$json.tags.join(', ')", "trigger.body.tags | default([], true) | join(', ')"),
        ("$json.text.includes('x')", "'x' in trigger.body.text | default('', true)"),
        ("$json.text.indexOf('x') !== -1", "'x' in trigger.body.text | default('', true)"),
        (r"$json.text.replace(/\s+/g, ' ')", r"trigger.body.text | default('', true) | regex_replace('\\s+', ' ')"),
        (r"/^a/i.test($json.text)", "trigger.body.text | default('', true) | regex_test('(?i)^a')"),
        ("JSON.stringify($json)", "trigger.body | tojson"),
        ("Math.round($json.a / 3)", "(trigger.body.a | default(none) / 3) | round"),
        ("$now", "now | iso('Europe/Berlin')"),
        (
            "$now.minus({ days: 7 }).toISODate()",
            "now | minus(7, 'days', 'Europe/Berlin') | date('%Y-%m-%d', 'Europe/Berlin')",
        ),
        ("$now.toFormat(\"dd.MM.yyyy 'um' HH:mm\")", "now | date('%d.%m.%Y um %H:%M', 'Europe/Berlin')"),
        ("new Date().toISOString()", "now | iso('Z')"),
        ("$('Gone').item.json.id", "none"),
        ("$('Gone').isExecuted", "false"),
        ("$if($json.a, 1, 2)", "1 if trigger.body.a | default(none) else 2"),
        ("'it\\'s {{ x'", "'it\\'s {{ x'"),
    ],
)  # fmt: skip
def test_expressions_are_translated(theirs: str, ours: str) -> None:
    assert written(theirs) == ours


def test_the_item_of_a_loop_is_called_by_how_far_out_it_is() -> None:
    assert written("$json.id", Here(depth=1)) == "item.id | default(none)"
    assert written("$json.id", Here(depth=2)) == "loop.parent.item.id | default(none)"


@pytest.mark.parametrize(
    "source",
    [
        "$json.text.replace('a', 'b')",  # only the first one there
        "$json.a / 3",  # 2 there, 2.0 here
        "$json.list.reduce((sum, one) => sum + one, 0)",
        "$json.list.map((one, at) => at)",
        "(() => { return 1; })()",
        r"$json.text.match(/(?=a)b/)[0]",
        "[...$json.list, 1]",
    ],
)
def test_what_has_no_counterpart_stays_javascript_in_a_code_step(source: str) -> None:
    values = _values(Here())
    assert values.text(f"={{{{ {source} }}}}") == "{{ steps.values.result.value1 }}"
    assert values.computed.sources == {"value1": source}


@pytest.mark.parametrize(
    "source",
    ["$fromAI('city')", "$env.HOME.replace('a', 'b')", "require('fs')", "$json.a)", "'no end", "$response.body"],
)
def test_what_code_cannot_compute_either_is_told(source: str) -> None:
    with pytest.raises(Uncomputable):
        _values(Here()).text(f"={{{{ {source} }}}}")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("no {{ expression }}", "no {{ '{' }}{ expression }}"),
        ("{% raw %}{# x #}", "{{ '{' }}% raw %}{{ '{' }}# x #}"),
        ("=Hi {{ $json.a }}, {{ '{{' }}", "Hi {{ trigger.body.a | default(none) }}, {{ '{{' }}"),
        ("=plain", "plain"),
        ("={{ $json.a", "{{ '{' }}{ $json.a"),
    ],
)
def test_texts_mean_what_they_meant(theirs: str, ours: str) -> None:
    assert _values(Here()).text(theirs) == ours


@pytest.mark.parametrize(
    "source", ["(" * 500, "[" * 500 + "]" * 500, "!" * 500 + "a", "`${" * 300, "a" * 30_000, "a?b:" * 200 + "c"]
)
def test_deep_and_long_expressions_are_refused(source: str) -> None:
    with pytest.raises(NotRead):
        parse(source)
