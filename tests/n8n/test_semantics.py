"""Translated expressions give what JavaScript gives, on random data: both are computed, here and in QuickJS."""

from __future__ import annotations

import random
import time
from typing import Any
from uuid import UUID

import pytest

from flowforge import jsonio
from flowforge.connectors.sdk import CodeLimits, Program, run_code
from flowforge.language.evaluation.meter import Meter
from flowforge.language.expressions.template import template
from flowforge.n8n.javascript import library_for, without_double_braces
from flowforge.n8n.values import Computed, Tally, Values
from tests.n8n.test_expressions import Here

_ACCOUNT = UUID(int=1)
_RECORDS = 100
_EXPRESSIONS = (
    "$json.name",
    "$json.address.city",
    "$json['first name']",
    "$json.tags[0]",
    "$json.tags.length",
    "$json.name.length",
    "$json.name.toUpperCase()",
    "$json.name.trim().toLowerCase()",
    "$json.name + '!'",
    "'Hi ' + $json.name + ', ' + $json.n",
    "`${$json.name}: ${$json.n}`",
    "$json.n + 1",
    "$json.n * 2 - $json.m",
    "$json.n > $json.m",
    "$json.n >= 5 && $json.m < 5",
    "$json.n > 5 ? 'large' : 'small'",
    "$json.missing || 'none'",
    "$json.name || 'nobody'",
    "$json.missing ?? $json.name",
    "$json.missing === undefined",
    "$json.name === 'Ada'",
    "$json.name !== 'Ada'",
    "!$json.flag",
    "$json.tags.join(', ')",
    "$json.tags.includes('red')",
    "$json.name.includes('d')",
    "$json.name.startsWith('Ad')",
    "$json.name.endsWith('a')",
    "$json.name.slice(1, 3)",
    "$json.name.slice(-2)",
    "$json.name.substring(0, 2)",
    "$json.name.split('a')",
    "$json.name.replace(/[aeiou]/g, '*')",
    "$json.name.replaceAll('a', 'o')",
    "/^[A-M]/.test($json.name)",
    "$json.name.indexOf('d') !== -1",
    "Math.round($json.n / 3)",
    "Math.floor($json.n / 4)",
    "Math.max($json.n, $json.m)",
    "($json.n / 3).toFixed(2)",
    "JSON.stringify($json.address)",
    "JSON.parse($json.json).a",
    "Object.keys($json.address)",
    "Object.values($json.address)",
    "$json.rows.map(row => row.price)",
    "$json.rows.filter(row => row.price > 5)",
    "$json.rows.find(row => row.price > 5)",
    "$json.rows.some(row => row.price > 5)",
    "$json.rows.every(row => row.price > 0)",
    "$json.rows.map(row => row.name + ': ' + row.price).join('\\n')",
    "$json.rows.filter(row => row.price > 5).length",
    "encodeURIComponent('ä b&' + $json.n)",
    "$json.tags.concat(['new'])",
    "new Date($json.at).toISOString()",
    "DateTime.fromISO($json.at).toFormat('dd.MM.yyyy HH:mm')",
    "DateTime.fromISO($json.at).plus({ days: 40 }).toISODate()",
    "DateTime.fromISO($json.at).startOf('month').toISO()",
    "DateTime.fromISO($json.at).minus({ months: 1 }).year",
    "parseInt($json.digits)",
    "$json.n % 3",
)


def _record(chance: random.Random) -> dict[str, Any]:
    names = ["Ada", "Bea d'Or", " grace ", "Édith", 'quo"te', "dada"]
    rows = [{"name": chance.choice(names), "price": chance.randint(1, 10)} for _ in range(chance.randint(0, 4))]
    return {
        "name": chance.choice(names),
        "first name": chance.choice(names),
        "n": chance.randint(0, 20),
        "m": chance.randint(0, 20),
        "flag": chance.choice([True, False]),
        "tags": chance.sample(["red", "green", "blue"], chance.randint(0, 3)),
        "address": {"city": chance.choice(["Graz", "Wien"]), "zip": chance.randint(1000, 9999)},
        "json": '{"a": [1, "x"]}',
        "digits": str(chance.randint(0, 999)),
        "at": f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:30:00.000Z",
        "rows": rows,
    }


def _in_javascript(source: str, records: list[dict[str, Any]]) -> Any:
    body = f"{library_for(source)}return value(() => ({source}));"
    each = "return input.rows.map((item) => one({ item, zone: 'Europe/Berlin' }));"
    code = f"const one = (input) => {{ {body} }};\n{each}"
    program = Program("javascript", without_double_braces(code), jsonio.dumps({"rows": records}))
    limits = CodeLimits(20, time.monotonic() + 60, 4_000_000)
    return run_code(program, limits, _ACCOUNT, lambda *_: None)


def _here(written: str, record: dict[str, Any]) -> Any:
    return template(written).render({"trigger": {"body": record}}, Meter())


@pytest.mark.parametrize("source", _EXPRESSIONS)
def test_both_give_the_same(source: str) -> None:
    chance = random.Random(source)
    records = [_record(chance) for _ in range(_RECORDS)]
    values = Values(Here(), Computed("values"), Tally())
    written = values.text(f"={{{{ {source} }}}}")
    assert not values.computed.sources, "it was not translated"
    assert [_here(written, record) for record in records] == _in_javascript(source, records)
