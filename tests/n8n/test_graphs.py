"""Graphs become lists of steps: trees, joins, loops that n8n shows and those that it does not, ways back."""

from __future__ import annotations

from typing import Any

from flowforge.n8n.report import Outcome
from tests.n8n.graphs import CALLED, MANUAL, actions, decides, graph, imported, node, sets

ROWS = node("Rows", "code", {"jsCode": "return [1, 2].map((n) => ({ json: { n } }));"}, typeVersion=2)


def _shape(found: list[dict[str, Any]]) -> list[Any]:
    """Ids of steps; of blocks with the lists inside."""
    return [_shape_of(action) for action in found]


def _shape_of(action: dict[str, Any]) -> Any:
    inside = [_shape(branch["actions"]) for branch in action.get("branches", ())]
    inside += [_shape(action[key]) for key in ("else", "actions") if key in action]
    return (action["id"], *inside) if inside else action["id"]


def test_a_chain_is_a_list_and_sees_what_came_before() -> None:
    found = actions(
        graph([CALLED, sets("A", x="={{ $json.body.name }}"), sets("B", y="={{ $json.x }}")], "Call > A", "A > B")
    )
    assert _shape(found) == ["a", "b"]
    assert found[0]["config"]["output"] == {"x": "{{ trigger.body.name | default(none) }}"}
    assert found[1]["config"]["output"] == {"y": "{{ steps.a.x | default(none) }}"}


def test_a_webhook_has_its_query_under_our_name() -> None:
    (step,) = actions(graph([CALLED, sets("A", x="={{ $json.query.q }}")], "Call > A"))
    assert step["config"]["output"] == {"x": "{{ trigger.queryParams.q | default(none) }}"}


def test_a_fork_is_a_branch_with_all_that_follows_in_each() -> None:
    nodes = [
        CALLED,
        decides("Is it", "={{ $json.body.a }}", "x"),
        sets("Yes", r=1),
        sets("No", r=2),
        sets("End", s="={{ $json.r }}"),
    ]
    found = actions(graph(nodes, "Call > Is it", "Is it > Yes", "Is it 1 > No", "Yes > End", "No > End"))
    assert _shape(found) == [("is_it", ["yes", "end"], ["no", "end_2"])]
    assert found[0]["branches"][0]["when"] == "{{ (trigger.body.a | default(none)) == ('x') }}"
    assert found[0]["else"][1]["config"]["output"] == {"s": "{{ steps.no.r | default(none) }}"}


def test_a_merge_of_ways_that_all_run_waits_for_them() -> None:
    nodes = [
        CALLED,
        sets("A", a=1),
        sets("B", b=2),
        node("Both", "merge", typeVersion=3),
        sets("C", c="={{ $json.a }}"),
    ]
    found = actions(graph(nodes, "Call > A", "Call > B", "A > Both", "B > Both 1", "Both > C"))
    assert _shape(found) == ["a", "b", "both", ("each_c", ["c"])]
    assert found[2]["config"]["output"] == {"items": "{{ ([steps.a]) + ([steps.b]) }}"}
    assert found[3]["config"] == {"items": "{{ steps.both.items }}"}


def test_a_merge_of_ways_of_which_one_runs_is_a_join() -> None:
    nodes = [
        CALLED,
        decides("If", "={{ $json.body.a }}", "x"),
        sets("A", a=1),
        sets("B", b=2),
        node("Join", "merge"),
        sets("C", c="={{ $json.a }}"),
    ]
    found = actions(graph(nodes, "Call > If", "If > A", "If 1 > B", "A > Join", "B > Join 1", "Join > C"))
    assert _shape(found) == [("if", ["a", "c"], ["b", "c_2"])]


def test_a_list_is_gone_through_by_a_loop_up_to_a_node_that_takes_all() -> None:
    gather = node("Gather", "aggregate", {"aggregate": "aggregateAllItemData", "destinationFieldName": "all"})
    nodes = [
        MANUAL,
        ROWS,
        sets("A", n="={{ $json.n }}", first="={{ $('Rows').first().json.n }}"),
        gather,
        sets("B", b="={{ $json.all }}"),
    ]
    found = actions(graph(nodes, "Start > Rows", "Rows > A", "A > Gather", "Gather > B"))
    assert _shape(found) == ["rows", ("each_a", ["a"]), "gather", "b"]
    assert found[1]["config"] == {"items": "{{ steps.rows.result }}", "collect": "{{ {'a': steps.a | default(none)} }}"}
    inner = found[1]["actions"][0]["config"]["output"]
    assert inner == {"n": "{{ item.n | default(none) }}", "first": "{{ steps.rows.result[0].n | default(none) }}"}
    assert found[2]["config"]["output"] == {"all": "{{ steps.each_a.results | map('a') }}"}


