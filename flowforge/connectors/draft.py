"""A draft: the text that a step is writing, shown to whoever watches the execution."""

from __future__ import annotations

from typing import Protocol


class Draft(Protocol):
    def add(self, text: str) -> None:
        """Goes on with it. It may be shown late, in part or not at all, secrets masked. Never raises."""
