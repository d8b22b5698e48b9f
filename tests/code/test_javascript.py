"""Programs in JavaScript: what they are given, what they may use, what comes of them, and what is told of errors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from flowforge.code.languages import check
from flowforge.code.program import CodeFailed
from tests.code.running import ACCOUNT, run

ROWS = [{"name": "Ada", "price": 2, "count": 3}, {"name": "Bo", "price": 1.5, "count": 2}]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("return input.rows.map((row) => row.price * row.count)", [6, 3]),
        ("return { total: input.rows.reduce((sum, row) => sum + row.price * row.count, 0) }", {"total": 9}),
        ("return await Promise.resolve('later')", "later"),
        (
            "const wait = (ms) => new Promise((go) => setTimeout(go, ms)); await wait(60000); return 'at once'",
            "at once",
        ),
        (
            "const order = []; setTimeout(() => order.push(2), 20); setTimeout(() => order.push(1), 10);"
            "await new Promise((go) => setTimeout(go, 30)); return order",
            [1, 2],
        ),
        (
            "let n = 0; await new Promise((go) => { const id = setInterval(() => {"
            "  if (++n === 3) { clearInterval(id); go(); } }); }); return n",
            3,
        ),
        ("", None),
        ("return undefined", None),
        ("return new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("return [NaN, undefined, () => 1]", [None, None, None]),
        ("return 'gr\\u00fcn \\ud83d\\ude00'", "grün 😀"),
        ("return ['__proto__' in input, Object.keys(JSON.parse('{\"__proto__\": 1}'))]", [True, ["__proto__"]]),
    ],
)
def test_a_program_returns_what_it_makes_of_its_input(text: str, result: Any) -> None:
    assert run(text, {"rows": ROWS}) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("return filters.date('2026-07-01T12:00:00Z', '%d.%m.%Y %H:%M', 'Europe/Berlin')", "01.07.2026 14:00"),
        ("return filters.date(new Date(0), '%Y', 'UTC')", "1970"),
        ("return filters.plus('2026-01-31T00:00:00Z', 1, 'months')", "2026-02-28T00:00:00.000Z"),
        ("return filters.sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("return [filters.base64('ü'), filters.from_base64('w7w='), btoa('abc'), atob('YWJj')]",
         ["w7w=", "ü", "YWJj", "abc"]),
        ("return filters.slugify('Crème brûlée')", "creme-brulee"),
        ("return filters.group_by(input.rows, 'name')", {"Ada": [ROWS[0]], "Bo": [ROWS[1]]}),
        ("const copy = structuredClone({ at: new Date(0), tags: new Set(['a']), of: new Map([['k', [1]]]) });"
         "return [copy.at.getTime(), copy.tags.has('a'), copy.of.get('k')]", [0, True, [1]]),
        ("return [...new TextEncoder().encode('€')]", [226, 130, 172]),
        ("return new TextDecoder().decode(new Uint8Array([226, 130, 172]))", "€"),
        ("return new TextDecoder('latin1').decode(new Uint8Array([252]))", "ü"),
        ("const url = new URL('../list?page=2#top', 'https://Shop.example:443/api/v1/items');"
         "url.searchParams.set('q', 'a b'); return [url.href, url.host, url.hash]",
         ["https://shop.example/api/list?page=2&q=a+b#top", "shop.example", "#top"]),
        ("return [filters.format_number(1234.5, 2, ',', '.'), new Date(0).toLocaleDateString()]",
         ["1.234,50", "01/01/1970"]),
        ("return new URLSearchParams({ a: 1, b: 'x&y' }).toString()", "a=1&b=x%26y"),
        ("return [typeof process, typeof globalThis.std, typeof WebAssembly, typeof Deno]", ["undefined"] * 4),
    ],
)  # fmt: skip
def test_there_is_a_library(text: str, result: Any) -> None:
    assert run(text, {"rows": ROWS}) == result


def test_random_values_are_random() -> None:
    text = "return [crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))], Math.random()]"
    one, other = run(text), run(text)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one[0])
    assert all(mine != its for mine, its in zip(one, other, strict=True))


def test_what_it_writes_goes_to_the_log() -> None:
    log: list[tuple[str, str]] = []
    run("console.log('found', { n: 1 }); console.warn([1, 'a']); console.error(new TypeError('bad'))", log=log)
    assert log[:2] == [("log", 'found {"n":1}'), ("warn", '[1,"a"]')]
    assert log[2][0] == "error"
    assert log[2][1].startswith("TypeError: bad")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("const rows = input.rows;\nreturn rows[7].price;",
         "line 2: TypeError: cannot read property 'price' of undefined"),
        ("function price(row) {\n  return row.price.of.it;\n}\nreturn input.rows.map(price);",
         "line 2: TypeError: cannot read property 'it' of undefined (in price, line 2; line 4)"),
        ("throw new RangeError('too few rows')", "line 1: RangeError: too few rows"),
        ("throw 'no rows'", "thrown: no rows"),
        ("throw { code: 7 }", 'thrown: {"code":7}'),
        ("return missing", "line 1: ReferenceError: missing is not defined"),
        ("return 10n", "TypeError: BigInt are forbidden in JSON.stringify"),
        ("const a = {}; a.a = a; return a", "TypeError: circular reference"),
        ("const fs = require('fs')",
         "line 1: Error: require is not available in code: docs/code.md lists what there is"),
        ("await fetch('https://a.example')",
         "line 1: Error: fetch is not available in code: the step HTTP_REQUEST calls services"),
        ("await import('fs')", "ReferenceError: could not load module 'fs'"),
        ("return filters.date('never', '%Y')", "line 1: Error: filters.date: "),
        ("return filters.sparkle('a')", "line 1: Error: filters.sparkle: there is no filter 'sparkle'"),
        ("return filters.replace('a')", "line 1: Error: filters.replace: the filter is used as replace(old, new)"),
        ("return new Date().toLocaleString('de-DE', { timeZone: 'Europe/Berlin' })",
         "line 1: RangeError: toLocaleString knows no languages and zones: filters.date("),
        ("return (1234.5).toLocaleString('de')", "line 1: RangeError: toLocaleString knows no languages"),
        ("await new Promise(() => {})", "it waits for a promise that never settles"),
    ],
)  # fmt: skip
def test_an_error_tells_what_is_wrong_and_where(text: str, told: str) -> None:
    with pytest.raises(CodeFailed) as caught:
        run(text, {"rows": ROWS})
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("const a = 1;\nconst b = ;", "line 2: SyntaxError: unexpected token in expression: ';'"),
        ("return (", "line 1: SyntaxError: "),
        ("}); (() => {", "SyntaxError: there is a } too many"),
        ("import fs from 'fs'", "line 1: SyntaxError: Unexpected identifier 'fs'; there are no modules"),
        ("export default 1", "line 1: SyntaxError: "),
    ],
)
def test_what_cannot_be_read_is_found_without_running_it(text: str, told: str) -> None:
    with pytest.raises(CodeFailed) as caught:
        check("javascript", text, ACCOUNT)
    assert str(caught.value).startswith(told)


def test_reading_a_program_runs_nothing_of_it() -> None:
    check("javascript", "while (true) {}", ACCOUNT)


def test_a_program_finds_nothing_of_the_one_before() -> None:
    run("globalThis.left = 1; Array.prototype.map = () => 'mine'; Object.prototype.toJSON = () => 'mine'; return 1")
    assert run("return [typeof left, [1].map((n) => n + 1), { a: 1 }]") == ["undefined", [2], {"a": 1}]
