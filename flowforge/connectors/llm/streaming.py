"""Answers that come in pieces, as server-sent events, put together to the body that the provider gives without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from flowforge import jsonio
from flowforge.connectors.draft import Draft
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.event_stream import EventStream
from flowforge.connectors.http_client.response import Response
from flowforge.jsonio import JsonObject

_DONE = "[DONE]"
"""The last data of providers that speak as OpenAI does; it is no JSON."""
_REFUSING = {400, 404, 405, 422, 501}
_LASTING = ("insufficient_quota", "invalid_request")
"""Errors that do not go away by trying again."""


class Assembly(Protocol):
    """An answer that is put together. `add` and `body` raise KeyError, IndexError, TypeError or AttributeError where an
    event is not what the dialect promises."""

    def add(self, event: JsonObject) -> str:
        """Takes the next event; returns the text that it adds to the answer."""

    @property
    def is_whole(self) -> bool: ...

    def body(self) -> JsonObject:
        """What the provider would have answered without streaming."""


@dataclass(frozen=True, slots=True)
class Streaming:
    """The way in which a dialect is asked to stream. `options`: what the body says beside the question."""

    assemble: Callable[[], Assembly]
    path: Callable[[str], str]
    """Where a model is asked, by its name."""
    options: Mapping[str, Any] = field(default_factory=dict)


class StreamedAnswer:
    """Reads an answer while it comes, and shows its text. `provider` names it for people."""

    def __init__(self, assembly: Assembly, draft: Draft, provider: str) -> None:
        self._assembly = assembly
        self._draft = draft
        self._provider = provider
        self.events = EventStream(self._read)

    def body(self) -> JsonObject:
        """Raises ConnectorError where the answer has broken off."""
        if not self._assembly.is_whole:
            raise self._broken("the connection ended in the middle of it")
        return self._assembly.body()

    def _read(self, data: str) -> None:
        if data == _DONE:
            return
        event = self._parsed(data)
        if event.get("error"):
            raise self._failed(event["error"])
        text = self._assembly.add(event)
        if text:
            self._draft.add(text)

    def _parsed(self, data: str) -> JsonObject:
        try:
            event = jsonio.loads(data)
        except ValueError as error:
            raise self._broken("an event is not JSON") from error
        if not isinstance(event, dict):
            raise self._broken("an event is no JSON object")
        return event

    def _failed(self, error: Any) -> ConnectorError:
        """The error of an event: the provider has given up."""
        reason = error.get("message") if isinstance(error, dict) else error
        lasting = any(word in jsonio.dumps(error).decode() for word in _LASTING)
        message = f"{self._provider} broke off its answer: {reason or 'it does not say why'}"
        return ConnectorError(message, permanent=lasting, answered=True)

    def _broken(self, reason: str) -> ConnectorError:
        """Nobody knows what the rest would have been: the answer is lost."""
        return ConnectorError(f"the answer of {self._provider} broke off: {reason}", permanent=False)


def refuses_to_stream(response: Response) -> bool:
    """Whether the provider cannot stream, or not to this account or with these options, and says so."""
    return response.status in _REFUSING and "stream" in response.text.lower()
