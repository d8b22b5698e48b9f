"""A language model on loopback that speaks OpenAI's chat completions, in one piece or streamed, and does as a test
tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from flowforge.jsonio import JsonObject
from tests.services.model_streams import stream_of
from tests.services.serving import JsonExchange, JsonServer

Says = Callable[[Sequence[JsonObject]], JsonObject]
"""Its message after those of the conversation."""


def answers(text: str) -> JsonObject:
    return {"role": "assistant", "content": text}


def calls(*tools: tuple[str, JsonObject]) -> JsonObject:
    called = [
        {"id": f"id-{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for n, (name, arguments) in enumerate(tools)
    ]
    return {"role": "assistant", "content": None, "tool_calls": called}


def results(messages: Sequence[JsonObject]) -> list[str]:
    """The results of tools that it was told."""
    return [message["content"] for message in messages if message["role"] == "tool"]


class LanguageModel(JsonServer):
    """Notes what it is asked, and which other calls come, each with its `Idempotency-Key`."""

    def __init__(self, says: Says) -> None:
        self.says = says
        self.asked: list[JsonObject] = []
        self.calls: list[tuple[str, str | None]] = []
        self.pause: Callable[[], object] = lambda: None
        """Called before each event of an answer that is streamed."""
        super().__init__(_Exchange)

    @property
    def config(self) -> JsonObject:
        """The config of a step that asks it."""
        return {"model": "small", "endpoint": f"{self.url}/v1", "prompt": "{{ trigger.question }}"}


class _Exchange(JsonExchange):
    server: LanguageModel

    def do_POST(self) -> None:  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"null")
        if self.path != "/v1/chat/completions":
            self.server.calls.append((self.path, self.headers["Idempotency-Key"]))
            self.answer(b'{"done": true}')
            return
        self.server.asked.append(body)
        usage = {"prompt_tokens": 10, "completion_tokens": 2}
        message: Any = self.server.says(body["messages"])
        whole = {"model": "small-2", "choices": [{"message": message}], "usage": usage}
        if body.get("stream"):
            self._stream(stream_of("openai", whole))
        else:
            self.answer(json.dumps(whole).encode())

    def _stream(self, events: Sequence[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in [*events, b""]:
            self.server.pause()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
