"""Every kind of trigger declares itself whole, so that nobody else has to know it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.sdk import Connector
from flowforge.triggers.kind import Registered, TriggerKind
from flowforge.triggers.kinds import find_kind, find_registered_kind, secret_keys, trigger_kinds
from flowforge.triggers.kinds.webhook import curl
from flowforge.triggers.polling.config import PollConfig
from flowforge.triggers.summary import TriggerSummary

SPRITE = (Path(__file__).parents[2] / "static" / "icons.svg").read_text(encoding="utf-8")
KINDS = list(trigger_kinds().values())
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)


@each_kind
def test_says_what_pages_show(kind: TriggerKind[Any]) -> None:
    assert kind.title
    assert kind.help
    assert f'<symbol id="{kind.icon}"' in SPRITE
    assert kind.summary({}) != TriggerSummary()


@each_kind
def test_its_schema_names_every_field_for_people_and_refers_to_nothing(kind: TriggerKind[Any]) -> None:
    schema = kind.config_schema()
    assert "$ref" not in json.dumps(schema)
    assert all(re.match(r"[A-Z]", field["title"]) for field in schema["properties"].values())


@each_kind
def test_says_what_is_wrong_with_anything_that_may_be_written(kind: TriggerKind[Any]) -> None:
    for value in (7, "text", True, [], [1], {}, {"a": 1}):
        config = dict.fromkeys(kind.config_schema()["properties"], value)
        for problem in kind.problems(config):
            assert problem.pointer.startswith("/")
            assert problem.message
        assert isinstance(kind.summary(config), TriggerSummary)
        assert isinstance(kind.sample(config), dict)


def test_kinds_are_offered_in_one_order() -> None:
    ranks = [kind.rank for kind in KINDS]
    assert ranks == sorted(set(ranks))


def test_a_kind_is_found_by_its_type_in_any_case() -> None:
    webhook = trigger_kinds()["webhook"]
    assert find_kind("WebHook") is webhook
    assert [find_kind(nothing) for nothing in ("pigeon", "", None, 7)] == [None] * 4
    assert find_kind("manual") is not None
    assert find_registered_kind("manual") is None


def test_what_is_secret_in_one_kind_is_secret_in_all() -> None:
    assert {"password", "secret", "verifyToken"} <= set(secret_keys())
    assert {key for kind in KINDS for key in kind.secret_keys()} == set(secret_keys())


@pytest.mark.parametrize(
    ("type_", "config", "other"),
    [
        ("scheduler", {"cron": "0 8 * * *"}, {"cron": "0 9 * * *"}),
        ("email", {"username": "a", "password": "b"}, {"username": "c", "password": "b"}),
    ],
)
def test_an_edit_moves_the_next_time_only_where_it_says_something_else(
    type_: str, config: dict[str, Any], other: dict[str, Any]
) -> None:
    kind, now = trigger_kinds()[type_], datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    due = now + timedelta(minutes=3)
    assert kind.due_at(config, Registered(due, True, config), now) == due
    assert kind.due_at(other, Registered(due, True, config), now) != due
    assert kind.due_at(config, Registered(due, False, config), now) != due
    assert kind.due_at(config, Registered(None, True, config), now) is not None


@pytest.mark.parametrize(
    ("config", "options"),
    [
        ({}, "-X POST -H 'Content"),
        ({"auth": "none", "methods": ["GET", "PUT"]}, "-X PUT -H 'Content"),
        ({"auth": "header", "secret": "********"}, """-X POST -H 'Authorization: '"$TOKEN" -H"""),
        ({"auth": "header", "header": "X-`id`", "methods": "?"}, """-X POST -H 'X-`id`: '"$TOKEN" -H"""),
        ({"auth": "basic", "username": "ada l"}, "-X POST -u 'ada l' -H"),
        ({"auth": "jwt"}, '-X POST -H "Authorization: Bearer $TOKEN" -H'),
    ],
)
def test_the_command_for_the_terminal_proves_what_it_has_to(config: dict[str, Any], options: str) -> None:
    assert (curl("http://x.test/w", config, None) or "").startswith(f"curl {options}")


@pytest.mark.parametrize("config", [{"secret": "********"}, {"auth": "github"}, {"auth": "stripe"}, {"auth": "asana"}])
def test_there_is_none_for_calls_that_are_signed(config: dict[str, Any]) -> None:
    assert curl("http://x.test/w", config, None) is None


POLLED = [connector for connector in load_catalog().connectors() if connector.polls is not None]


@pytest.mark.parametrize("connector", POLLED, ids=lambda connector: connector.type)
def test_an_action_that_is_a_trigger_declares_what_fits_together(connector: Connector[Any]) -> None:
    assert connector.polls is not None
    own, polls = set(connector.config_schema()["properties"]), set(PollConfig.model_json_schema()["properties"])
    assert not own & polls, "a key would have two meanings"
    assert set(connector.polls.fixed) <= own
    assert connector.polls.items
    assert connector.is_repeatable({**connector.polls.fixed}), "it would do something each time"
