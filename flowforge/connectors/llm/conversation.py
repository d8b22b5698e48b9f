"""A conversation with a language model, and its answer, whichever provider it is held with."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flowforge.connectors.agent_turn import Tool
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.files import Content
from flowforge.jsonio import JsonObject
from flowforge.media_types import is_always_text

Role = Literal["user", "assistant"]
StopReason = Literal["end", "length", "refused"]
"""Why an answer ends: it is whole, the limit of tokens was reached, or the model or its provider does not want to."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside the text of a message. `type`: its media type."""

    name: str
    type: str
    base64: str

    @property
    def kind(self) -> str:
        """`image`, `audio`, `application`, ...: the first part of the media type."""
        return self.type.partition("/")[0]

    @property
    def data_url(self) -> str:
        """RFC 2397."""
        return f"data:{self.type};base64,{self.base64}"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments`: None where they are no JSON object. `signature`: what the provider wants back with the call."""

    id: str
    name: str
    arguments: JsonObject | None
    signature: str | None = None

    def __post_init__(self) -> None:
        _require(str, self.id, self.name, self.signature or "")
        _require(dict, self.arguments or {})


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of a call, or why it failed."""

    call: ToolCall
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """`calls` are the model's, beside its text; a message with `results` answers all calls of the one before it."""

    role: Role
    text: str
    attachments: Sequence[Attachment] = ()
    calls: Sequence[ToolCall] = ()
    results: Sequence[ToolResult] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a model is asked. The last message is the user's. `schema`: that of the JSON it has to answer with; None
    where any text will do."""

    model: str
    system: str
    messages: Sequence[Message]
    max_tokens: int
    temperature: float | None = None
    schema: JsonObject | None = None
    tools: Sequence[Tool] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that were read and written; what a model thinks counts as written."""

    input: int = 0
    output: int = 0

    def __post_init__(self) -> None:
        _require(int, self.input, self.output)

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.input + other.input, self.output + other.output)


@dataclass(frozen=True, slots=True)
class Answer:
    """`model`: the version that has answered. Raises TypeError, as its parts do, where a provider has given something
    else."""

    text: str
    model: str
    stop: StopReason
    usage: Usage
    calls: Sequence[ToolCall] = ()
    """The tools that it calls before it answers."""

    def __post_init__(self) -> None:
        _require(str, self.text, self.model)


def _require(kind: type, *values: Any) -> None:
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"{value!r:.50} is no {kind.__name__}")


def attach(contents: Sequence[Content], most_bytes: int) -> tuple[str, Sequence[Attachment]]:
    """Files as a model takes them: those of text, as text that goes before the prompt, and the others. Raises
    ConnectorError where they have more than `most_bytes` together."""
    size = sum(content.size for content in contents)
    if size > most_bytes:
        raise ConnectorError(f"files: they have {size} bytes together; the limit is {most_bytes}", permanent=True)
    texts = [_quoted(content) for content in contents if is_always_text(content.type)]
    others = [_encoded(content) for content in contents if not is_always_text(content.type)]
    return "".join(texts), others


def _quoted(content: Content) -> str:
    """The text of a file, under its name."""
    return f"{content.name}:\n{b''.join(content.pieces()).decode(errors='replace')}\n\n"


def _encoded(content: Content) -> Attachment:
    data = b"".join(content.pieces())
    return Attachment(content.name, content.type, base64.b64encode(data).decode())
