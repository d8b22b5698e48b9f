"""LLM: what providers are asked, by their own types and descriptions; what becomes of their answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient
import pytest
from anthropic.types import Message as AnthropicMessage
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from jsonschema import Draft202012Validator
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter
from pytest_httpserver import HTTPServer
from werkzeug import Request as Received
from werkzeug import Response as Sent

from flowforge.apis.checking import find_problems
from flowforge.apis.form import form_schema
from flowforge.apis.reading import read_description
from flowforge.connectors.agent_turn import AgentTurn, Tool
from flowforge.connectors.catalog import load_catalog
from flowforge.connectors.llm.asking import Provider
from flowforge.connectors.llm.dialects import dialects
from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.file_values import InlineFile
from flowforge.jsonio import JsonObject
from flowforge.language.tool_parameters import parameters_schema
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import ended, run, run_with

PICTURE = InlineFile("bill.png", "image/png", b"\x89PNG")
PAPER = InlineFile("bill.pdf", "application/pdf", b"%PDF-1.7")
NOTES = InlineFile("notes.txt", "text/plain", b"Paid in cash.")
SCHEMA = {
    "type": "object",
    "properties": {"total": {"type": "number", "minimum": 0}, "kind": {"enum": ["food", "travel"]}},
    "required": ["total", "kind"],
}
APIS = sorted(dialects())
PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1/models/small:generateContent",
}


def told(api: str, text: str, stop: str = "end", *calls: tuple[str, JsonObject]) -> JsonObject:
    """An answer as the provider writes it, perhaps with calls of tools: its own types say so."""
    body = _ANSWERS[api](text, stop)
    if calls:
        _ADD_CALLS[api](body, calls)
    if api in _ANSWER_TYPES:
        _ANSWER_TYPES[api].model_validate(body, strict=False)
    return body


def _openai(text: str, stop: str) -> JsonObject:
    reason = {"end": "stop", "length": "length", "refused": "content_filter"}[stop]
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "small-2",
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
    }


def _anthropic(text: str, stop: str) -> JsonObject:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "small-2",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": text}],
        "stop_reason": {"end": "end_turn", "length": "max_tokens", "refused": "refusal"}[stop],
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 2, "output_tokens": 5},
    }


def _gemini(text: str, stop: str) -> JsonObject:
    parts = [{"text": "hm", "thought": True}, {"text": text}]
    reason = {"end": "STOP", "length": "MAX_TOKENS", "refused": "SAFETY"}[stop]
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": reason, "index": 0}],
        "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 3, "thoughtsTokenCount": 2},
        "modelVersion": "small-2",
    }


def _add_openai_calls(body: JsonObject, calls: Calls) -> None:
    choice = body["choices"][0]
    choice["finish_reason"] = "tool_calls" if choice["finish_reason"] == "stop" else choice["finish_reason"]
    choice["message"]["tool_calls"] = [
        {"id": f"id-{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for n, (name, arguments) in enumerate(calls)
    ]


def _add_anthropic_calls(body: JsonObject, calls: Calls) -> None:
    body["stop_reason"] = "tool_use" if body["stop_reason"] == "end_turn" else body["stop_reason"]
    body["content"] += [
        {"type": "tool_use", "id": f"id-{n}", "name": name, "input": arguments}
        for n, (name, arguments) in enumerate(calls)
    ]


def _add_gemini_calls(body: JsonObject, calls: Calls) -> None:
    parts = [{"functionCall": {"name": name, "args": arguments}} for name, arguments in calls]
    body["candidates"][0]["content"]["parts"] += [{**parts[0], "thoughtSignature": "c2ln"}, *parts[1:]]


Calls = Sequence[tuple[str, JsonObject]]
_ADD_CALLS = {"openai": _add_openai_calls, "anthropic": _add_anthropic_calls, "gemini": _add_gemini_calls}
_ANSWERS = {"openai": _openai, "anthropic": _anthropic, "gemini": _gemini}
_ANSWER_TYPES = {"openai": ChatCompletion, "anthropic": AnthropicMessage}


@cache
def known_to(api: str) -> JsonObject:
    """JSON Schema of requests, after the types of the provider's own library: nothing that they do not name."""
    type_ = {"openai": CompletionCreateParamsNonStreaming, "anthropic": MessageCreateParamsNonStreaming}[api]
    closed: JsonObject = _closed(TypeAdapter(type_).json_schema())
    return closed


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(value) for key, value in schema.items()}
    return {**inner, "additionalProperties": False} if schema.get("properties") else inner


