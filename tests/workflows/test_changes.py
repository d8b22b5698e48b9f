"""Changes as clients send them: typed, with every field that is wrong named in its own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest

from flowforge.errors import Invalid
from flowforge.triggers.changes import NewTrigger, TriggerChange
from flowforge.workflows.bundle import Bundle
from flowforge.workflows.changes import DraftChange, Publication, Restoration, WorkflowChange

WORKFLOW = str(uuid4())


def refused(read: Callable[[Mapping[str, Any]], object], raw: Mapping[str, Any]) -> list[str]:
    with pytest.raises(Invalid) as found:
        read(raw)
    return [str(problem) for problem in found.value.problems]


def test_all_but_the_definition_is_typed() -> None:
    change = WorkflowChange.read({"name": "w", "actions": [], "enabled": False, "note": "why", "later": 1})
    assert (change.enabled, change.note, change.problems) == (False, "why", ())
    assert change.definition == {"name": "w", "actions": [], "later": 1}


def test_what_is_left_out_or_null_is_kept() -> None:
    assert WorkflowChange.read({"enabled": None, "note": None}) == WorkflowChange()
    assert TriggerChange.read({"enabled": None, "configuration": None}) == TriggerChange()
    assert Publication.read({"revision": None, "overwrite": None}) == Publication()


def test_problems_around_a_definition_wait_for_its_own() -> None:
    change = WorkflowChange.read({"enabled": "yes", "note": 5})
    assert [str(problem) for problem in change.problems] == [
        "/enabled: must be true or false",
        "/note: must be text of at most 500 characters",
    ]


@pytest.mark.parametrize(
    ("read", "raw", "problems"),
    [
        (
            DraftChange.read,
            {"revision": -1},
            ["/definition: is required", "/revision: must be a whole number, 0 or more"],
        ),
        (DraftChange.read, {"definition": [], "revision": True}, 2),
        (DraftChange.read, {"definition": {}, "revision": 2**40}, 1),
        (
            Publication.read,
            {"note": "x" * 501, "revision": 1.5, "overwrite": 1},
            [
                "/note: must be text of at most 500 characters",
                "/revision: must be a whole number, 0 or more",
                "/overwrite: must be true or false",
            ],
        ),
        (Restoration.read, {"note": []}, ["/note: must be text of at most 500 characters"]),
        (
            NewTrigger.read,
            {"workflowId": "?", "enabled": 0, "triggerType": "webhook", "configuration": 5},
            [
                "/enabled: must be true or false",
                "/workflowId: is not a UUID",
                "/configuration: must be an object",
            ],
        ),
        (NewTrigger.read, {"workflowId": WORKFLOW}, ["/triggerType: is required"]),
        (
            Bundle.read,
            {"workflows": [{"definition": {}, "key": "A"}, 5], "dryRun": "no"},
            [
                "/dryRun: must be true or false",
                "/workflows/1/definition: must be an object",
                "/workflows/0/key: must be small letters, digits, '.', '_' and '-', begin with a letter or digit,"
                " and have at most 64",
            ],
        ),
    ],
)
def test_every_field_that_is_wrong_is_named(
    read: Callable[[Mapping[str, Any]], object], raw: Mapping[str, Any], problems: list[str] | int
) -> None:
    found = refused(read, raw)
    assert (len(found) if isinstance(problems, int) else found) == problems


def test_entries_of_a_bundle_that_mean_one_workflow_are_told_apart_by_the_first() -> None:
    same = {"definition": {"name": "w"}, "key": "w"}
    first, second = Bundle.read({"workflows": [same, same]}).workflows
    assert (first.key, first.problems) == ("w", ())
    assert (second.key, str(second.problems[0])) == (None, "/key: is the key of /workflows/0 already")
