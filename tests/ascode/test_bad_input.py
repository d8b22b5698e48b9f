"""One table of definitions nobody should save: the API and the command line tell the same of each, all at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from flowforge.__main__ import main
from flowforge.wiring import Backends
from webapp import create_app

STEP = {"id": "a", "type": "TRANSFORM", "config": {"output": {"n": 1}}}
LOOP = {"id": "each", "type": "FOR_EACH", "config": {"items": "{{ trigger.items }}"}, "actions": [STEP]}
BAD: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no name": ({"actions": []}, {"/name"}),
    "empty name, no type": ({"name": " ", "actions": [{"config": {}}]}, {"/name", "/actions/0/type"}),
    "types nobody knows": (
        {"name": "x", "actions": [{"type": "NOPE"}, {"type": "SLAK_MESSAGE", "config": {}}]},
        {"/actions/0/type", "/actions/1/type"},
    ),
    "missing fields": (
        {"name": "x", "actions": [{"type": "HTTP_REQUEST"}, {"type": "GOOGLE_SHEET_ROW", "config": {"range": "A"}}]},
        {"/actions/0/config/url", "/actions/1/config/spreadsheetId", "/actions/1/config/values"},
    ),
    "a step that comes later": (
        {"name": "x", "actions": [{"type": "TRANSFORM", "config": {"output": {"n": "{{ steps.a.n }}"}}}, STEP]},
        {"/actions/0/config/output/n"},
    ),
    "item outside of a loop": (
        {"name": "x", "actions": [{"type": "TRANSFORM", "config": {"output": {"n": "{{ item }}"}}}]},
        {"/actions/0/config/output/n"},
    ),
    "from outside into a loop": (
        {"name": "x", "actions": [LOOP, {"type": "TRANSFORM", "config": {"output": {"n": "{{ steps.a.n }}"}}}]},
        {"/actions/1/config/output/n"},
    ),
    "expressions that cannot be read": (
        {
            "name": "x",
            "actions": [{"type": "TRANSFORM", "when": "{{ 1 + }}", "config": {"output": {"n": "{{ x y }}"}}}],
        },
        {"/actions/0/when", "/actions/0/config/output/n"},
    ),
    "a filter nobody has": (
        {"name": "x", "actions": [{"type": "TRANSFORM", "config": {"output": {"n": "{{ 1 | uper }}"}}}]},
        {"/actions/0/config/output/n"},
    ),
    "an id twice": ({"name": "x", "actions": [STEP, STEP]}, {"/actions/1/id"}),
    "branches without conditions": (
        {"name": "x", "actions": [{"type": "BRANCH", "branches": [{"actions": []}, {"when": "{{ true }}"}]}]},
        {"/actions/0/branches/0/when"},
    ),
    "lanes in the wrong block": (
        {"name": "x", "actions": [{"type": "FOR_EACH", "config": {"items": []}, "branches": []}]},
        {"/actions/0/branches"},
    ),
    "a wait for too much": (
        {"name": "x", "actions": [{"type": "WAIT", "config": {"seconds": 5, "for": "approval"}}]},
        {"/actions/0/config"},
    ),
    "a retry of a block": (
        {"name": "x", "actions": [{**LOOP, "retry": {"attempts": 2}}]},
        {"/actions/0/retry"},
    ),
    "numbers as text": (
        {"name": "x", "actions": [{**STEP, "timeout": "5", "retry": {"attempts": "two"}}]},
        {"/actions/0/timeout", "/actions/0/retry/attempts"},
    ),
    "a trigger nobody has": ({"name": "x", "trigger": {"type": "moon"}, "actions": []}, {"/trigger/type"}),
    "a time that never comes": (
        {"name": "x", "trigger": {"type": "scheduler", "config": {"cron": "61 * * * *"}}, "actions": []},
        {"/trigger/config/cron"},
    ),
    "fields that take no expression": (
        {
            "name": "x",
            "actions": [
                {**LOOP, "config": {"items": [], "onItemError": "{{ trigger.mode }}"}},
                {"type": "WAIT", "config": {"for": "{{ trigger.how }}"}},
            ],
        },
        {"/actions/0/config/onItemError", "/actions/1/config/for"},
    ),
    "a filter and a name nobody has": (
        {"name": "x", "actions": [{"type": "TRANSFORM", "config": {"output": {"n": "{{ sceps.q | lowr }}"}}}]},
        {"/actions/0/config/output/n"},
    ),
    "everything at once": (
        {
            "name": " ",
            "trigger": {"type": "scheduler", "config": {"cron": "61 * * * *"}},
            "settings": {"timeout": 0, "concurrency": {"limit": "two", "key": "{{ steps.a }}"}},
            "actions": [
                {**STEP, "timeout": "5"},
                5,
                {"id": "b", "config": {"output": "{{ nope }}", "connection": "none"}, "branches": []},
                {**STEP, "when": 7},
                {
                    "type": "NOPE",
                    "config": {"x": "{{ steps.b.x }} {{ steps['c d'].x }} {{ resume.b.url }} {{ stepz.a }}"},
                },
                {"type": "BRANCH", "branches": [5, {"name": "y", "actions": [{**STEP, "id": "c d"}]}]},
                {"type": "HTTP_REQUEST", "config": []},
                {"type": "HTTP_REQUEST", "config": {"body": "{{ 1 | uper }}"}, "onError": "explode"},
                {"type": "FOR_EACH", "actions": [{**STEP, "id": "d", "config": {"output": "{{ (1 }}"}}, {"type": 1}]},
                {"type": "WAIT", "config": {"for": "{{ trigger.how }}"}, "retry": {"attempts": 0}},
            ],
        },
        {
            "/name",
            "/trigger/config/cron",
            "/settings/timeout",
            "/settings/concurrency/limit",
            "/actions/0/timeout",
            "/actions/1",
            "/actions/2/type",
            "/actions/2/config/output",
            "/actions/3/id",
            "/actions/3/when",
            "/actions/4/type",
            "/actions/4/config/x",
            "/actions/5/branches/0",
            "/actions/5/branches/1/when",
            "/actions/5/branches/1/actions/0/id",
            "/actions/6/config",
            "/actions/7/config/body",
            "/actions/7/config/url",
            "/actions/7/onError",
            "/actions/8/config/items",
            "/actions/8/actions/0/config/output",
            "/actions/8/actions/1/type",
            "/actions/9/config/for",
            "/actions/9/retry",
            "/actions/9/retry/attempts",
        },
    ),
    "more problems than anybody reads": (
        {
            "name": "x",
            "actions": [{"type": "TRANSFORM", "config": {"output": [f"{{{{ nope{n} }}}}" for n in range(300)]}}],
        },
        {"", *(f"/actions/0/config/output/{n}" for n in range(199))},
    ),
    "limits out of bounds": (
        {"name": "x", "actions": [], "settings": {"timeout": 0, "concurrency": {"limit": 0}}},
        {"/settings/timeout", "/settings/concurrency/limit"},
    ),
}


@pytest.fixture
def client(backends: Backends) -> FlaskClient:
    return create_app(backends=backends).test_client(use_cookies=False)


@pytest.fixture
def headers(client: FlaskClient) -> dict[str, str]:
    account = {"username": "ada", "email": "ada@example.test", "password": "correct horse battery"}
    return {"Authorization": f"Bearer {client.post('/auth/register', json=account).json['access_token']}"}


@pytest.mark.parametrize("name", BAD)
def test_the_api_and_the_command_line_tell_the_same(
    name: str, client: FlaskClient, headers: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    definition, expected = BAD[name]
    refused = client.post("/api/v1/workflows", json=definition, headers=headers)
    assert refused.status_code == 400, refused.text
    told = {(detail["pointer"], detail["message"]) for detail in refused.json["details"]}
    assert {pointer for pointer, _ in told} == expected

    bundle = {"workflows": [{"key": "x", "definition": definition}]}
    applied = client.post("/api/v1/workflows/apply", json=bundle, headers=headers)
    assert applied.status_code == 400, applied.text
    within = {
        (one["pointer"].removeprefix("/workflows/0/definition"), one["message"]) for one in applied.json["details"]
    }
    assert within == told

    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(definition, sort_keys=False))
    assert main(["validate", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()[:-1]
    found = [re.fullmatch(r".*/bad\.yaml:(\d+): (?:(/\S*): )?(.*)", line) for line in lines]
    assert {(match[2] or "", match[3]) for match in found if match} == told
    assert len(found) == len(told)