def problems_of(api: str, body: JsonObject) -> list[Any]:
    if api != "gemini":
        return [error.message for error in Draft202012Validator(known_to(api)).iter_errors(body)]
    folder = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    description = read_description((folder / "aiplatform.v1.json").read_bytes())
    operation = description.operation("publishers.models.generateContent")
    return list(find_problems(form_schema(operation)["properties"]["body"], body))


Step = Callable[..., JsonObject]


@pytest.fixture
def step(httpserver: HTTPServer, context: StepContext) -> Step:
    """Runs the step against the server."""

    def ran(api: str, *, turn: AgentTurn | None = None, **config: Any) -> JsonObject:
        whole = {"api": api, "model": "small", "prompt": "How much?", "endpoint": httpserver.url_for("/v1"), **config}
        return run("LLM", whole, replace(context, files=KeptFiles(), turn=turn))

    return ran


def expect(httpserver: HTTPServer, api: str, *bodies: JsonObject) -> None:
    for body in bodies:
        httpserver.expect_ordered_request(PATHS[api], method="POST").respond_with_json(body)


def requests(httpserver: HTTPServer) -> list[Received]:
    return [request for request, _ in httpserver.log]


@pytest.mark.parametrize("api", APIS)
class TestEveryProvider:
    def test_a_text_comes_with_what_it_took(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, "Twelve."))
        assert step(api, inputPrice=3, outputPrice="15") == {
            "text": "Twelve.",
            "model": "small-2",
            "stopReason": "end",
            "usage": {"inputTokens": 12, "outputTokens": 5, "cost": 0.000111},
        }

    @pytest.mark.parametrize(
        "config",
        [
            {},
            {"system": "Be short.", "maxTokens": 100},
            {"files": [PICTURE, PAPER, NOTES]},
            {"history": [{"role": "user", "text": "Hello"}, {"role": "assistant", "text": "Hi!"}]},
            {"output": "json", "schema": SCHEMA},
        ],
    )
    def test_its_own_types_know_what_it_is_asked(
        self, api: str, config: JsonObject, step: Step, httpserver: HTTPServer
    ) -> None:
        expect(httpserver, api, told(api, '{"total": 12, "kind": "food"}'))
        step(api, **config)
        [request] = requests(httpserver)
        assert problems_of(api, request.get_json()) == []
        if api == "anthropic":
            assert request.headers["anthropic-version"] == "2023-06-01"

    def test_files_go_with_the_prompt(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, "Twelve."))
        step(api, files=[PICTURE, PAPER, NOTES])
        sent = requests(httpserver)[0].get_data(as_text=True)
        assert base64.b64encode(PICTURE.content).decode() in sent
        assert base64.b64encode(PAPER.content).decode() in sent
        assert "notes.txt:\\nPaid in cash." in sent

    def test_json_follows_the_schema(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, '```json\n{"total": "12.5", "kind": "food"}\n```'))
        assert step(api, output="json", schema=SCHEMA)["json"] == {"total": 12.5, "kind": "food"}

    def test_json_that_does_not_is_mended_by_the_model(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, '{"total": -1}'), told(api, '{"total": 1, "kind": "food"}'))
        output = step(api, output="json", schema=SCHEMA)
        assert output["json"] == {"total": 1, "kind": "food"}
        assert output["usage"] == {"inputTokens": 24, "outputTokens": 10}
        again = requests(httpserver)[1].get_data(as_text=True)
        assert "/total must be at least 0" in again
        assert "/kind is required" in again

    def test_json_that_stays_wrong_is_an_error_that_may_pass(
        self, api: str, step: Step, httpserver: HTTPServer
    ) -> None:
        expect(httpserver, api, told(api, "Twelve."), told(api, '{"total": 1}'))
        with pytest.raises(ConnectorError, match="/kind is required") as caught:
            step(api, output="json", schema=SCHEMA)
        assert not caught.value.permanent

    def test_json_that_is_cut_off_says_so(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, '{"total": 1', "length"))
        with pytest.raises(ConnectorError, match="maxTokens"):
            step(api, output="json", schema=SCHEMA)

    def test_a_text_that_is_cut_off_or_refused_is_for_the_workflow_to_judge(
        self, api: str, step: Step, httpserver: HTTPServer
    ) -> None:
        expect(httpserver, api, told(api, "Twel", "length"), told(api, "I can't.", "refused"))
        assert step(api)["stopReason"] == "length"
        assert step(api)["stopReason"] == "refused"

    def test_no_text_at_all_is_an_error(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, "", "length"))
        with pytest.raises(ConnectorError, match="all tokens went into what it thought"):
            step(api)

    def test_overload_is_waited_for(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        busy = Sent(json.dumps({"error": {"message": "Overloaded"}}), 529, {"Retry-After": "7"}, "application/json")
        httpserver.expect_request(PATHS[api]).respond_with_response(busy)
        with pytest.raises(ConnectorError, match="answered 529: Overloaded") as caught:
            step(api)
        assert (caught.value.permanent, caught.value.retry_after) == (False, 7)

    @pytest.mark.parametrize("answer", ["[]", "{}", '"hm"', "null", '{"choices": []}', '{"candidates": 1}', "<p>"])
    def test_nonsense_is_told(self, api: str, answer: str, step: Step, httpserver: HTTPServer) -> None:
        httpserver.expect_request(PATHS[api]).respond_with_data(answer)
        with pytest.raises(ConnectorError) as caught:
            step(api)
        assert caught.value.permanent

    def test_a_connection_signs(self, api: str, context: StepContext, httpserver: HTTPServer) -> None:
        httpserver.expect_request(PATHS[api], headers={"x-api-key": "k-1"}).respond_with_json(told(api, "Twelve."))
        config = {"api": api, "model": "small", "prompt": "?", "endpoint": httpserver.url_for("/v1")}
        saved = {"location": "header", "name": "x-api-key", "key": "k-1", "hosts": ["localhost"]}
        assert run_with("LLM", "api_key", saved, config, context)["text"] == "Twelve."

    def test_its_models_are_listed(self, api: str, context: StepContext, httpserver: HTTPServer) -> None:
        of_google = [
            {"name": "models/small", "supportedGenerationMethods": ["generateContent"]},
            {"name": "models/embedding", "supportedGenerationMethods": ["embedContent"]},
        ]
        body = {"models": of_google} if api == "gemini" else {"data": [{"id": "small"}]}
        httpserver.expect_request("/v1/models", method="GET").respond_with_json(body)
        assert ended(Provider(dialects()[api], httpserver.url_for("/v1"), context).models()) == ["small"]


LOOK_UP = Tool("look_up", "Finds an order", {"type": "object", "properties": {"number": {"type": "integer"}}})
SEND = Tool("send", "Sends a mail", parameters_schema({"to": "Address"}))
BEFORE: list[JsonObject] = [
    {
        "text": "Let me see.",
        "calls": [
            {"id": "id-0", "name": "look_up", "arguments": {"number": 7}, "signature": "c2ln"},
            {"id": "id-1", "name": "send", "arguments": {}, "problem": "/to is required"},
        ],
        "results": [{"content": "open"}, {"content": "/to is required", "failed": True}],
    }
]


def turn(*before: JsonObject) -> AgentTurn:
    return AgentTurn([LOOK_UP, SEND], lambda: before)


@pytest.mark.parametrize("api", APIS)
class TestTools:
    def test_its_own_types_know_the_tools_and_the_rounds_before(
        self, api: str, step: Step, httpserver: HTTPServer
    ) -> None:
        expect(httpserver, api, told(api, "Sent."), told(api, '{"total": 12, "kind": "food"}'))
        step(api, turn=turn(*BEFORE))
        step(api, turn=turn(*BEFORE), output="json", schema=SCHEMA)
        for request in requests(httpserver):
            assert problems_of(api, request.get_json()) == []
            sent = request.get_data(as_text=True)
            assert all(text in sent for text in ("Finds an order", "Sends a mail", "Let me see.", "/to is required"))

    def test_what_the_model_calls_is_told_with_arguments_that_fit(
        self, api: str, step: Step, httpserver: HTTPServer
    ) -> None:
        expect(httpserver, api, told(api, "", "end", ("look_up", {"number": "7"}), ("send", {"to": "ann"})))
        calls = step(api, turn=turn())["calls"]
        assert [(call["name"], call["arguments"]) for call in calls] == [
            ("look_up", {"number": 7}),
            ("send", {"to": "ann"}),
        ]
        assert len({call["id"] for call in calls}) == 2

    def test_what_cannot_be_called_is_told_with_its_problem(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, "", "end", ("delete", {}), ("send", {}), ("look_up", {"number": "x"})))
        assert [call["problem"] for call in step(api, turn=turn())["calls"]] == [
            "there is no tool 'delete'; there are look_up, send",
            "the arguments do not fit: /to is required",
            "the arguments do not fit: /number must be a whole number",
        ]

    @pytest.mark.parametrize("name", [None, 7, [], {"send": 1}])
    def test_calls_without_a_name_are_nonsense(self, api: str, name: Any, step: Step, httpserver: HTTPServer) -> None:
        nameless = json.dumps(told(api, "", "end", ("send", {}))).replace('"send"', json.dumps(name))
        httpserver.expect_request(PATHS[api]).respond_with_data(nameless)
        with pytest.raises(ConnectorError, match="the answer is none of"):
            step(api, turn=turn())

    def test_json_is_held_to_its_schema_only_when_nothing_is_called(
        self, api: str, step: Step, httpserver: HTTPServer
    ) -> None:
        expect(
            httpserver,
            api,
            told(api, "Hm.", "end", ("send", {"to": "ann"})),
            told(api, '{"total": "1", "kind": "food"}'),
        )
        asked = step(api, turn=turn(), output="json", schema=SCHEMA)
        assert ("json" in asked, asked["text"], len(asked["calls"])) == (False, "Hm.", 1)
        assert "Call tools as long as you need them." in requests(httpserver)[0].get_data(as_text=True)
        answered = step(api, turn=turn(), output="json", schema=SCHEMA)
        assert (answered["json"], answered["calls"]) == ({"total": 1, "kind": "food"}, [])

    def test_calls_that_are_cut_off_are_an_error(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, "", "length", ("send", {"to": "a"})))
        with pytest.raises(ConnectorError, match="maxTokens"):
            step(api, turn=turn())

    def test_outside_of_an_agent_nothing_is_called(self, api: str, step: Step, httpserver: HTTPServer) -> None:
        expect(httpserver, api, told(api, "Twelve."))
        assert "calls" not in step(api)
        assert "tools" not in requests(httpserver)[0].get_json()


