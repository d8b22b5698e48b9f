"""Whole answers of providers of language models, as the events in which they stream them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flowforge.jsonio import JsonObject

PIECE = 3
"""Characters of the texts and arguments in one event."""


def stream_of(api: str, body: JsonObject) -> list[bytes]:
    """The events, each as it goes over the wire."""
    return list(_STREAMS[api](body))


def _openai(body: JsonObject) -> Iterator[bytes]:
    (choice,) = body["choices"]
    message = choice["message"]

    def chunk(delta: JsonObject, finish_reason: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}]
        return _event({**whole, "choices": choices, "usage": None})

    whole = {"id": "chatcmpl-1", "created": 1, "object": "chat.completion.chunk", "model": body["model"]}
    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for piece in _pieces(message.get("content") or ""):
        yield chunk({"content": piece})
    for piece in _pieces(message.get("refusal") or ""):
        yield chunk({"refusal": piece})
    for index, call in enumerate(message.get("tool_calls") or []):
        function = call["function"]
        yield chunk({"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]})
        for piece in _pieces(function["arguments"]):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, choice.get("finish_reason") or "stop")
    yield _event({**whole, "choices": [], "usage": body["usage"]})
    yield b"data: [DONE]\n\n"


def _anthropic(body: JsonObject) -> Iterator[bytes]:
    def event(type_: str, **fields: Any) -> bytes:
        return _event({"type": type_, **fields}, type_)

    started = {"stop_reason": None, "content": [], "usage": {**body["usage"], "output_tokens": 1}}
    yield event("message_start", message={**body, **started})
    yield event("ping")
    for index, block in enumerate(body["content"]):
        begun, kind, name, written = _BLOCKS[block["type"]](block)
        yield event("content_block_start", index=index, content_block=begun)
        for piece in _pieces(written):
            yield event("content_block_delta", index=index, delta={"type": kind, name: piece})
        yield event("content_block_stop", index=index)
    delta = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    yield event("message_delta", delta=delta, usage={"output_tokens": body["usage"]["output_tokens"]})
    yield event("message_stop")


_BLOCKS: Mapping[str, Callable[[JsonObject], tuple[JsonObject, str, str, str]]] = {
    "text": lambda block: ({**block, "text": ""}, "text_delta", "text", block["text"]),
    "thinking": lambda block: (
        {**block, "thinking": "", "signature": ""},
        "thinking_delta",
        "thinking",
        block["thinking"],
    ),
    "tool_use": lambda block: (
        {**block, "input": {}},
        "input_json_delta",
        "partial_json",
        json.dumps(block["input"]),
    ),
}


def _gemini(body: JsonObject) -> Iterator[bytes]:
    if "candidates" not in body:
        yield _event(body)
        return
    (candidate,) = body["candidates"]
    for part in candidate["content"]["parts"]:
        for piece in [{**part, "text": text} for text in _pieces(part["text"])] if "text" in part else [part]:
            content = {"role": "model", "parts": [piece]}
            yield _event({"candidates": [{"content": content, "index": 0}], "modelVersion": body["modelVersion"]})
    last = {"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": candidate["finishReason"]}
    yield _event({**body, "candidates": [{**last, "index": 0}]})


def _pieces(text: str) -> list[str]:
    return [text[start : start + PIECE] for start in range(0, len(text), PIECE)]


def _event(data: JsonObject, name: str | None = None) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


_STREAMS = {"openai": _openai, "anthropic": _anthropic, "gemini": _gemini}
