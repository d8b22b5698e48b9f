"""A single page of a list, for a step that reads one at a time."""

from __future__ import annotations

from typing import Protocol

from flowforge.jsonio import JsonObject


class OnePage(Protocol):
    def after(self) -> JsonObject | None:
        """The place where the page before has ended, as the step has given it to `sealed`; None for the first page.
        Raises ConnectorError."""

    def sealed(self, place: JsonObject) -> str:
        """A text for the place where this page ends, which tells nobody the links and cursors in it."""