def test_gemini_gets_back_what_it_has_thought_with_its_calls(step: Step, httpserver: HTTPServer) -> None:
    expect(httpserver, "gemini", told("gemini", "", "end", ("look_up", {"number": 7})), told("gemini", "Open."))
    calls = step("gemini", turn=turn())["calls"]
    step("gemini", turn=turn({"text": "", "calls": calls, "results": [{"content": "open"}]}))
    [asked, called, answered] = requests(httpserver)[1].get_json()["contents"]
    assert asked["role"] == "user"
    assert called["parts"] == [{"functionCall": {"name": "look_up", "args": {"number": 7}}, "thoughtSignature": "c2ln"}]
    assert answered["parts"] == [{"functionResponse": {"name": "look_up", "response": {"result": "open"}}}]


@pytest.mark.parametrize(
    "answer",
    [
        {"message": {"content": 7}},
        {"message": {"content": "x", "refusal": {"reason": "y"}}},
        {"message": {"content": "x"}, "usage": {"prompt_tokens": "many"}},
        {"message": {"content": "x"}, "model": 7},
    ],
)
def test_parts_of_other_types_are_nonsense(answer: JsonObject, step: Step, httpserver: HTTPServer) -> None:
    expect(httpserver, "openai", {"choices": [{"message": answer.pop("message")}], **answer})
    with pytest.raises(ConnectorError, match="the answer is none of"):
        step("openai", inputPrice=1)


