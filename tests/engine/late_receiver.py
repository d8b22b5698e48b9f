"""A receiver that answers when it is told to."""

from __future__ import annotations

import threading
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response


class LateReceiver:
    """Notes who calls. `/first` is answered when `answer` is set, `/second` at once."""

    def __init__(self, server: HTTPServer) -> None:
        self.paths: list[str] = []
        self.answer = threading.Event()
        self.server = server
        server.expect_request("/first").respond_with_handler(self._answer_late)
        server.expect_request("/second").respond_with_handler(self._answer)

    def call(self, path: str) -> dict[str, Any]:
        return {"type": "HTTP_REQUEST", "config": {"url": self.server.url_for(path)}}

    def _answer(self, request: Request) -> Response:
        self.paths.append(request.path)
        return Response("{}")

    def _answer_late(self, request: Request) -> Response:
        self.paths.append(request.path)
        self.answer.wait(30)
        return Response("{}")
