"""Google's Gemini.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from urllib.parse import quote

from flowforge.connectors.agent_turn import Tool
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.llm.conversation import Answer, Conversation, Message, ToolCall, ToolResult, Usage
from flowforge.connectors.llm.dialect import Dialect, portable, stop_reason
from flowforge.connectors.llm.streaming import Streaming
from flowforge.jsonio import JsonObject

_PREFIX = "models/"
_REFUSED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY")
_MISCALLED = ("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL")


def _path(model: str) -> str:
    return f"{_model_path(model)}:generateContent"


def _streaming_path(model: str) -> str:
    return f"{_model_path(model)}:streamGenerateContent?alt=sse"


def _model_path(model: str) -> str:
    return f"/models/{quote(model.removeprefix(_PREFIX), safe='')}"


def _body(conversation: Conversation) -> JsonObject:
    """With tools there may be no schema: then the instructions alone ask for JSON."""
    options: JsonObject = {"maxOutputTokens": conversation.max_tokens}
    if conversation.temperature is not None:
        options["temperature"] = conversation.temperature
    if conversation.schema is not None and not conversation.tools:
        options |= {"responseMimeType": "application/json", "responseJsonSchema": portable(conversation.schema)}
    system = {"systemInstruction": {"parts": [{"text": conversation.system}]}} if conversation.system else {}
    tools = {"tools": [{"functionDeclarations": [*map(_tool, conversation.tools)]}]} if conversation.tools else {}
    contents = [_content(message) for message in conversation.messages]
    return {**system, **tools, "contents": contents, "generationConfig": options}


def _tool(tool: Tool) -> JsonObject:
    return {"name": tool.name, "description": tool.description, "parametersJsonSchema": portable(tool.parameters)}


def _content(message: Message) -> JsonObject:
    files = [{"inlineData": {"mimeType": file.type, "data": file.base64}} for file in message.attachments]
    text = [{"text": message.text}] if message.text else []
    tools = [*map(_call, message.calls), *map(_result, message.results)]
    return {"role": "user" if message.role == "user" else "model", "parts": [*files, *text, *tools]}


def _call(call: ToolCall) -> JsonObject:
    part: JsonObject = {"functionCall": {"name": call.name, "args": call.arguments}}
    return {**part, "thoughtSignature": call.signature} if call.signature else part


def _result(result: ToolResult) -> JsonObject:
    response = {"error" if result.failed else "result": result.text}
    return {"functionResponse": {"name": result.call.name, "response": response}}


def _answer(body: JsonObject) -> Answer:
    """A prompt that is blocked has no candidate. Raises ConnectorError for a call that Gemini itself cannot read."""
    usage, blocked = body.get("usageMetadata", {}), body.get("promptFeedback", {}).get("blockReason")
    written = usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0)
    used, model = Usage(usage.get("promptTokenCount", 0), written), body.get("modelVersion") or ""
    if blocked:
        return Answer("", model, "refused", used)
    candidate = body["candidates"][0]
    if candidate.get("finishReason") in _MISCALLED:
        raise ConnectorError("the model has called a tool in a way that cannot be read", permanent=False, answered=True)
    parts = candidate.get("content", {}).get("parts", [])
    text = _text(parts)
    stop = stop_reason(candidate.get("finishReason"), length="MAX_TOKENS", refused=_REFUSED)
    return Answer(text, model, stop, used, _calls([part for part in parts if "functionCall" in part]))


def _text(parts: list[JsonObject]) -> str:
    """What the model thinks is no part of its answer."""
    return "".join(part.get("text", "") for part in parts if not part.get("thought"))


def _calls(parts: list[JsonObject]) -> list[ToolCall]:
    return [_called(number, part["functionCall"], part) for number, part in enumerate(parts, 1)]


def _called(number: int, call: JsonObject, part: JsonObject) -> ToolCall:
    """Calls are answered in their order. The signature stands for what the model has thought, and it wants it back."""
    given = call.get("args") or {}
    arguments = given if isinstance(given, dict) else None
    return ToolCall(f"call_{number}", call["name"], arguments, part.get("thoughtSignature"))


class _Assembly:
    """Each event is a response by itself, with the next parts of the answer."""

    def __init__(self) -> None:
        self._response: JsonObject = {}
        self._candidate: JsonObject = {}
        self._parts: list[JsonObject] = []

    def add(self, event: JsonObject) -> str:
        self._response |= event
        return "".join(map(self._add_candidate, event.get("candidates", [])[:1]))

    def _add_candidate(self, candidate: JsonObject) -> str:
        self._candidate |= candidate
        parts = candidate.get("content", {}).get("parts", [])
        self._parts += parts
        return _text(parts)

    @property
    def is_whole(self) -> bool:
        return bool(self._candidate.get("finishReason") or self._response.get("promptFeedback", {}).get("blockReason"))

    def body(self) -> JsonObject:
        return {**self._response, "candidates": [{**self._candidate, "content": {"parts": self._parts}}]}


def _models(body: JsonObject) -> list[str]:
    """Those that answer."""
    answering = [model for model in body["models"] if "generateContent" in model["supportedGenerationMethods"]]
    return [model["name"].removeprefix(_PREFIX) for model in answering]


DIALECT = Dialect(
    "gemini",
    "Google Gemini",
    "https://generativelanguage.googleapis.com/v1beta",
    _path,
    _body,
    _answer,
    Streaming(_Assembly, _streaming_path),
    "/models?pageSize=1000",
    _models,
)