def test_compatible_servers_may_answer_in_parts_and_count_nothing(step: Step, httpserver: HTTPServer) -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Twelve."}]
    usage = {"prompt_tokens": None, "completion_tokens": None}
    expect(httpserver, "openai", {"choices": [{"message": {"content": parts}}], "model": None, "usage": usage})
    answer = step("openai", inputPrice=1)
    assert (answer["text"], answer["model"], answer["usage"]["cost"]) == ("Twelve.", "small", 0)


def test_arguments_may_come_as_an_object(step: Step, httpserver: HTTPServer) -> None:
    body = told("openai", "", "end", ("send", {}))
    body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = {"to": "ann"}
    expect(httpserver, "openai", body)
    [call] = step("openai", turn=turn())["calls"]
    assert (call["arguments"], call.get("problem")) == ({"to": "ann"}, None)


def test_a_call_that_gemini_cannot_read_may_pass(step: Step, httpserver: HTTPServer) -> None:
    expect(httpserver, "gemini", {"candidates": [{"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL"}]})
    with pytest.raises(ConnectorError, match="in a way that cannot be read") as caught:
        step("gemini", turn=turn())
    assert not caught.value.permanent


@pytest.mark.parametrize("arguments", ["{", "[1]", "\\ud800", "[" * 100_000, "null"])
def test_arguments_that_are_no_object_are_told(arguments: str, step: Step, httpserver: HTTPServer) -> None:
    body = told("openai", "", "end", ("send", {}))
    body["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] = arguments
    expect(httpserver, "openai", body)
    [call] = step("openai", turn=turn())["calls"]
    assert (call["arguments"], call["problem"]) == ({}, "the arguments are not a JSON object")


def test_money_that_is_spent_is_not_waited_for(step: Step, httpserver: HTTPServer) -> None:
    error = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    httpserver.expect_request(PATHS["openai"]).respond_with_json(error, status=429)
    with pytest.raises(ConnectorError, match="exceeded your current quota") as caught:
        step("openai")
    assert caught.value.permanent


def test_a_prompt_that_is_blocked_is_told(step: Step, httpserver: HTTPServer) -> None:
    expect(httpserver, "gemini", {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}})
    with pytest.raises(ConnectorError, match="it refuses"):
        step("gemini")


