"""Anthropic's messages.

https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

from typing import Any

from flowforge import jsonio
from flowforge.connectors.agent_turn import Tool
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.llm.conversation import (
    Answer,
    Attachment,
    Conversation,
    Message,
    ToolCall,
    ToolResult,
    Usage,
)
from flowforge.connectors.llm.dialect import Dialect, portable, stop_reason
from flowforge.connectors.llm.streaming import Streaming
from flowforge.jsonio import JsonObject

_READ_TOKENS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def _body(conversation: Conversation) -> JsonObject:
    body: JsonObject = {
        "model": conversation.model,
        "max_tokens": conversation.max_tokens,
        "messages": [_message(message) for message in conversation.messages],
    }
    if conversation.system:
        body["system"] = conversation.system
    if conversation.tools:
        body["tools"] = [_tool(tool) for tool in conversation.tools]
    if conversation.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": portable(conversation.schema)}}
    return body


def _tool(tool: Tool) -> JsonObject:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _message(message: Message) -> JsonObject:
    text = [{"type": "text", "text": message.text}] if message.text else []
    tools = [*map(_call, message.calls), *map(_result, message.results)]
    return {"role": message.role, "content": [*map(_block, message.attachments), *text, *tools]}


def _call(call: ToolCall) -> JsonObject:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}


def _result(result: ToolResult) -> JsonObject:
    told = {"type": "tool_result", "tool_use_id": result.call.id, "content": result.text}
    return {**told, "is_error": True} if result.failed else told


def _block(file: Attachment) -> JsonObject:
    source = {"type": "base64", "media_type": file.type, "data": file.base64}
    if file.kind == "image":
        return {"type": "image", "source": source}
    if file.type == "application/pdf":
        return {"type": "document", "source": source, "title": file.name}
    raise ConnectorError(f"files: {file.name} is {file.type}, which this API does not take", permanent=True)


def _answer(body: JsonObject) -> Answer:
    text = "".join(block["text"] for block in body["content"] if block["type"] == "text")
    stop = stop_reason(body.get("stop_reason"), length="max_tokens", refused=("refusal",))
    usage = body["usage"]
    used = Usage(sum(usage.get(name) or 0 for name in _READ_TOKENS), usage["output_tokens"])
    calls = [_call_in(block) for block in body["content"] if block["type"] == "tool_use"]
    return Answer(text, body.get("model") or "", stop, used, calls)


def _call_in(block: JsonObject) -> ToolCall:
    given = block["input"]
    return ToolCall(block["id"], block["name"], given if isinstance(given, dict) else None)


class _Assembly:
    """https://docs.claude.com/en/docs/build-with-claude/streaming: blocks are begun, go on, and are over."""

    def __init__(self) -> None:
        self._message: JsonObject = {}
        self._blocks: dict[int, JsonObject] = {}
        self._pieces: dict[int, list[str]] = {}
        self.is_whole = False

    def add(self, event: JsonObject) -> str:
        kind = event["type"]
        if kind == "message_start":
            self._message = event["message"]
        elif kind == "content_block_start":
            self._blocks[event["index"]], self._pieces[event["index"]] = event["content_block"], []
        elif kind == "content_block_delta":
            return self._go_on(event["index"], event["delta"])
        elif kind == "message_delta":
            self._end(event)
        self.is_whole = self.is_whole or kind == "message_stop"
        return ""

    def _go_on(self, index: int, delta: JsonObject) -> str:
        """What the model thinks is no part of its answer."""
        piece: str = delta.get("text") or delta.get("partial_json") or ""
        self._pieces[index].append(piece)
        return piece if delta["type"] == "text_delta" else ""

    def _end(self, event: JsonObject) -> None:
        """The numbers of tokens are those of the whole message."""
        used = {name: count for name, count in (event.get("usage") or {}).items() if count is not None}
        usage = {**self._message["usage"], **used}
        self._message = {**self._message, "stop_reason": event["delta"].get("stop_reason"), "usage": usage}

    def body(self) -> JsonObject:
        content = [_whole_block(block, "".join(self._pieces[index])) for index, block in self._blocks.items()]
        return {**self._message, "content": content}


def _whole_block(block: JsonObject, written: str) -> JsonObject:
    if block["type"] == "text":
        return {**block, "text": block["text"] + written}
    if block["type"] == "tool_use" and written:
        return {**block, "input": _json_in(written)}
    return block


def _json_in(written: str) -> Any:
    """None where the arguments of a call are no JSON."""
    try:
        return jsonio.loads(written)
    except ValueError:
        return None


def _models(body: JsonObject) -> list[str]:
    return [str(model["id"]) for model in body["data"]]


def _path(_model: str) -> str:
    return "/messages"


DIALECT = Dialect(
    "anthropic",
    "Anthropic",
    "https://api.anthropic.com/v1",
    _path,
    _body,
    _answer,
    Streaming(_Assembly, _path, {"stream": True}),
    "/models?limit=1000",
    _models,
    {"anthropic-version": "2023-06-01"},
    takes_temperature=False,
)
