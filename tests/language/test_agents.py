"""What is found wrong with agents and their tools when a workflow is saved, and what their expressions can see."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge.language.check import check
from flowforge.language.definition import parse
from flowforge.language.plan import compile_plan
from flowforge.language.tool_parameters import parameters_schema

Action = dict[str, Any]


def step(id_: str, text: str = "", **more: Any) -> Action:
    return {"id": id_, "type": "TRANSFORM", "config": {"output": {"text": text}}, **more}


def tool(id_: str = "send", *actions: Action, **config: Any) -> Action:
    return {"id": id_, "type": "TOOL", "config": {"description": "Sends", **config}, "actions": list(actions)}


def agent(*actions: Action, **config: Any) -> Action:
    return {"id": "helper", "type": "AGENT", "config": config, "actions": [step("ask"), *actions]}


def problems(*actions: Action) -> list[tuple[str, str]]:
    return [(found.pointer, found.message) for found in check(parse({"name": "w", "actions": list(actions)}))]


def test_an_agent_with_tools_is_fine() -> None:
    inside = step("mail", "{{ arguments.to }} {{ agent.round }} {{ steps.ask.text }}")
    written = agent(tool("send", inside, parameters={"to": "Address"}, result="{{ steps.mail.text }}"))
    assert problems(written, step("after", "{{ steps.helper.text }}")) == []


@pytest.mark.parametrize(
    ("config", "pointer", "words"),
    [
        ({"description": ""}, "description", "at least 1 character"),
        ({"description": "{{ trigger.what }}"}, "description", "told to the model as it is written"),
        ({"parameters": {"to": "{{ trigger.what }}"}}, "parameters", "told to the model as it is written"),
        ({"parameters": []}, "parameters", "must be an object"),
        ({"parameters": {"type": "string", "properties": {}}}, "parameters", '"type": "object"'),
        ({"parameters": {"type": "object", "properties": []}}, "parameters", '"type": "object"'),
        ({"parameters": {"to": 1}}, "parameters", '"type": "object"'),
        ({"onCallError": "{{ trigger.mode }}"}, "onCallError", "takes no expression"),
        ({"result": "{{ steps.nobody.text }}"}, "result", "nobody"),
    ],
)
def test_a_tool_is_told_to_the_model_as_it_is_written(config: Action, pointer: str, words: str) -> None:
    [(at, message)] = problems(agent(tool(**config)))
    assert at == f"/actions/0/actions/1/config/{pointer}"
    assert words in message


@pytest.mark.parametrize("rounds", [0, 51])
def test_rounds_have_a_bound(rounds: int) -> None:
    [(at, _)] = problems(agent(maxRounds=rounds))
    assert at == "/actions/0/config/maxRounds"


@pytest.mark.parametrize(
    "written",
    [
        tool(),
        {"type": "REPEAT", "config": {"until": True}, "actions": [tool()]},
        agent({"type": "BRANCH", "branches": [{"when": True, "actions": [tool()]}]}),
        agent(tool("send", tool("inner"))),
    ],
)
def test_a_tool_stands_among_the_actions_of_an_agent(written: Action) -> None:
    [(_, message)] = problems(written)
    assert message == "TOOL stands among the actions of an AGENT, whose model may call it"


def test_a_tool_stands_behind_the_action_that_asks_the_model() -> None:
    [(at, message)] = problems({"type": "AGENT", "actions": [tool(), step("ask")]})
    assert at == "/actions/0/actions/0"
    assert message == "TOOL stands behind the action that asks the model"


def test_arguments_exist_inside_a_tool_alone() -> None:
    [(_, outside)] = problems(agent(step("other", "{{ arguments.to }}")))
    assert "they are what a model calls a TOOL with, inside it" in outside


@pytest.mark.parametrize(
    "parameters",
    [
        {"city": "Name of the city"},
        {"type": "object", "properties": {"city": {"type": "string"}}},
        {"type": "object", "properties": {"city": {}}, "additionalProperties": False},
    ],
)
def test_arguments_are_those_that_the_tool_declares(parameters: Action) -> None:
    inside = step("mail", "{{ arguments.city }} {{ arguments.cty }}")
    [(at, message)] = problems(agent(tool("send", inside, parameters=parameters)))
    assert at == "/actions/0/actions/1/actions/0/config/output/text"
    assert "arguments of 'send' have no 'cty'; did you mean 'city'?" in message
    [(at, message)] = problems(agent(tool(parameters=parameters, result="{{ arguments['zip'] }}")))
    assert at == "/actions/0/actions/1/config/result"
    assert "there is 'city'" in message


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"city": "Its name"}, "{{ arguments.zip | default('') }}"),
        ({"city": "Its name"}, "{{ arguments }}"),
        ({"type": "object", "additionalProperties": True}, "{{ arguments.zip }}"),
        ({"type": "object", "anyOf": [{"properties": {"zip": {}}}]}, "{{ arguments.zip }}"),
    ],
)
def test_arguments_that_may_be_there_are_fine(parameters: Action, text: str) -> None:
    assert problems(agent(tool("send", step("mail", text), parameters=parameters))) == []


def test_an_agent_may_do_without_tools() -> None:
    assert problems(agent()) == []


def test_only_the_first_action_is_offered_the_tools_that_run() -> None:
    off = {**tool("off"), "enabled": False}
    plan = compile_plan({"actions": [agent(tool("send", step("mail")), off, step("other"))]}, templated=True)
    assert [one.id for one in plan.steps if one.is_offered_tools] == ["ask"]
    [asking] = [one for one in plan.steps if one.is_offered_tools]
    assert [one.id for one in asking.tools_beside] == ["send"]


def test_parameters_in_short_are_texts_that_are_required() -> None:
    assert parameters_schema({"city": "Name of the city"}) == {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Name of the city"}},
        "required": ["city"],
    }
    assert parameters_schema({})["properties"] == {}


def test_a_schema_may_say_nothing_but_its_type() -> None:
    assert parameters_schema({"type": "object"}) == {"type": "object"}
    assert parameters_schema({"type": "kind of the order"})["required"] == ["type"]
