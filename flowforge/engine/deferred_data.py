"""Data of an execution that are loaded when somebody looks at them: kept for every step that runs, they would fill the
memory of an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flowforge.jsonio import JsonObject


class DeferredData(Mapping[str, Any]):
    """A JSON object. Every look at it loads it anew."""

    def __init__(self, load: Callable[[], JsonObject]) -> None:
        self._load = load

    def __getitem__(self, name: str) -> Any:
        return self._load()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())

    def as_json(self) -> JsonObject:
        return self._load()
