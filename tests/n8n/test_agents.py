"""Agents of n8n's with their tools become AGENTs."""

from __future__ import annotations

from typing import Any

import pytest

from flowforge import jsonio
from flowforge.ascode.checking import problems_of
from flowforge.n8n.report import Outcome
from tests.n8n.graphs import CALLED, Json, actions, graph, imported, node

MODEL = node("Model", "lmChatOpenAi", {"model": "gpt-4o"}, credentials={"openAiApi": {"name": "AI"}})


def part(name: str, kind: str, of: str = "Helper") -> Json:
    return {name: {kind: [[{"node": of, "type": kind, "index": 0}]]}}


def with_tools(*tools: Json, **parameters: Any) -> Json:
    agent = node("Helper", "agent", {"promptType": "define", "text": "={{ $json.body.q }}", **parameters})
    written = graph([CALLED, agent, MODEL, *tools], "Call > Helper")
    written["connections"] |= part("Model", "ai_languageModel")
    for tool in tools:
        written["connections"] |= part(tool["name"], "ai_tool")
    return written


def agent_of(written: Json) -> Json:
    [action] = actions(written)
    (workflow,) = imported(written).workflows
    assert problems_of({"key": "w", "definition": workflow.definition}) == []
    assert action["type"] == "AGENT"
    return action


def tool_of(tool: Json) -> Json:
    action = agent_of(with_tools(tool))
    found: Json = plain(action["actions"][1])
    return found


def plain(value: Any) -> Any:
    """Without what stands for a field that is missing."""
    return jsonio.loads(jsonio.dumps(value).replace(b" | default(none)", b""))


def test_an_agent_asks_its_model_and_has_a_tool_for_each_node() -> None:
    mail = node("Mail", "gmailTool", {"sendTo": "={{ $fromAI('to', 'Who gets it', 'string') }}", "subject": "Hello"})
    found = plain(agent_of(with_tools(mail, options={"systemMessage": "Be kind.", "maxIterations": 99})))
    assert found["config"] == {"maxRounds": 50}
    ask, tool = found["actions"]
    assert (ask["type"], ask["config"]["model"], ask["config"]["system"]) == ("LLM", "gpt-4o", "Be kind.")
    assert tool["type"] == "TOOL"
    assert tool["config"]["parameters"] == {
        "type": "object",
        "properties": {"to": {"type": "string", "description": "Who gets it"}},
        "required": ["to"],
    }
    assert "{{ arguments.to }}" in str(tool["actions"])


def test_what_follows_finds_the_answer_of_the_agent() -> None:
    mail = node("Mail", "gmailTool", {"sendTo": "ann@example.com"})
    written = with_tools(mail)
    after = node("After", "set", {"values": {"string": [{"name": "said", "value": "={{ $json.output }}"}]}})
    written["nodes"].append(after)
    written["connections"]["Helper"] = {"main": [[{"node": "After", "type": "main", "index": 0}]]}
    found = actions(written)
    assert f"steps.{found[0]['id']}.text" in str(found[1:])


@pytest.mark.parametrize(
    ("call", "shape", "required"),
    [
        ("$fromAI('n', 'How many', 'number')", {"type": "number", "description": "How many"}, True),
        ('$fromAI("n")', {"type": "string"}, True),
        ("$fromAI('n', ``, 'boolean', false)", {"type": "boolean"}, False),
        (
            "/*n8n-auto-generated-fromAI-override*/ $fromAI('n', `It's (so)`, 'json')",
            {"description": "It's (so)"},
            True,
        ),
    ],
)
def test_what_the_model_fills_in_is_an_argument(call: str, shape: Json, required: bool) -> None:
    tool = tool_of(node("Get", "httpRequestTool", {"url": f"=https://example.com/{{{{ {call} }}}}"}, typeVersion=4.2))
    parameters = tool["config"]["parameters"]
    assert parameters["properties"] == {"n": shape}
    assert parameters.get("required", []) == (["n"] if required else [])
    assert tool["actions"][0]["config"]["url"] == "https://example.com/{{ arguments.n }}"