def test_a_loop_over_batches_is_a_for_each_and_goes_on_when_it_is_done() -> None:
    loop = node("Loop", "splitInBatches", typeVersion=3)
    nodes = [MANUAL, ROWS, loop, sets("A", n="={{ $json.n }}"), sets("Done", d="={{ $json.n }}")]
    found = actions(graph(nodes, "Start > Rows", "Rows > Loop", "Loop 1 > A", "A > Loop", "Loop > Done"))
    assert _shape(found) == ["rows", ("loop", ["a"]), ("each_done", ["done"])]
    assert found[2]["config"] == {"items": "{{ steps.loop.results | map('a') }}"}


def test_batches_of_several_are_chunks() -> None:
    loop = node("Loop", "splitInBatches", {"batchSize": 5}, typeVersion=3)
    found = actions(
        graph(
            [MANUAL, ROWS, loop, sets("A", n="={{ $json.n }}")], "Start > Rows", "Rows > Loop", "Loop 1 > A", "A > Loop"
        )
    )
    assert found[1]["config"]["items"] == "{{ steps.rows.result | chunk(5) }}"
    assert _shape(found[1]["actions"]) == [("each_a", ["a"])]


def test_a_way_back_is_a_repeat_that_ends_with_the_round_that_does_not_go_it() -> None:
    ask = node("Ask", "httpRequest", {"url": "https://x.example/", "options": {}}, typeVersion=4)
    nodes = [
        MANUAL,
        ask,
        decides("Ready", "={{ $json.state }}", "done"),
        node("Rest", "wait", {"amount": 5, "unit": "seconds"}, typeVersion=1.1),
        sets("End", e=1),
    ]
    found = actions(graph(nodes, "Start > Ask", "Ask > Ready", "Ready > End", "Ready 1 > Rest", "Rest > Ask"))
    assert _shape(found) == [("repeat_ask", ["ask", ("ready", ["end"], ["rest", "again_ask"])])]
    config = found[0]["config"]
    assert config["until"] == "{{ steps.again_ask is not defined }}"
    assert config["carry"] == "{{ steps.again_ask.again | default(none) }}"


def test_several_triggers_become_several_workflows() -> None:
    clock = node("Clock", "scheduleTrigger", {"rule": {"interval": [{"field": "hours"}]}})
    found = imported(graph([MANUAL, clock, sets("A", a=1)], "Start > A", "Clock > A"))
    assert [workflow.definition["trigger"]["type"] for workflow in found.workflows] == ["manual", "scheduler"]
    assert found.workflows[1].definition["trigger"]["config"] == {"cron": "0 * * * *"}


def test_what_cannot_be_mapped_is_a_disabled_step_that_says_what_it_was() -> None:
    found = imported(
        graph(
            [MANUAL, node("Odd", "noSuchThing", {"secret": "{{ x }}"}), sets("A", a="={{ $json.b }}")],
            "Start > Odd",
            "Odd > A",
        )
    )
    (workflow,) = found.workflows
    step = workflow.definition["actions"][0]
    assert (step["enabled"], step["name"]) == (False, "Missing: Odd")
    assert step["config"]["output"]["node"] == "n8n-nodes-base.noSuchThing"
    (left,) = found.report.with_outcome(Outcome.LEFT)
    assert left.notes[0] == "there is no counterpart of n8n-nodes-base.noSuchThing"
    assert not found.report.is_whole


def test_steps_that_our_check_would_refuse_are_left_not_saved() -> None:
    code = node("Code", "code", {"jsCode": "return items.map("}, typeVersion=2)
    found = imported(graph([MANUAL, code], "Start > Code"))
    (left,) = found.report.with_outcome(Outcome.LEFT)
    assert "does not pass our check" in left.notes[0]


def test_errors_go_the_way_that_is_drawn_for_them() -> None:
    ask = node(
        "Ask", "httpRequest", {"url": "https://x.example/", "options": {}}, typeVersion=4, onError="continueErrorOutput"
    )
    found = actions(
        graph([MANUAL, ask, sets("Well", a=1), sets("Ill", b=2)], "Start > Ask", "Ask > Well", "Ask 1 > Ill")
    )
    assert found[0]["onError"] == "continue"
    assert found[1]["branches"][0]["when"] == "{{ steps.ask.error is defined }}"
    assert _shape(found)[1] == ("ask_2", ["ill"], ["well"])


def test_so_many_ways_together_that_there_would_be_too_many_steps_are_told() -> None:
    nodes, links = [CALLED], ["Call > If0"]
    for number in range(12):
        nodes += [decides(f"If{number}", "={{ $json.a }}", "x"), sets(f"A{number}", a=1), sets(f"B{number}", a=2)]
        links += [f"If{number} > A{number}", f"If{number} 1 > B{number}"]
        links += [f"A{number} > If{number + 1}", f"B{number} > If{number + 1}"] if number < 11 else []
    found = imported(graph(nodes, *links))
    assert not found.workflows
    assert not found.report.is_whole


def test_a_chain_may_be_as_long_as_a_workflow() -> None:
    nodes = [sets(f"S{number}", a="={{ $json.a }}") for number in range(400)]
    links = [f"S{number} > S{number + 1}" for number in range(399)]
    assert len(actions(graph([MANUAL, *nodes], "Start > S0", *links))) == 400
