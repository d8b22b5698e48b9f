"""Files of n8n's: read with what is old or odd in them, refused with a reason where they hold no workflow."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge import jsonio
from flowforge.errors import Invalid
from flowforge.n8n import reading
from flowforge.n8n.importing import Imported
from flowforge.n8n.reading import read
from tests.n8n.graphs import MANUAL, graph, imported, node, sets


def _read(written: Any) -> Any:
    return read(jsonio.dumps(written))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is not JSON"),
        (b'{"nodes": [', "is not JSON, or was cut off"),
        (b"{}", "no list of nodes"),
        (b"[1, 2]", "no list of nodes"),
        (b'{"nodes": {}}', "no list of nodes"),
        (b'{"nodes": []}' + b" " * reading.MAX_BYTES, "more than 10,000,000 bytes"),
        (b"[" * 900 + b"]" * 900, "levels deep"),
        (b'{"nodes": [' + b",".join([b'{"type": "a.b"}'] * 1_001) + b"]}", "has 1,001 nodes"),
        (b"[" + b",".join([b'{"nodes": []}'] * 201) + b"]", "has 201 workflows"),
    ],
)
def test_what_holds_no_workflow_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        read(data)


def test_a_workflow_may_stand_alone_in_a_list_or_inside_the_answer_of_an_api() -> None:
    one = graph([MANUAL])
    for written in (one, [one], {"workflow": one}, {"data": [one]}, {"data": {"workflow": one}}):
        assert [workflow.name for workflow in _read(written)] == ["Example"]


def test_connections_to_nowhere_and_nodes_of_one_name_are_told() -> None:
    written = graph([MANUAL, sets("A", a=1), sets("A", b=2), "no node"], "Start > A", "A > Gone")  # type: ignore[list-item]
    (workflow,) = _read(written)
    assert list(workflow.nodes) == ["Start", "A"]
    assert [*workflow.remarks] == [
        "1 entries of the list of nodes are no nodes",
        "two nodes are called 'A'; the second was left out",
        "1 connections lead to nodes that do not exist",
    ]


@pytest.mark.parametrize("odd", [None, 7, "text", [], {"main": "x"}, {"main": [None, [None, 5, {}]]}])
def test_odd_connections_are_passed_over(odd: Any) -> None:
    (workflow,) = _read(graph([MANUAL]) | {"connections": {"Start": odd}})
    assert list(workflow.links) == []


def test_names_hold_no_line_breaks_and_no_half_characters() -> None:
    (workflow,) = read(b'{"nodes": [{"name": "a\\nb\\u0000<script>", "type": "n8n-nodes-base.noOp"}]}')
    assert list(workflow.nodes) == ["a b <script>"]


def test_old_files_have_credentials_by_name_and_continue_on_fail() -> None:
    written = node("Old", "slack", credentials={"slackApi": "Team"}, continueOnFail=True, retryOnFail=True, maxTries=2)
    (workflow,) = _read(graph([written]))
    found = workflow.nodes["Old"]
    assert (found.credentials, found.on_error, found.tries) == ({"slackApi": "Team"}, "continueRegularOutput", 2)


def test_sticky_notes_and_pinned_data_are_kept() -> None:
    note = node("Note", "stickyNote", {"content": "## Read <b>me</b>"})
    written = graph([MANUAL, note, sets("A", a="x")], "Start > A", pinData={"Start": [{"json": {"n": 1}}], "Gone": []})
    found = imported(written)
    assert list(found.report.sticky_notes) == ["## Read <b>me</b>"]
    assert found.workflows[0].definition["settings"] == {"note": "## Read <b>me</b>"}
    assert found.workflows[0].sample == {"n": 1}


def _daily(zone: Any) -> Imported:
    clock = node("Clock", "scheduleTrigger", {"rule": {"interval": [{"field": "days", "triggerAtHour": 9}]}})
    year = sets("Year", year="={{ $now.toFormat('yyyy') }}")
    return imported(graph([clock, year], "Clock > Year", settings={"timezone": zone}))


@pytest.mark.parametrize(
    ("written", "zone"), [("Europe/Vienna", "Europe/Vienna"), ("EST", "Etc/GMT+5"), ("HST", "Pacific/Honolulu")]
)
def test_schedules_and_dates_keep_the_time_zone_of_their_workflow(written: str, zone: str) -> None:
    (workflow,) = _daily(written).workflows
    assert workflow.definition["settings"]["timeZone"] == zone
    assert workflow.definition["trigger"]["config"] == {"cron": "0 9 * * *", "timeZone": zone}
    assert workflow.definition["actions"][0]["config"]["output"]["year"] == f"{{{{ now | date('%Y', '{zone}') }}}}"


@pytest.mark.parametrize(("written", "told"), [("DEFAULT", False), ("", False), ("Mars/Base", True), (["x"], True)])
def test_without_a_time_zone_that_is_known_it_is_utc(written: Any, told: bool) -> None:
    found = _daily(written)
    (workflow,) = found.workflows
    assert "settings" not in workflow.definition
    assert workflow.definition["trigger"]["config"] == {"cron": "0 9 * * *"}
    assert workflow.definition["actions"][0]["config"]["output"]["year"] == "{{ now | date('%Y', 'UTC') }}"
    assert any("time zone" in remark for remark in found.report.remarks) == told
