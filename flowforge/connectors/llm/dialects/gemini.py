"""Google's Gemini.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from urllib.parse import quote

from flowforge.connectors.llm.conversation import Answer, Conversation, Message, Usage
from flowforge.connectors.llm.dialect import Dialect, portable, stop_reason
from flowforge.jsonio import JsonObject

_PREFIX = "models/"
_REFUSED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY")


def _path(model: str) -> str:
    return f"/models/{quote(model.removeprefix(_PREFIX), safe='')}:generateContent"


def _body(conversation: Conversation) -> JsonObject:
    options: JsonObject = {"maxOutputTokens": conversation.max_tokens}
    if conversation.temperature is not None:
        options["temperature"] = conversation.temperature
    if conversation.schema is not None:
        options |= {"responseMimeType": "application/json", "responseJsonSchema": portable(conversation.schema)}
    system = {"systemInstruction": {"parts": [{"text": conversation.system}]}} if conversation.system else {}
    return {**system, "contents": [_content(message) for message in conversation.messages], "generationConfig": options}


def _content(message: Message) -> JsonObject:
    files = [{"inlineData": {"mimeType": file.type, "data": file.base64}} for file in message.attachments]
    text = [{"text": message.text}] if message.text else []
    return {"role": "user" if message.role == "user" else "model", "parts": [*files, *text]}


def _answer(body: JsonObject) -> Answer:
    """A prompt that is blocked has no candidate."""
    usage, blocked = body.get("usageMetadata", {}), body.get("promptFeedback", {}).get("blockReason")
    written = usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0)
    used, model = Usage(usage.get("promptTokenCount", 0), written), body.get("modelVersion", "")
    if blocked:
        return Answer("", model, "refused", used)
    candidate = body["candidates"][0]
    parts = candidate.get("content", {}).get("parts", [])
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    return Answer(text, model, stop_reason(candidate.get("finishReason"), length="MAX_TOKENS", refused=_REFUSED), used)


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
    "/models?pageSize=1000",
    _models,
)
