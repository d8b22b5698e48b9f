"""OpenAI's chat completions, which most others offer, too: Mistral, Groq, OpenRouter, Ollama, vLLM, llama.cpp.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from typing import Any

from flowforge import jsonio
from flowforge.connectors.agent_turn import Tool
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.llm.conversation import Answer, Attachment, Conversation, Message, ToolCall, Usage
from flowforge.connectors.llm.dialect import Dialect, stop_reason
from flowforge.connectors.llm.streaming import Streaming
from flowforge.jsonio import JsonObject

ADDRESS = "https://api.openai.com/v1"
_SOUNDS = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}


def _body(conversation: Conversation) -> JsonObject:
    """Servers that are compatible may know `max_tokens` alone, and models of OpenAI that think `max_completion_tokens`
    alone: the former is sent to all but these."""
    system = [{"role": "system", "content": conversation.system}] if conversation.system else []
    body: JsonObject = {
        "model": conversation.model,
        "messages": [*system, *(sent for message in conversation.messages for sent in _messages(message))],
        _limit_name(conversation.model): conversation.max_tokens,
    }
    if conversation.temperature is not None:
        body["temperature"] = conversation.temperature
    if conversation.tools:
        body["tools"] = [_tool(tool) for tool in conversation.tools]
    if conversation.schema is not None:
        shape = {"name": "answer", "schema": conversation.schema, "strict": False}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    return body


def _limit_name(model: str) -> str:
    return "max_completion_tokens" if model.startswith(("o1", "o3", "o4", "gpt-5")) else "max_tokens"


def _tool(tool: Tool) -> JsonObject:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _messages(message: Message) -> list[JsonObject]:
    """Each result is a message of its own."""
    if message.results:
        return [{"role": "tool", "tool_call_id": one.call.id, "content": one.text} for one in message.results]
    if message.calls:
        calls = [_call(call) for call in message.calls]
        return [{"role": "assistant", "content": message.text or None, "tool_calls": calls}]
    return [_message(message)]


def _call(call: ToolCall) -> JsonObject:
    function = {"name": call.name, "arguments": jsonio.dumps(call.arguments).decode()}
    return {"id": call.id, "type": "function", "function": function}


def _message(message: Message) -> JsonObject:
    if not message.attachments:
        return {"role": message.role, "content": message.text}
    text = [{"type": "text", "text": message.text}] if message.text else []
    return {"role": message.role, "content": [*map(_part, message.attachments), *text]}


def _part(file: Attachment) -> JsonObject:
    if file.kind == "image":
        return {"type": "image_url", "image_url": {"url": file.data_url}}
    if file.type in _SOUNDS:
        return {"type": "input_audio", "input_audio": {"data": file.base64, "format": _SOUNDS[file.type]}}
    if file.type == "application/pdf":
        return {"type": "file", "file": {"filename": file.name, "file_data": file.data_url}}
    raise ConnectorError(f"files: {file.name} is {file.type}, which this API does not take", permanent=True)


def _answer(body: JsonObject) -> Answer:
    choice, usage = body["choices"][0], body.get("usage") or {}
    message = choice["message"]
    stop = stop_reason(choice.get("finish_reason"), length="length", refused=("content_filter",))
    used = Usage(usage.get("prompt_tokens") or 0, usage.get("completion_tokens") or 0)
    refusal, calls = message.get("refusal"), _calls(message.get("tool_calls") or [])
    text = refusal or _text(message.get("content") if calls else message["content"])
    return Answer(text, body.get("model") or "", "refused" if refusal else stop, used, calls)


def _text(content: Any) -> Any:
    """Models that think may answer in parts, as those of Mistral do; only the text is the answer."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part["type"] == "text")
    return content or ""


def _calls(written: list[JsonObject]) -> list[ToolCall]:
    """Servers that are compatible may give them no ids, and arguments that no JSON is in, or that are not written as a
    text."""
    return [
        ToolCall(str(call.get("id") or f"call_{number}"), call["function"]["name"], _arguments(call["function"]))
        for number, call in enumerate(written, 1)
    ]


def _arguments(function: JsonObject) -> JsonObject | None:
    written = function.get("arguments") or "{}"
    try:
        arguments = jsonio.loads(written) if isinstance(written, str) else written
    except ValueError:
        return None
    return arguments if isinstance(arguments, dict) else None


class _Assembly:
    """https://platform.openai.com/docs/api-reference/chat-streaming: the tokens come behind the end of the text."""

    def __init__(self) -> None:
        self._model: Any = None
        self._texts: dict[str, list[str]] = {"content": [], "refusal": []}
        self._calls: dict[Any, _CallInPieces] = {}
        self._finish_reason: Any = None
        self._usage: JsonObject = {}

    def add(self, event: JsonObject) -> str:
        self._model = event.get("model") or self._model
        self._usage = event.get("usage") or self._usage
        return "".join(map(self._add_choice, event.get("choices", [])[:1]))

    def _add_choice(self, choice: JsonObject) -> str:
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        delta = choice.get("delta") or {}
        for call in delta.get("tool_calls") or []:
            self._add_call(call)
        added: dict[str, str] = {kind: _text(delta.get(kind)) for kind in self._texts}
        for kind, text in added.items():
            self._texts[kind].append(text)
        return added["content"] + added["refusal"]

    def _add_call(self, piece: JsonObject) -> None:
        """Servers that are compatible may leave the index out, or give the same to several calls, each whole."""
        index = piece.get("index", len(self._calls))
        known = self._calls.get(index)
        if known is not None and piece.get("id") not in (None, "", known.id):
            index = len(self._calls), index
            known = None
        if known is None:
            known = self._calls[index] = _CallInPieces(piece.get("id"))
        known.add(piece.get("function") or {})

    @property
    def is_whole(self) -> bool:
        return self._finish_reason is not None

    def body(self) -> JsonObject:
        message = {kind: "".join(texts) for kind, texts in self._texts.items()}
        calls = [call.whole() for call in self._calls.values()]
        choice = {"message": {**message, "tool_calls": calls}, "finish_reason": self._finish_reason}
        return {"model": self._model, "choices": [choice], "usage": self._usage}


class _CallInPieces:
    def __init__(self, id_: Any) -> None:
        self.id = id_
        self._name = ""
        self._arguments: list[Any] = []

    def add(self, function: JsonObject) -> None:
        self._name = self._name or function.get("name") or ""
        self._arguments.append(function.get("arguments") or "")

    def whole(self) -> JsonObject:
        """Arguments that are not written as a text come in one piece."""
        objects = [piece for piece in self._arguments if not isinstance(piece, str)]
        arguments = objects[0] if objects else "".join(self._arguments)
        return {"id": self.id, "function": {"name": self._name, "arguments": arguments}}


def _models(body: JsonObject) -> list[str]:
    return [str(model["id"]) for model in body["data"]]


def _path(_model: str) -> str:
    return "/chat/completions"


_STREAMING = Streaming(_Assembly, _path, {"stream": True, "stream_options": {"include_usage": True}})
DIALECT = Dialect("openai", "OpenAI and compatible", ADDRESS, _path, _body, _answer, _STREAMING, "/models", _models)