def test_arguments_and_items_are_told_apart() -> None:
    url = "=https://example.com/{{ $json.body.user }}/{{ $fromAI('n') }}"
    [step] = tool_of(node("Get", "httpRequestTool", {"url": url}, typeVersion=4.2))["actions"]
    assert step["config"]["url"] == "https://example.com/{{ trigger.body.user }}/{{ arguments.n }}"


def test_a_workflow_is_a_tool() -> None:
    fields = {"value": {"number": "={{ $fromAI('number', 'Of the order') }}", "shop": "Graz"}}
    called = {"workflowId": {"__rl": True, "value": "abc"}, "name": "find order", "description": "Finds it"}
    tool = tool_of(node("Find", "toolWorkflow", {**called, "workflowInputs": fields}, typeVersion=2.1))
    assert (tool["id"], tool["config"]["description"]) == ("find_order", "Finds it")
    [step] = tool["actions"]
    assert step["type"] == "RUN_WORKFLOW"
    assert step["config"]["payload"] == {"number": "{{ arguments.number }}", "shop": "Graz"}


def test_a_workflow_of_the_first_form_gets_one_text() -> None:
    tool = tool_of(node("Find", "toolWorkflow", {"workflowId": "abc"}))
    assert tool["config"]["parameters"]["required"] == ["query"]
    assert tool["actions"][0]["config"]["payload"] == {"query": "{{ arguments.query }}"}


def test_code_is_a_tool() -> None:
    tool = tool_of(node("Turn", "toolCode", {"jsCode": "return query.split('').reverse().join('')"}))
    [step] = tool["actions"]
    assert step["type"] == "CODE"
    assert "arguments" in str(step["config"]["input"])


def test_a_request_of_the_first_form_has_its_placeholders_filled_in() -> None:
    parameters = {
        "url": "https://example.com/{city}",
        "sendQuery": True,
        "parametersQuery": {"values": [{"name": "day"}, {"name": "unit", "valueProvider": "fieldValue", "value": "C"}]},
        "placeholderDefinitions": {"values": [{"name": "city", "description": "A city", "type": "string"}]},
    }
    tool = tool_of(node("Weather", "toolHttpRequest", parameters))
    assert set(tool["config"]["parameters"]["properties"]) == {"city", "day"}
    [step] = tool["actions"]
    assert step["config"]["url"] == "https://example.com/{{ arguments.city }}"
    assert "{{ arguments.day }}" in str(step["config"])


@pytest.mark.parametrize("kind", ["toolSerpApi", "toolWikipedia"])
def test_a_search_is_a_request(kind: str) -> None:
    [step] = tool_of(node("Search", kind))["actions"]
    assert step["type"] == "HTTP_REQUEST"
    assert "{{ arguments.query }}" in str(step["config"])


def test_an_agent_is_a_tool_of_another() -> None:
    inner = node("Expert", "agentTool", {"text": "={{ $fromAI('question') }}", "promptType": "define"})
    get = node("Get", "httpRequestTool", {"url": "https://example.com/"}, typeVersion=4.2)
    written = with_tools(inner)
    written["nodes"].append(get)
    written["connections"] |= part("Get", "ai_tool", "Expert")
    written["connections"]["Model"]["ai_languageModel"][0].append(
        {"node": "Expert", "type": "ai_languageModel", "index": 0}
    )
    [expert] = plain(agent_of(written)["actions"][1]["actions"])
    assert expert["type"] == "AGENT"
    assert expert["actions"][0]["config"]["prompt"] == "{{ arguments.question }}"


def test_a_tool_without_a_counterpart_leaves_the_agent_and_is_named() -> None:
    written = with_tools(node("Store", "vectorStoreQdrant"))
    [left] = imported(written).report.with_outcome(Outcome.LEFT)
    assert left.name == "Helper"
    assert left.notes[0].startswith("its tool 'Store': there is no counterpart of n8n-nodes-base.vectorStoreQdrant")
