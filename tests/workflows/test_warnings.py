"""Keys that nobody knows are accepted and told."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.errors import MAX_PROBLEMS
from flowforge.workflows.validation import warnings_of_definition

CALL = {"type": "HTTP_REQUEST", "config": {"url": "https://x.test"}}
NO_EFFECT = "is not known, so it has no effect"


def warned(definition: dict[str, Any]) -> dict[str, str]:
    return {warning.pointer: warning.message for warning in warnings_of_definition(load_catalog(), definition)}


def with_action(**parts: Any) -> dict[str, Any]:
    return {"name": "w", "actions": [{**CALL, **parts}]}


@pytest.mark.parametrize(
    ("definition", "pointer", "meant"),
    [
        (with_action(config={"url": "https://x.test", "mehtod": "POST"}), "/actions/0/config/mehtod", "method"),
        (with_action(retires={"attempts": 2}), "/actions/0/retires", "retry"),
        (with_action(onerror="continue"), "/actions/0/onerror", "onError"),
        (with_action(retry={"attempt": 2}), "/actions/0/retry/attempt", "attempts"),
        (with_action(onError=[{**CALL, "tiemout": 5}]), "/actions/0/onError/0/tiemout", "timeout"),
        ({"name": "w", "settings": {"timeOut": 5}, "actions": []}, "/settings/timeOut", "timeout"),
        (
            {"name": "w", "settings": {"concurrency": {"limit": 1, "onlimit": "skip"}}},
            "/settings/concurrency/onlimit",
            "onLimit",
        ),
        ({"name": "w", "triggers": {"type": "webhook"}}, "/triggers", "trigger"),
        ({"name": "w", "trigger": {"type": "webhook", "conifg": {}}}, "/trigger/conifg", "config"),
        (
            {"name": "w", "trigger": {"type": "scheduler", "config": {"timezone": "Europe/Berlin"}}},
            "/trigger/config/timezone",
            "timeZone",
        ),
        (
            {"name": "w", "trigger": {"type": "form", "config": {"fields": [{"name": "a", "requierd": True}]}}},
            "/trigger/config/fields/0/requierd",
            "required",
        ),
        (
            {"name": "w", "trigger": {"type": "webhook", "config": {"auth": "hmac", "secert": "hush-hush"}}},
            "/trigger/config/secert",
            "secret",
        ),
        (
            {"name": "w", "trigger": {"type": "webhook", "config": {"metods": ["PUT"]}}},
            "/trigger/config/metods",
            "methods",
        ),
        (
            {"name": "w", "actions": [{"type": "BRANCH", "branches": [{"If": "{{ 1 }}", "nmae": "a", "actions": []}]}]},
            "/actions/0/branches/0/nmae",
            "name",
        ),
        ({"name": "w", "actions": [{"type": "WAIT", "config": {"second": 5}}]}, "/actions/0/config/second", "seconds"),
    ],
)
def test_a_misspelt_key_is_told_with_the_one_that_was_meant(
    definition: dict[str, Any], pointer: str, meant: str
) -> None:
    assert warned(definition)[pointer] == f"{NO_EFFECT}; did you mean '{meant}'?"


def test_one_that_is_like_no_other_is_told_too() -> None:
    assert warned(with_action(zzz=1)) == {"/actions/0/zzz": NO_EFFECT}


@pytest.mark.parametrize(
    "definition",
    [
        with_action(config={"url": "https://x.test", "connection": "shop", "query": {"anything": {"goes": 1}}}),
        with_action(config={"url": "https://x.test", "fail_on_status": False, "body": {"mehtod": 1}}),
        {"name": "w", "actions": [{"type": "SLACK_MESSAGE", "config": {"webhook_url": "https://x", "text": "hi"}}]},
        {"name": "w", "actions": [{"type": "BRANCH", "branches": [{"when": True, "actions": [CALL]}], "else": [CALL]}]},
        {"name": "w", "trigger": {"type": "webhook", "config": {"secret": "hush-hush", "respond": "immediately"}}},
        {"name": "w", "trigger": {"type": "webhook", "config": {"auth": "hmac", "secret": "hush-hush"}}},
        {"name": "w", "trigger": {"type": "nothing", "config": {"a": 1}}, "actions": [{"type": "NONE", "config": {}}]},
        {"name": "w", "trigger": 5, "actions": [None, 5, {"type": 5, "config": 5, "retry": 5, "branches": 5}]},
        {"name": "w", "trigger": None, "settings": None, "actions": None},
    ],
)
def test_what_is_known_or_free_is_not(definition: dict[str, Any]) -> None:
    assert warned(definition) == {}


@pytest.mark.parametrize("value", ["again", "fail"])
def test_a_word_about_a_crash_is_not_needed_where_nobody_is_called(value: str) -> None:
    sums = {"type": "transform", "config": {"output": {"n": 1}}, "afterCrash": value}
    loop = {"type": "FOR_EACH", "config": {"items": [1]}, "actions": [sums]}
    told = "is not needed: TRANSFORM calls nobody, so that it can always be done again"
    assert warned({"name": "w", "actions": [loop]}) == {"/actions/0/actions/0/afterCrash": told}
    assert warned(with_action(afterCrash=value)) == {}


def test_nobody_reads_more_than_so_many() -> None:
    many = with_action(config={"url": "https://x.test", **{f"key{number}": 1 for number in range(50_000)}})
    assert len(warned(many)) == MAX_PROBLEMS
