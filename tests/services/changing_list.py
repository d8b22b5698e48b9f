"""An API whose list changes between two requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.services.serving import JsonExchange, JsonServer


@dataclass
class _Answer:
    body: Any = field(default_factory=lambda: {"data": []})
    status: int = 200


class ChangingList(JsonServer):
    """Answers every GET with `body`; `paths` has what was asked."""

    def __init__(self) -> None:
        super().__init__(_Exchange)
        self.shown = _Answer()
        self.paths: list[str] = []
        self.headers_seen: list[dict[str, str]] = []
        self.before_answer: Callable[[], object] = lambda: None

    def shows(self, *items: Any) -> None:
        self.shown = _Answer({"data": list(items)})

    def answers(self, body: Any, status: int = 200) -> None:
        self.shown = _Answer(body, status)


class _Exchange(JsonExchange):
    server: ChangingList

    def do_GET(self) -> None:  # noqa: N802
        self.server.paths.append(self.path)
        self.server.headers_seen.append(dict(self.headers))
        self.server.before_answer()
        shown = self.server.shown
        self.answer(json.dumps(shown.body).encode(), shown.status)
