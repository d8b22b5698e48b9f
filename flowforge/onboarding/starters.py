"""Workflows to begin with: each works as soon as its few fields are filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flowforge.errors import Invalid, NotFound, Problem
from flowforge.jsonio import JsonObject

_LONGEST_VALUE = 2_000
Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """A value that the person fills in."""

    name: str
    label: str
    hint: str
    default: str = ""
    secret: bool = False
    begins: tuple[str, ...] = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Starter:
    name: str
    title: str
    text: str
    icon: str
    build: Callable[[Values], JsonObject]
    fields: tuple[Field, ...] = ()


def starters() -> tuple[Starter, ...]:
    return _STARTERS


def starter(name: str) -> Starter:
    """Raises NotFound."""
    found = next((starter for starter in _STARTERS if starter.name == name), None)
    if found is None:
        raise NotFound("there is no such template")
    return found


def filled(chosen: Starter, entered: Mapping[str, Any]) -> JsonObject:
    """The workflow as it can be created. Raises Invalid naming each field that is missing or too long."""
    values = {field.name: entered.get(field.name) or field.default for field in chosen.fields}
    problems = [problem for field in chosen.fields if (problem := _problem(field, values[field.name]))]
    if problems:
        raise Invalid(problems)
    return chosen.build({name: value.strip() for name, value in values.items()})


def _problem(field: Field, value: Any) -> Problem | None:
    if not value or (isinstance(value, str) and not value.strip()):
        return Problem(f"/{field.name}", "is required")
    if not isinstance(value, str) or len(value) > _LONGEST_VALUE:
        return Problem(f"/{field.name}", f"must be a text of at most {_LONGEST_VALUE} characters")
    if not value.strip().startswith(field.begins):
        return Problem(f"/{field.name}", f"must begin with {' or '.join(field.begins)}")
    return None


def _greet(_: Values) -> JsonObject:
    return {
        "name": "Greet whoever calls",
        "trigger": {"type": "webhook"},
        "actions": [
            {
                "id": "greeting",
                "name": "Write a greeting",
                "type": "TRANSFORM",
                "config": {"output": {"text": "Hello {{ trigger.body.name }}!", "calledWith": "{{ trigger.method }}"}},
            }
        ],
    }


def _notify_slack(values: Values) -> JsonObject:
    return {
        "name": "Tell Slack when a webhook is called",
        "trigger": {"type": "webhook"},
        "actions": [
            {
                "id": "tell",
                "name": "Tell the channel",
                "type": "SLACK_MESSAGE",
                "config": {"webhookUrl": values["webhookUrl"], "message": "A webhook came in: {{ trigger.body }}"},
            }
        ],
    }


def _watch_address(values: Values) -> JsonObject:
    return {
        "name": "Watch a web address",
        "trigger": {"type": "scheduler", "config": {"intervalMinutes": 15}},
        "actions": [
            {
                "id": "look",
                "name": "Call the address",
                "type": "HTTP_REQUEST",
                "config": {"method": "GET", "url": values["url"]},
            },
            {
                "id": "note",
                "name": "Note how it answered",
                "type": "TRANSFORM",
                "config": {"output": {"address": values["url"], "status": "{{ steps.look.status }}"}},
            },
        ],
    }


_STARTERS = (
    Starter(
        "greet",
        "Greet whoever calls",
        "A webhook answers with what it was sent, made into a greeting. Needs nothing else: try it with one click.",
        "webhook",
        _greet,
    ),
    Starter(
        "tell-slack",
        "Tell Slack when a webhook is called",
        "Whatever is posted to your webhook becomes a message in a Slack channel.",
        "message",
        _notify_slack,
        (
            Field(
                "webhookUrl",
                "Slack webhook URL",
                "From Slack: your app, Incoming Webhooks. It is stored encrypted.",
                secret=True,
            ),
        ),
    ),
    Starter(
        "watch-address",
        "Watch a web address",
        "Calls an address every 15 minutes; when it stops answering, you see it on the home page.",
        "globe",
        _watch_address,
        (Field("url", "Address", "With https:// in front.", "https://example.com/"),),
    ),
)