@pytest.mark.parametrize(("model", "name"), [("small", "max_tokens"), ("o3-mini", "max_completion_tokens")])
def test_models_that_think_have_another_limit(model: str, name: str, step: Step, httpserver: HTTPServer) -> None:
    expect(httpserver, "openai", told("openai", "Twelve."))
    step("openai", model=model, maxTokens=9)
    assert requests(httpserver)[0].get_json()[name] == 9


def test_files_that_a_model_cannot_take_are_told(step: Step) -> None:
    with pytest.raises(ConnectorError, match=r"files: song\.ogg is audio/ogg"):
        step("anthropic", files=[InlineFile("song.ogg", "audio/ogg", b"OggS\x00")])


@pytest.mark.parametrize("api", ["openai", "gemini"])
def test_a_temperature_is_asked_for(api: str, step: Step, httpserver: HTTPServer) -> None:
    expect(httpserver, api, told(api, "Twelve."))
    step(api, temperature=0)
    [request] = requests(httpserver)
    assert problems_of(api, request.get_json()) == []
    assert '"temperature":0' in request.get_data(as_text=True)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"output": "json"}, "schema is required"),
        ({"api": "anthropic", "temperature": 1}, "temperature: Anthropic takes none"),
        ({"api": "eliza"}, "must be one of anthropic, gemini, openai"),
        ({"maxTokens": 0}, "must be at least 1"),
        ({"history": [{"role": "system", "text": "?"}]}, "'user' or 'assistant'"),
    ],
)
def test_what_cannot_be_asked_is_told_on_saving(config: JsonObject, message: str) -> None:
    [problem] = load_catalog().validate("LLM", {"model": "small", "prompt": "?", **config}, "/actions/0")
    assert message in problem.message


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "9" * 100_000, '{"total": NaN}', "\ud800"])
def test_hostile_json_is_only_wrong(text: str, step: Step, httpserver: HTTPServer) -> None:
    expect(httpserver, "openai", told("openai", text), told("openai", text))
    with pytest.raises(ConnectorError, match="does not follow the schema"):
        step("openai", output="json", schema=SCHEMA)
