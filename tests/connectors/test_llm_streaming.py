"""LLM, where somebody may watch: the text is shown while it comes, and the output is that of an answer in one piece."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from anthropic import Anthropic
from openai import OpenAI
from pytest_httpserver import HTTPServer
from werkzeug import Response as Sent

from flowforge.connectors.agent_turn import AgentTurn, Tool
from flowforge.connectors.http_client.event_stream import EventReader
from flowforge.connectors.sdk import ConnectorError, StepContext
from flowforge.jsonio import JsonObject
from flowforge.language.tool_parameters import parameters_schema
from tests.connectors.both_ways import step_loop  # noqa: F401  (each test that calls somebody runs twice)
from tests.connectors.kept_files import KeptFiles
from tests.connectors.running import failing, run
from tests.connectors.test_llm import APIS, PATHS, SCHEMA, told
from tests.services.model_streams import stream_of
from tests.services.serving import accepting

TEXT = "Tea is 3 €, and milk is 1 €."
STREAM_PATHS = {**PATHS, "gemini": "/v1/models/small:streamGenerateContent"}
TURN = AgentTurn([Tool("price", "Tells the price", parameters_schema({"article": "Its name"}))], list)


class Drafts:
    """What was shown, one list for each question."""

    def __init__(self) -> None:
        self.shown: list[list[str]] = []

    def begin(self) -> Drafts:
        self.shown.append([])
        return self

    def add(self, text: str) -> None:
        self.shown[-1].append(text)

    @property
    def texts(self) -> list[str]:
        return ["".join(pieces) for pieces in self.shown]


@pytest.fixture
def drafts() -> Drafts:
    return Drafts()


Step = Callable[..., JsonObject]


@pytest.fixture
def step(httpserver: HTTPServer, context: StepContext, drafts: Drafts) -> Step:
    """Runs the step against the server, watched or not."""

    def ran(api: str, *, watched: bool = True, turn: AgentTurn | None = None, **config: Any) -> JsonObject:
        whole = {"api": api, "model": "small", "prompt": "How much?", "endpoint": httpserver.url_for("/v1"), **config}
        begin = drafts.begin if watched else None
        return run("LLM", whole, replace(context, files=KeptFiles(), turn=turn, begin_draft=begin))

    return ran


def expect_stream(httpserver: HTTPServer, api: str, events: Sequence[bytes]) -> None:
    answer = Sent(iter(events), content_type="text/event-stream; charset=utf-8")
    httpserver.expect_ordered_request(STREAM_PATHS[api], method="POST").respond_with_response(answer)


def expect_both(httpserver: HTTPServer, api: str, body: JsonObject) -> None:
    """The same answer in one piece, then in many."""
    httpserver.expect_ordered_request(PATHS[api], method="POST").respond_with_json(body)
    expect_stream(httpserver, api, stream_of(api, body))


def asked(httpserver: HTTPServer) -> list[JsonObject]:
    return [json.loads(request.data) for request, _ in httpserver.log]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("stop", ["end", "length", "refused"])
def test_the_output_is_that_of_an_answer_in_one_piece(
    httpserver: HTTPServer, step: Step, drafts: Drafts, api: str, stop: str
) -> None:
    expect_both(httpserver, api, told(api, TEXT, stop))
    prices = {"inputPrice": 2, "outputPrice": 10}
    plain, streamed = step(api, watched=False, **prices), step(api, **prices)
    assert streamed == plain
    assert streamed["text"] == TEXT
    assert (streamed["usage"]["inputTokens"], streamed["usage"]["outputTokens"]) == (12, 5)
    assert drafts.texts == [TEXT]
    assert len(drafts.shown[0]) > 5


@pytest.mark.parametrize("api", APIS)
def test_calls_of_tools_come_in_pieces(httpserver: HTTPServer, step: Step, drafts: Drafts, api: str) -> None:
    calls = ("price", {"article": "tea"}), ("price", {"article": "milk"}), ("weigh", {})
    expect_both(httpserver, api, told(api, "Let me see.", "end", *calls))
    plain, streamed = step(api, watched=False, turn=TURN), step(api, turn=TURN)
    assert streamed == plain
    assert [call["arguments"] for call in streamed["calls"]] == [{"article": "tea"}, {"article": "milk"}, {}]
    assert drafts.texts == ["Let me see."]


@pytest.mark.parametrize("api", APIS)
def test_an_answer_that_is_repaired_is_shown_anew(httpserver: HTTPServer, step: Step, drafts: Drafts, api: str) -> None:
    for text in ('{"total": "a lot"}', '{"total": 3, "kind": "food"}'):
        expect_stream(httpserver, api, stream_of(api, told(api, text)))
    assert step(api, output="json", schema=SCHEMA)["json"] == {"total": 3, "kind": "food"}
    assert drafts.texts == ['{"total": "a lot"}', '{"total": 3, "kind": "food"}']


@pytest.mark.parametrize("api", APIS)
def test_half_an_answer_is_lost_and_may_be_asked_for_again(httpserver: HTTPServer, step: Step, api: str) -> None:
    expect_stream(httpserver, api, stream_of(api, told(api, TEXT))[:6])
    error = failing(step, api)
    assert "broke off" in str(error)
    assert (error.permanent, error.answered) == (False, False)


@pytest.mark.parametrize("api", APIS)
def test_an_event_that_is_cut_is_no_answer(httpserver: HTTPServer, step: Step, api: str) -> None:
    events = stream_of(api, told(api, TEXT))
    expect_stream(httpserver, api, [*events[:5], b'data: {"type": "content_blo\n\n'])
    assert not failing(step, api).permanent


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def streaming(chunks: Iterable[bytes]) -> Iterator[str]:
    """A server that sends these chunks and hangs up, without their end; gives its address."""

    def serve(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.recv(65_536)
            client.sendall(HEAD)
            for chunk in chunks:
                client.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    with accepting(serve) as port:
        yield f"http://127.0.0.1:{port}/v1"


@pytest.mark.parametrize("api", APIS)
def test_a_connection_that_is_cut_is_a_lost_answer(step: Step, api: str) -> None:
    """Even where the model has said all: the end of the stream is missing."""
    with streaming(stream_of(api, told(api, TEXT))) as endpoint:
        error = failing(step, api, endpoint=endpoint)
    assert "failed" in str(error)
    assert (error.permanent, error.answered) == (False, False)


def test_signs_of_life_do_not_extend_the_time(make_context: Callable[..., StepContext], drafts: Drafts) -> None:
    with streaming(iter(lambda: b": still here\n\n", None)) as endpoint:
        config = {"model": "small", "prompt": "How much?", "endpoint": endpoint}
        error = failing(run, "LLM", config, replace(make_context(seconds=0.3), begin_draft=drafts.begin))
    assert "in time" in str(error)
    assert not error.permanent


ERRORS = {
    "openai": {"error": {"message": "The server had an error", "type": "server_error"}},
    "anthropic": {"type": "error", "error": {"type": "overloaded_error", "message": "The server had an error"}},
    "gemini": {"error": {"code": 503, "message": "The server had an error", "status": "UNAVAILABLE"}},
}


@pytest.mark.parametrize("api", APIS)
def test_an_error_in_the_middle_is_told(httpserver: HTTPServer, step: Step, api: str) -> None:
    error_event = b"data: " + json.dumps(ERRORS[api]).encode() + b"\n\n"
    expect_stream(httpserver, api, [*stream_of(api, told(api, TEXT))[:5], error_event])
    error = failing(step, api)
    assert "The server had an error" in str(error)
    assert (error.permanent, error.answered) == (False, True)


def test_money_that_is_spent_in_the_middle_does_not_come_back(httpserver: HTTPServer, step: Step) -> None:
    event = b'data: {"error": {"message": "No money", "code": "insufficient_quota"}}\n\n'
    expect_stream(httpserver, "openai", [*stream_of("openai", told("openai", TEXT))[:3], event])
    assert failing(step, "openai").permanent


@pytest.mark.parametrize("event", [b"data: 7\n\n", b'data: {"choices": 7}\n\n', b'data: {"choices": [7]}\n\n'])
def test_events_that_are_none_of_the_dialect_are_an_error(httpserver: HTTPServer, step: Step, event: bytes) -> None:
    expect_stream(httpserver, "openai", [event])
    with pytest.raises(ConnectorError):
        step("openai")


@pytest.mark.parametrize("api", APIS)
def test_a_provider_that_answers_in_one_piece_is_understood(httpserver: HTTPServer, step: Step, api: str) -> None:
    httpserver.expect_request(STREAM_PATHS[api], method="POST").respond_with_json(told(api, TEXT))
    assert step(api)["text"] == TEXT
    assert len(httpserver.log) == 1


@pytest.mark.parametrize("api", APIS)
def test_a_provider_that_refuses_to_stream_is_asked_without(httpserver: HTTPServer, step: Step, api: str) -> None:
    refusal = {"error": {"message": "Unrecognized request argument supplied: stream_options"}}
    httpserver.expect_ordered_request(STREAM_PATHS[api], method="POST").respond_with_json(refusal, status=400)
    httpserver.expect_ordered_request(PATHS[api], method="POST").respond_with_json(told(api, TEXT))
    assert step(api)["text"] == TEXT
    assert "stream" not in asked(httpserver)[1]


def test_another_refusal_is_an_error_at_once(httpserver: HTTPServer, step: Step) -> None:
    refusal = {"error": {"message": "There is no such model"}}
    httpserver.expect_request(PATHS["openai"], method="POST").respond_with_json(refusal, status=400)
    assert "There is no such model" in str(failing(step, "openai"))
    assert len(httpserver.log) == 1


def test_calls_without_numbers_are_told_apart(httpserver: HTTPServer, step: Step) -> None:
    """As servers that are compatible with OpenAI write them: each whole, all with the same number or none."""
    arguments = '{"article": "tea"}', '{"article": "milk"}'
    for numbered in ({"index": 0}, {}):
        calls = [
            {**numbered, "id": f"id-{n}", "function": {"name": "price", "arguments": one}}
            for n, one in enumerate(arguments)
        ]
        chunks = [{"choices": [{"delta": {"tool_calls": [call]}}]} for call in calls]
        last = {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}
        expect_stream(httpserver, "openai", [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in [*chunks, last]])
        told_calls = step("openai", turn=TURN)["calls"]
        assert [call["arguments"]["article"] for call in told_calls] == ["tea", "milk"]


def test_the_client_of_openai_reads_the_streams_of_these_tests(httpserver: HTTPServer) -> None:
    expect_stream(httpserver, "openai", stream_of("openai", told("openai", TEXT)))
    client = OpenAI(base_url=httpserver.url_for("/v1"), api_key="none", max_retries=0)
    chunks = list(client.chat.completions.create(model="small", messages=[], stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 17


def test_the_client_of_anthropic_reads_the_streams_of_these_tests(httpserver: HTTPServer) -> None:
    body = told("anthropic", TEXT, "end", ("price", {"article": "tea"}))
    expect_stream(httpserver, "anthropic", stream_of("anthropic", body))
    client = Anthropic(base_url=httpserver.url_for("/"), api_key="none", max_retries=0)
    with client.messages.stream(model="small", messages=[], max_tokens=9) as stream:
        message = stream.get_final_message()
    assert [block.text for block in message.content if block.type == "text"] == [TEXT]
    assert [block.input for block in message.content if block.type == "tool_use"] == [{"article": "tea"}]
    assert message.usage.output_tokens == 5


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_events_are_found_wherever_they_are_cut(size: int, end: str) -> None:
    lines = ["\ufeff: hello", "event: one", "data: 3 €", "data:4", "", "", "id: 7", "data: five", "", "data: half"]
    sent = end.join(lines).encode()
    reader = EventReader()
    found = [data for start in range(0, len(sent), size) for data in reader.read(sent[start : start + size])]
    assert found == ["3 €\n4", "five"]


def test_a_line_without_end_is_an_error() -> None:
    reader = EventReader()
    pieces = (b"data: " + b"x" * 65_536 for _ in range(100))
    with pytest.raises(ConnectorError, match="a line of more than"):
        list(chain.from_iterable(map(reader.read, pieces)))
