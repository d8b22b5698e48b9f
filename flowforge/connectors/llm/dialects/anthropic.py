"""Anthropic's messages.

https://docs.claude.com/en/api/messages
"""

from __future__ import annotations

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


def _models(body: JsonObject) -> list[str]:
    return [str(model["id"]) for model in body["data"]]


DIALECT = Dialect(
    "anthropic",
    "Anthropic",
    "https://api.anthropic.com/v1",
    lambda _: "/messages",
    _body,
    _answer,
    "/models?limit=1000",
    _models,
    {"anthropic-version": "2023-06-01"},
    takes_temperature=False,
)
