"""Which steps have a text in them."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.jsonio import JsonObject
from flowforge.language.finding import Match, matches

MASK = "********"
DEFINITION: JsonObject = {
    "trigger": {"type": "scheduler", "config": {"cron": "0 7 * * 1"}},
    "actions": [
        {"id": "fetch", "type": "HTTP", "name": "Fetch orders", "config": {"url": "https://shop.test/orders"}},
        {
            "id": "each",
            "type": "FOR_EACH",
            "note": "Those of *today* only",
            "config": {"items": "{{ steps.fetch.orders }}", "limit": 25},
            "actions": [
                {
                    "id": "large",
                    "type": "BRANCH",
                    "branches": [
                        {
                            "name": "Dear ones",
                            "when": "{{ item.total > 900 }}",
                            "actions": [{"id": "tell", "type": "SLACK"}],
                        }
                    ],
                    "onError": [
                        {"id": "cry", "type": "EMAIL", "config": {"password": MASK, "headers": {"X-Team": "ops"}}}
                    ],
                }
            ],
        },
        "no action at all",
    ],
}


def found(wanted: str) -> list[Match]:
    return list(matches(DEFINITION, wanted, lambda _, step: f"Title of {step['type']}", MASK))


@pytest.mark.parametrize(
    ("wanted", "at"),
    [
        ("fetch ORDERS", ["/actions/0"]),
        ("orders", ["/actions/0", "/actions/1"]),
        ("0 7 *", ["trigger"]),
        ("today", ["/actions/1"]),
        ("25", ["/actions/1"]),
        ("dear ones", ["/actions/1/actions/0"]),
        ("item.total", ["/actions/1/actions/0"]),
        ("tell", ["/actions/1/actions/0/branches/0/actions/0"]),
        ("x-team", ["/actions/1/actions/0/onError/0"]),
        ("Title of SLACK", ["/actions/1/actions/0/branches/0/actions/0"]),
        ("items", []),  # the key of a field is no text of the person's
        ("*" * 8, []),
        ("nowhere", []),
    ],
)
def test_steps_are_found_by_what_people_wrote_in_them(wanted: str, at: list[str]) -> None:
    assert [match.at for match in found(wanted)] == at


def test_the_name_of_a_step_says_more_than_its_fields() -> None:
    [first, _] = found("orders")
    assert (first.field, first.text) == (("name",), "Fetch orders")


@pytest.mark.parametrize(
    "actions", [None, {}, [None], [{"type": 5, "branches": "x", "config": [1]}], [{"branches": [7]}]]
)
def test_whatever_stands_in_an_adopted_definition_is_gone_through(actions: Any) -> None:
    assert not list(matches({"actions": actions}, "wanted", lambda _, step: str(step.get("type")), MASK))
