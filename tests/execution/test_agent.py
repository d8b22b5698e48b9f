"""AGENT and TOOL: what the model is told, which tools run, and what comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.execution.blocks.agent import LONGEST_RESULT
from flowforge.execution.retry import Failure
from flowforge.execution.simulator import Due, Simulation
from flowforge.execution.state import Status, StepEnded
from flowforge.execution.tool_calls import MOST_CALLS
from tests.execution.simulations import Action, begun

ASK: Action = {"id": "ask", "type": "ASK", "config": {"prompt": "{{ trigger.question }}"}}


def tool(name: str, *actions: Action, **config: Any) -> Action:
    inside = list(actions or [{"id": f"do_{name}", "type": "CALL", "config": {"given": "{{ arguments }}"}}])
    return {"id": name, "type": "TOOL", "config": {"description": f"Does {name}", **config}, "actions": inside}


def agent(*actions: Action, **config: Any) -> Action:
    inside = list(actions or [tool("look_up"), tool("send")])
    return {"id": "assistant", "type": "AGENT", "config": config, "actions": [ASK, *inside]}


def call(name: str, number: int = 1, **arguments: Any) -> dict[str, Any]:
    return {"id": f"c{number}", "name": name, "arguments": arguments}


def end(simulation: Simulation, **output: Any) -> Due:
    """Ends the oldest thing that is due; returns it."""
    first = simulation.due.popleft()
    assert simulation.end(StepEnded(first.step.index, first.attempt, first.what.iteration, output))
    return first


def say(simulation: Simulation, *calls: dict[str, Any], text: str = "", **more: Any) -> Due:
    """The model answers."""
    assert [due.step.id for due in simulation.due] == ["ask"]
    return end(simulation, text=text, calls=list(calls), **more)


def results_told(simulation: Simulation) -> list[dict[str, Any]]:
    """The results that the model is told when it is asked again."""
    before = simulation.due[0].scope["agent"]["before"]
    return list(before[-1]["results"])


def test_a_model_that_calls_nothing_has_answered() -> None:
    execution = begun(agent())
    say(execution, text="Hello.", json={"mood": "good"}, usage={"inputTokens": 3, "outputTokens": 1})
    assert execution.status is Status.COMPLETED
    assert execution.outputs["step_0"] == {
        "text": "Hello.",
        "json": {"mood": "good"},
        "rounds": 1,
        "calls": [],
        "usage": {"inputTokens": 3, "outputTokens": 1},
    }


def test_tools_run_and_their_results_are_told_until_it_answers() -> None:
    execution = begun(agent())
    say(execution, call("look_up", order="7"), usage={"inputTokens": 10, "outputTokens": 2, "cost": 0.1})
    assert end(execution, total=12).scope["arguments"] == {"order": "7"}
    assert results_told(execution) == [{"content": '{"total":12}'}]
    say(execution, call("send", to="ann"), usage={"inputTokens": 20, "outputTokens": 3, "cost": 0.2})
    end(execution, sent=True)
    say(execution, text="Done.", usage={"inputTokens": 30, "outputTokens": 4, "cost": 0.3})
    assert execution.outputs["step_0"] == {
        "text": "Done.",
        "rounds": 3,
        "calls": [
            {"name": "look_up", "arguments": {"order": "7"}},
            {"name": "send", "arguments": {"to": "ann"}},
        ],
        "usage": {"inputTokens": 60, "outputTokens": 9, "cost": 0.6},
    }


def test_calls_of_one_round_run_one_after_another_and_are_told_in_their_order() -> None:
    execution = begun(agent())
    say(execution, call("send", 1, n=1), call("look_up", 2, n=2), call("send", 3, n=3))
    order = []
    while execution.due[0].step.id != "ask":
        assert len(execution.due) == 1
        due = end(execution, n=execution.due[0].scope["arguments"]["n"])
        order.append((due.step.id, due.scope["arguments"]["n"]))
    assert order == [("do_look_up", 2), ("do_send", 1), ("do_send", 3)]
    assert [result["content"] for result in results_told(execution)] == ['{"n":1}', '{"n":2}', '{"n":3}']


def test_a_result_is_what_the_tool_says_and_a_text_goes_as_it_is() -> None:
    execution = begun(agent(tool("look_up", result="{{ steps.do_look_up.total }} for {{ arguments.order }}")))
    say(execution, call("look_up", order="7"))
    end(execution, total=12)
    assert results_told(execution) == [{"content": "12 for 7"}]


def test_a_result_that_is_too_long_is_cut_off_and_says_so() -> None:
    execution = begun(agent(tool("look_up", result="{{ steps.do_look_up.text }}")))
    say(execution, call("look_up"))
    end(execution, text="a" * (LONGEST_RESULT + 1))
    content = results_told(execution)[0]["content"]
    assert content.startswith("a" * LONGEST_RESULT + "\n… (cut off")
    assert len(content) < LONGEST_RESULT + 100


def fail(simulation: Simulation, message: str) -> None:
    first = simulation.due.popleft()
    failure = Failure(message, permanent=True)
    assert simulation.end(StepEnded(first.step.index, first.attempt, first.what.iteration, failure=failure))


def test_a_call_that_fails_is_told_to_the_model() -> None:
    execution = begun(agent())
    say(execution, call("look_up", 1, order="7"), call("look_up", 2, order="8"))
    fail(execution, "there is no order 7")
    end(execution, total=1)
    assert results_told(execution) == [
        {"content": "there is no order 7", "failed": True},
        {"content": '{"total":1}'},
    ]


def test_a_tool_may_fail_the_agent() -> None:
    execution = begun(agent(tool("send", onCallError="fail")))
    say(execution, call("send"))
    fail(execution, "no such address")
    assert execution.status is Status.FAILED
    assert (execution.error or {})["message"] == "no such address"


def test_a_call_that_cannot_be_carried_out_is_told_and_runs_nothing() -> None:
    execution = begun(agent())
    say(
        execution,
        {**call("delete"), "problem": "there is no tool 'delete'"},
        {**call("send"), "problem": "/to is required"},
    )
    assert results_told(execution) == [
        {"content": "there is no tool 'delete'", "failed": True},
        {"content": "/to is required", "failed": True},
    ]


def test_a_tool_whose_condition_does_not_hold_has_not_run() -> None:
    execution = begun(agent({**tool("send"), "when": "{{ trigger.may }}"}), trigger={"may": False})
    say(execution, call("send"))
    assert results_told(execution) == [{"content": "the tool has not run", "failed": True}]


def test_it_ends_where_it_may_not_be_asked_again() -> None:
    execution = begun(agent(maxRounds=2))
    say(execution, call("send"))
    end(execution)
    say(execution, call("send"))
    end(execution)
    error = execution.error or {}
    assert execution.status is Status.FAILED
    assert error["message"] == "step 'assistant': the model still calls tools in round 2, the last one (maxRounds)"
    assert error["round"] == 2


def test_more_calls_at_once_than_there_may_be_are_an_error() -> None:
    execution = begun(agent())
    say(execution, *(call("send", n) for n in range(MOST_CALLS + 1)))
    assert "calls 101 tools at once" in (execution.error or {})["message"]


@pytest.mark.parametrize("output", [{"text": "hm"}, {"calls": "no"}, {"calls": [1]}, {"calls": [{"id": "c1"}]}])
def test_a_first_step_that_asks_no_model_is_an_error(output: dict[str, Any]) -> None:
    execution = begun(agent())
    end(execution, **output)
    assert execution.status is Status.FAILED
    assert "'ask' has asked no model that can call tools" in (execution.error or {})["message"]


def test_one_without_an_action_fails() -> None:
    execution = begun({**agent(), "actions": []})
    assert (execution.error or {})["message"] == "step 'assistant': there is no action that asks a model"


def test_a_model_whose_failure_is_passed_over_has_not_answered() -> None:
    execution = begun({**agent(), "actions": [{**ASK, "onError": "continue"}, tool("send")]})
    fail(execution, "overloaded")
    assert "'ask' has failed, so that the model has not answered" in (execution.error or {})["message"]


def test_a_tool_outside_of_an_agent_fails() -> None:
    execution = begun(tool("send"))
    assert "a tool stands behind the step of an AGENT" in (execution.error or {})["message"]


def test_a_conversation_that_outgrows_what_is_kept_fails_the_agent() -> None:
    execution = begun(agent())
    execution.output_limit = 2_000
    for _ in range(3):
        if execution.status is not Status.RUNNING:
            break
        say(execution, call("send"))
        end(execution, text="a" * 900)
    assert "the conversation with the model has" in (execution.error or {})["message"]
