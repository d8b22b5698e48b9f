"""Code of n8n's runs in a CODE step, by the names it uses."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.n8n.report import Outcome
from tests.n8n.graphs import MANUAL, Json, actions, graph, imported, node, run

ROWS = [{"n": 1, "name": "ada"}, {"n": 2, "name": "bea"}]


def _code(source: str) -> Json:
    """The config of the step that a Code node becomes."""
    found = actions(graph([MANUAL, node("Code", "code", {"jsCode": source}, typeVersion=2)], "Start > Code"))
    config: Json = found[-1]["config"]
    return config


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("return items;", ROWS),
        (
            "for (const item of items) item.json.n += 1;\nreturn items;",
            [{"n": 2, "name": "ada"}, {"n": 3, "name": "bea"}],
        ),
        ("return $input.all().map((item) => ({ json: { n: item.json.n * 2 } }));", [{"n": 2}, {"n": 4}]),
        ("return [{ json: { total: $input.all().reduce((sum, i) => sum + i.json.n, 0) } }];", [{"total": 3}]),
        ("return { names: items.map((i) => i.json.name) };", [{"names": ["ada", "bea"]}]),
        (
            "const { json } = $input.first();\nreturn [{ json: { ...json, x: {{}}.y } }];".replace("{{}}", "({})"),
            [ROWS[0]],
        ),
        ("return [{ json: { name: $('Rows').first().json.name } }];", [{"name": "row"}]),
        ("return [{ json: { name: $node['Rows'].json.name } }];", [{"name": "row"}]),
        (
            "return [{ json: { a: $json.n, b: '{{ not ours }}', c: `{% x %}` } }];",
            [{"a": 1, "b": "{{ not ours }}", "c": "{% x %}"}],
        ),
        (
            "const zone = 'Europe/Berlin';\n"
            "return [{ json: { d: DateTime.fromISO('2026-03-29T12:00:00', { zone }).toISO() } }];",
            [{"d": "2026-03-29T12:00:00.000+02:00"}],
        ),
        (
            "return [{ json: { d: DateTime.fromISO('2026-01-31').plus({ months: 1 }).toFormat('d LLLL yyyy') } }];",
            [{"d": "28 February 2026"}],
        ),
        (
            "return [{ json: { n: (1234.5).toLocaleString('de-DE', { style: 'currency', currency: 'EUR' }) } }];",
            [{"n": "1.234,50\u00a0€"}],
        ),
        (
            "const as = { weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' };\n"
            "return [{ json: { d: new Date('2026-03-04T05:06:07Z').toLocaleDateString('en-US', as) } }];",
            [{"d": "Wednesday, March 4, 2026"}],
        ),
        (
            "const b = Buffer.from('ä').toString('base64');\n"
            "return [{ json: { b, t: Buffer.from(b, 'base64').toString() } }];",
            [{"b": "w6Q=", "t": "ä"}],
        ),
        (
            "return [{ json: { v: [1, 1, null].unique().compact().first(), s: 'a b'.toTitleCase() } }];",
            [{"v": 1, "s": "A B"}],
        ),
        ("return await Promise.resolve(items.slice(1));", [ROWS[1]]),
        ("return [];", []),
        ("return null;", []),
    ],
)
def test_code_for_all_items(source: str, expected: list[Any]) -> None:
    assert run(_code(source), {"items": ROWS, "nodes": {"Rows": {"item": {"name": "row"}}}}) == expected


def test_code_for_each_item_sees_that_item() -> None:
    parameters = {"mode": "runOnceForEachItem", "jsCode": "$json.at = $itemIndex;\nreturn $input.item;"}
    found = actions(graph([MANUAL, node("Code", "code", parameters, typeVersion=2)], "Start > Code"))
    assert run(found[0]["config"], {"item": ROWS[1], "index": 0}) == [{**ROWS[1], "at": 0}]


def test_a_function_item_of_old_workflows_changes_its_item() -> None:
    parameters = {"functionCode": "item.n = item.n + 1;\nreturn item;"}
    found = actions(graph([MANUAL, node("Old", "functionItem", parameters)], "Start > Old"))
    assert run(found[0]["config"], {"item": ROWS[0]}) == [{"n": 2, "name": "ada"}]


@pytest.mark.parametrize(
    "source",
    [
        "const fs = require('fs');\nreturn items;",
        "return require('crypto').createHash('sha1').update('a').digest('hex');",
        "return [{ json: { e: Object.keys(process.env) } }];",
        "return await this.helpers.httpRequest({});",
    ],
)
def test_code_that_reaches_out_is_left_with_the_reason(source: str) -> None:
    found = imported(graph([MANUAL, node("Code", "code", {"jsCode": source}, typeVersion=2)], "Start > Code"))
    (left,) = found.report.with_outcome(Outcome.LEFT)
    assert "cannot run in a CODE step" in left.notes[0]


PICTURE = {
    "name": "a.png",
    "type": "image/png",
    "size": 3,
    "sha256": "x",
    "id": "file_0193a1b2c3d4e5f60718293a4b5c6d7e",
}
"""A file as a step gives it."""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("return items;", {"n": 1, "binary": {"data": PICTURE}}),
        (
            "return items.map((item) => ({ json: {}, binary: { photo: item.binary.data } }));",
            {"binary": {"photo": PICTURE}},
        ),
        (
            "for (const item of items) item.binary.data.mimeType = 'image/webp';\nreturn $input.all();",
            {"n": 1, "binary": {"data": {**PICTURE, "type": "image/webp"}}},
        ),
        ("return [{ json: { size: (await this.helpers.getBinaryDataBuffer(0, 'data')).length } }];", {"size": 3}),
        (
            "return [{ json: { in: items[0].binary.data.data, as: $binary.data.mimeType } }];",
            {"in": "YWJj", "as": "image/png"},
        ),
    ],
)
def test_code_sees_the_files_of_items_and_hands_them_on(source: str, expected: Json) -> None:
    config = _code(f"{source} // binary")
    assert run(config, {"items": [{"n": 1}], "files": {"data": [PICTURE]}, "contents": {"data": ["YWJj"]}}) == [
        expected
    ]


@pytest.mark.parametrize(
    "binary",
    [
        "{ data: Buffer.from('abc').toString('base64'), fileName: 'a.txt', mimeType: 'text/plain' }",
        "{ data: new Buffer('abc').toString('base64'), fileName: 'a.txt', mimeType: 'text/plain' }",
        "await this.helpers.prepareBinaryData(Buffer.from('abc'), 'a.txt', 'text/plain')",
    ],
)
def test_code_makes_files(binary: str) -> None:
    (made,) = run(_code(f"return [{{ json: {{}}, binary: {{ report: {binary} }} }}];"), {"items": [{}]})
    file = made["binary"]["report"]
    assert (file["name"], file["type"], file["base64"], file["size"]) == ("a.txt", "text/plain", "YWJj", 3)


def test_a_file_that_code_gives_goes_into_the_next_step() -> None:
    send = node(
        "Send",
        "httpRequest",
        {"url": "https://a.test", "method": "POST", "sendBody": True}
        | {"contentType": "binaryData", "inputDataFieldName": "photo"},
        typeVersion=4.2,
    )
    get = node(
        "Get",
        "httpRequest",
        {"url": "https://a.test/a.png", "options": {"response": {"response": {"responseFormat": "file"}}}},
        typeVersion=4.2,
    )
    code = node(
        "Name", "code", {"jsCode": "return [{json: {}, binary: {photo: items[0].binary.data}}];"}, typeVersion=2
    )
    _, named, sent = actions(graph([MANUAL, get, code, send], "Start > Get", "Get > Name", "Name > Send"))
    assert named["config"]["input"]["files"] == {"data": "{{ [steps.get.body | default(none)] | default(none) }}"}
    assert "contents" not in named["config"]["input"]
    assert sent["config"]["body"] == "{{ steps.name.result[0].binary.photo }}"


def test_files_that_a_loop_has_fetched_come_to_the_code_after_it() -> None:
    rows = node("Rows", "splitOut", {"fieldToSplitOut": "rows"})
    get = node(
        "Get",
        "httpRequest",
        {"url": "=https://a.test/{{ $json.id }}", "options": {"response": {"response": {"responseFormat": "file"}}}},
        typeVersion=4.2,
    )
    code = node("All", "code", {"jsCode": "return [{json: {}, binary: {a: items[0].binary.data}}];"}, typeVersion=2)
    found = actions(graph([MANUAL, rows, get, code], "Start > Rows", "Rows > Get", "Get > All"))
    loop, last = found[-2], found[-1]
    assert "'get_data': steps.get.body" in loop["config"]["collect"]
    assert last["config"]["input"]["files"]["data"] == "{{ steps.each_get.results | map('get_data') | default(none) }}"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "const c = require('crypto');\nreturn [{ h: c.createHash('md5').update('a').digest('hex') }];",
            {"h": "0cc175b9c0f1b6a831c399e269772661"},
        ),
        ("return [{ n: require('crypto').randomBytes(4).toString('hex').length }];", {"n": 8}),
        (
            "return [{ n: new Intl.NumberFormat('de-DE', { maximumFractionDigits: 1 }).format(1234.56) }];",
            {"n": "1.234,6"},
        ),
        (
            "return [{ d: new Intl.DateTimeFormat('en-US').format(new Date('2026-03-04T05:06:07Z')) }];",
            {"d": "3/4/2026"},
        ),
        ("return [{ e: $env.SHOP, p: process.env.SHOP, v: $vars.SHOP }];", {"e": "x", "p": "x", "v": "x"}),
    ],
)
def test_code_has_the_commonest_modules_and_names(source: str, expected: Json) -> None:
    assert run(_code(source), {"items": [{}], "vars": {"SHOP": "x"}}) == [expected]


def test_what_code_keeps_between_executions_is_a_row_of_a_table() -> None:
    source = (
        "const kept = $getWorkflowStaticData('global');\nkept.n = (kept.n ?? 0) + 1;\nreturn [{ json: { n: kept.n } }];"
    )
    code = node("Count", "code", {"jsCode": source}, typeVersion=2)
    before, counted, after = actions(graph([MANUAL, code], "Start > Count"))
    assert before["config"] == {"table": "n8n static data", "operation": "get", "key": "Example"}
    assert run(counted["config"], {"items": [{}], "kept": {"global": {"n": 4}}}) == {
        "rows": [{"n": 5}],
        "kept": {"global": {"n": 5}},
    }
    assert after["config"]["values"] == {"workflow": "Example", "data": "{{ steps.count.result.kept }}"}


def _python(source: str, **more: Any) -> Any:
    parameters = {"language": "python", "pythonCode": source} | more
    found = actions(graph([MANUAL, node("Code", "code", parameters, typeVersion=2)], "Start > Code"))
    return run(found[-1]["config"], {"items": ROWS, "nodes": {"Rows": {"item": {"name": "row"}}}})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("return _input.all();", ROWS),
        (
            "for item in _input.all():\n  item.json.n = item.json.n + 1\nreturn items",
            [{**row, "n": row["n"] + 1} for row in ROWS],
        ),
        ("data = _input.first().json.to_py()\nreturn {'a': f'{data.get(\"name\")}.json'}", [{"a": "ada.json"}]),
        ("return [{'json': {'x': item['json']['name']}} for item in _items]", [{"x": "ada"}, {"x": "bea"}]),
        (
            "import re\nreturn [{'json': {'n': _('Rows').first().json.name, 'm': len(re.findall('a', 'aa'))}}]",
            [{"n": "row", "m": 2}],
        ),
    ],
)
def test_python_for_all_items(source: str, expected: list[Json]) -> None:
    assert _python(source) == expected


def test_python_for_each_item() -> None:
    assert _python("return {'n': _json['n'], 'name': _input.item.json.name}", mode="runOnceForEachItem") == ROWS


@pytest.mark.parametrize(
    "source", ["import pandas as pd\nreturn []", "return _('a' + 'b').all()", "return [{'n': _now}]", "return ["]
)
def test_python_that_cannot_run_is_left_with_the_reason(source: str) -> None:
    code = node("Code", "code", {"language": "python", "pythonCode": source}, typeVersion=2)
    (left,) = imported(graph([MANUAL, code], "Start > Code")).report.with_outcome(Outcome.LEFT)
    assert left.notes[0].startswith("its Python ")
