"""YAML documents as values of JSON, read in linear time.

libyaml's events are put together here since PyYAML's own loader takes ten times as long, and since only so what aliases
stand for can be bounded. An alias is the very value it names, not a copy. Keys are text; of a key that stands there
twice the last counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from flowforge.yaml_scalars import resolve_scalar

MOST_EVENTS = 2_000_000
"""Beginnings, ends and scalars: a description of 10 MB has half a million; short ones would take minutes."""
_MOST_ANCHORS = 20_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_IN_LIST, _AWAITS_KEY = object(), object()
_MERGE = "<<"


class UnreadableYaml(ValueError):
    """The text is no YAML that can be read; the message says where and why."""


def read_yaml(data: bytes, most_characters: int, most_nesting: int) -> Any:
    """The first document in the data; None where there is none. Raises UnreadableYaml for what is no YAML, is nested
    more deeply than `most_nesting`, or has more than `most_characters` when each alias is written out."""
    try:
        loader = _LOADER(data)
        return _Builder(most_characters, most_nesting).build(loader)
    except yaml.MarkedYAMLError as error:
        raise UnreadableYaml(_told(error)) from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise UnreadableYaml(" ".join(str(error).split())[:200]) from error


def _told(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    what = " ".join(filter(None, (error.context, error.problem)))[:200]
    return f"line {mark.line + 1}: {what}" if mark else what


@dataclass(slots=True)
class _Open:
    """A list or an object that is being read."""

    value: Any
    key: Any
    """The key that awaits its value; _AWAITS_KEY, or _IN_LIST."""
    anchor: str | None = None
    written_before: int = 0
    height: int = 1
    """Levels of lists and objects, itself included."""
    merged: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    characters: int
    height: int


class _Builder:
    def __init__(self, most_characters: int, most_nesting: int) -> None:
        self._most_characters = most_characters
        self._most_nesting = most_nesting
        self._written = 0
        self._anchors: dict[str, _Anchored] = {}
        self._around: list[_Open] = []
        self._top = _Open([], _IN_LIST)

    def build(self, loader: Any) -> Any:
        """The first document. Scalars are handled in the loop itself: a large file has a quarter of a million."""
        next_event = loader.get_event
        for _ in range(MOST_EVENTS):
            event = next_event()
            if event.__class__ is not ScalarEvent:
                if self._take(event):
                    return self._top.value[0] if self._top.value else None
                continue
            top, text = self._top, event.value
            self._written += len(text) + 1
            if top.key is _AWAITS_KEY:
                top.key = text
                continue
            value = resolve_scalar(text) if event.implicit[0] else text
            if event.anchor:
                self._keep(event.anchor, _Anchored(value, len(text) + 1, 0))
            self._put(value)
        raise UnreadableYaml("it has too many parts")

    def _take(self, event: Any) -> bool:
        """Whether the document has ended."""
        if isinstance(event, MappingStartEvent):
            self._begin(_Open({}, _AWAITS_KEY, event.anchor, self._written))
        elif isinstance(event, SequenceStartEvent):
            self._begin(_Open([], _IN_LIST, event.anchor, self._written))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._end()
        elif isinstance(event, AliasEvent):
            self._take_alias(event.anchor or "")
        return isinstance(event, DocumentEndEvent | StreamEndEvent)

    def _begin(self, opened: _Open) -> None:
        if self._top.key is _AWAITS_KEY:
            raise UnreadableYaml("a key must be text, not a list or an object")
        self._around.append(self._top)
        self._top = opened
        self._written += 2
        self._check_nesting(0)

    def _end(self) -> None:
        closed = self._top
        for merged in closed.merged:
            closed.value.update({key: value for key, value in merged.items() if key not in closed.value})
        if closed.anchor:
            characters = self._written - closed.written_before
            self._keep(closed.anchor, _Anchored(closed.value, characters, closed.height))
        self._top = self._around.pop()
        self._put_container(closed.value, closed.height)

    def _keep(self, anchor: str, anchored: _Anchored) -> None:
        self._anchors[anchor] = anchored
        if len(self._anchors) > _MOST_ANCHORS:
            raise UnreadableYaml(f"it has more than {_MOST_ANCHORS:,} anchors")

    def _take_alias(self, anchor: str) -> None:
        named = self._anchors.get(anchor)
        if named is None:
            raise UnreadableYaml(f"the alias *{anchor[:60]} names nothing that ends before it")
        if self._top.key is _AWAITS_KEY:
            raise UnreadableYaml("a key must be text, not an alias")
        self._written += named.characters
        if self._written > self._most_characters:
            raise UnreadableYaml(f"its aliases stand for more than {self._most_characters:,} characters")
        self._check_nesting(named.height)
        self._put_container(named.value, named.height)

    def _put_container(self, value: Any, height: int) -> None:
        self._top.height = max(self._top.height, height + 1)
        self._put(value)

    def _put(self, value: Any) -> None:
        top = self._top
        if top.key is _IN_LIST:
            top.value.append(value)
            return
        if top.key == _MERGE:
            _merge(top, value)
        else:
            top.value[top.key] = value
        top.key = _AWAITS_KEY

    def _check_nesting(self, height: int) -> None:
        if len(self._around) + height > self._most_nesting:
            raise UnreadableYaml(f"lists and objects are nested more than {self._most_nesting} levels deep")


def _merge(holder: _Open, value: Any) -> None:
    """`<<` takes over what the named objects have and this one has not."""
    named = value if isinstance(value, list) else [value]
    holder.merged += [each for each in named if isinstance(each, dict)]
