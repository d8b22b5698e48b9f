"""The language of the tables in `services/`: how a row is filled in with the parameters of a node.

    @name           a parameter, as text                     @name=x    x where it is missing
    #name           one with its type                        @a|b       the first of them that is there
    !name           one that has to be there                 @a.b       one inside of another
    $name           the file in a binary property that the parameter names
    json:name       JSON that is written as text, as the value that it is
    list:name       several words with commas between them, as a list
    pairs:name      a list of names and values, as an object
    @item, @items   the JSON of the item, or of all items
    ... @{name}     a parameter inside of a longer text; %{name}: percent-encoded
    ... &{a.b}      of the output of the step `a` that is done before

    each: name      with `of` beside it: a list, with what `of` says for each member of a parameter
    "...": names    all members of these parameters, under their own names; "..._": with names in snake_case

What turns out empty is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote as percent_encoded

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked
from flowforge.n8n.json_templates import read_template
from flowforge.n8n.values import literal
from flowforge.sentences import sentence

_INSIDE = re.compile(r"([@%])\{([\w.|-]+)(?:=([^}]*))?\}")
_FROM_STEP = re.compile(r"&\{(\w+)((?:\.\w+|\[\d+\])*)\}")
_SPREAD, _SPREAD_IN_SNAKE_CASE = "...", "..._"
_UPPER = re.compile(r"(?<=[a-z0-9])[A-Z]")
_NAMES = ("name", "key", "property", "fieldId", "fieldName", "field", "parameter", "header")
_VALUES = ("value", "fieldValue", "propertyValue")
_EMPTY: tuple[Any, ...] = (None, "", {}, [])
_ABOUT_THE_NODE = frozenset(
    {"resource", "operation", "authentication", "requestOptions", "returnAll", "jsonParameters", "simple"}
)
"""Parameters that say nothing about what is sent."""


@dataclass
class Row:
    """The parameters of one node, put into what a row says; remembers which of them were used."""

    asked: Asked
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Values that are taken instead of parameters."""
    used: set[str] = field(default_factory=set)
    steps: dict[str, str] = field(default_factory=dict)
    """The paths of the outputs of steps that are done before, by their names in the table."""
    unused_inside: dict[str, None] = field(default_factory=dict)
    """Parameters in members of lists that the row takes no notice of."""

    def filled(self, written: Any) -> Any:
        """A part of the row with the parameters in their places."""
        if isinstance(written, dict):
            return self._filled_object(written)
        if isinstance(written, list):
            return [value for value in map(self.filled, written) if value not in (None, "")]
        return self._value(written) if isinstance(written, str) else written

    def text(self, written: str) -> str:
        """A text with parameters inside."""
        filled = _INSIDE.sub(self._piece, written)
        return _FROM_STEP.sub(lambda found: f"{{{{ {self.steps[found[1]]}{found[2]} }}}}", filled)

    def unused(self) -> Iterator[str]:
        """The parameters that the row takes no notice of."""
        yield from (path for path in _leaves(self.asked.node.parameters) if not self._is_used(path))
        yield from self.unused_inside

    def raw(self, paths: str) -> tuple[str, Any]:
        """The first of the parameters that is there, with its path; the first of all where none is."""
        found = [(path, self._raw(path)) for path in paths.split("|")]
        path, raw = next((each for each in found if each[1] not in _EMPTY), (found[0][0], None))
        self.used.add(path)
        return path, raw

    def _raw(self, path: str) -> Any:
        return self.fixed.get(path, self.asked.raw(path))

    def _is_used(self, path: str) -> bool:
        return any(path == used or path.startswith(f"{used}.") for used in self.used | _ABOUT_THE_NODE)

    def _is_touched(self, path: str) -> bool:
        """Whether it is used, or a part of it."""
        return self._is_used(path) or any(used.startswith(f"{path}.") for used in self.used)

    def _filled_object(self, written: JsonObject) -> JsonObject | list[Any]:
        if written.keys() == {"each", "of"}:
            return self._each(written["each"], written["of"])
        found: JsonObject = {}
        for key, value in written.items():
            if key in (_SPREAD, _SPREAD_IN_SNAKE_CASE):
                found |= self._members(value, in_snake_case=key == _SPREAD_IN_SNAKE_CASE)
            else:
                found[key] = self.filled(value)
        return {key: value for key, value in found.items() if value not in _EMPTY}

    def _each(self, paths: str, written: Any) -> list[Any]:
        path, raw = self.raw(paths)
        members = raw if isinstance(raw, list) else [raw] if isinstance(raw, dict) else []
        return [self._filled_for(member, path, written) for member in members if isinstance(member, dict)]

    def _filled_for(self, member: JsonObject, path: str, written: Any) -> Any:
        """A part of the row for one member of the parameter at `path`."""
        node = replace(self.asked.node, parameters=member)
        inner = Row(replace(self.asked, node=node), steps=self.steps)
        filled = inner.filled(written)
        self.unused_inside |= dict.fromkeys(f"{path}.{name}" for name in inner.unused())
        return filled

    def _members(self, paths: str, *, in_snake_case: bool) -> JsonObject:
        """All members of parameters that are objects, but those that the row has used by then."""
        return {
            _snake_case(name) if in_snake_case else name: self.asked.values.value(member)
            for path in paths.split("|")
            for name, member in self._unused_members(path)
        }

    def _unused_members(self, path: str) -> list[tuple[str, Any]]:
        raw = self._raw(path)
        members = list(raw.items()) if isinstance(raw, dict) else []
        wanted = [(name, _plain(member)) for name, member in members if not self._is_touched(f"{path}.{name}")]
        self.used.update(f"{path}.{name}" for name, _ in wanted)
        return wanted

    def _value(self, written: str) -> Any:
        if written == "@item":
            return self.asked.item
        if written == "@items":
            return self.asked.braced(self.asked.given.items)
        mark, rest = _mark(written)
        if mark is None:
            return self.text(written)
        paths, _, default = rest.partition("=")
        path, raw = self.raw(paths)
        return _READERS[mark](self.asked, path, default if raw is None else raw)

    def _piece(self, found: re.Match[str]) -> str:
        _, raw = self.raw(found[2])
        value = (found[3] or "") if raw is None else raw
        return self.asked.text_of(value) if found[1] == "@" else _encoded(self.asked, value)


def _mark(written: str) -> tuple[str | None, str]:
    """The mark at the beginning, and what follows it."""
    if _INSIDE.match(written):
        return None, written
    mark = next((mark for mark in _READERS if written.startswith(mark)), None)
    return mark, written.removeprefix(mark or "")


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all parameters that are not empty; lists and references are whole."""
    if _plain(value) in _EMPTY:
        return
    if isinstance(value, dict) and "__rl" not in value:
        for key, member in value.items():
            yield from _leaves(member, f"{path}.{key}".lstrip("."))
    else:
        yield path


def _plain(raw: Any) -> Any:
    return raw.get("value") if isinstance(raw, dict) and "__rl" in raw else raw


def _snake_case(name: str) -> str:
    return _UPPER.sub(lambda found: f"_{found[0].lower()}", name)


def _encoded(asked: Asked, raw: Any) -> str:
    if isinstance(raw, str) and raw.startswith("="):
        return f"{{{{ ({asked.bare(raw)}) | urlencode }}}}"
    return percent_encoded(str(raw), safe="")


def _needed(asked: Asked, path: str, raw: Any) -> Any:
    return asked.needed(asked.text_of(raw), sentence("'%(path)s'", path=path), "fill-it-in")


def _typed(asked: Asked, path: str, raw: Any) -> Any:
    return asked.values.value(raw)


def _text(asked: Asked, path: str, raw: Any) -> str:
    return asked.text_of(raw)


def _file(asked: Asked, path: str, raw: Any) -> str:
    return asked.file(str(raw or "data"))


def _json(asked: Asked, path: str, raw: Any) -> Any:
    return read_template(asked.values, raw) if isinstance(raw, str) and raw.strip("= \n") else asked.values.value(raw)


def _list(asked: Asked, path: str, raw: Any) -> Any:
    if isinstance(raw, str) and raw.startswith("="):
        value = asked.bare(raw)
        return f"{{{{ ({value}) | split(',') if ({value}) is string else ({value}) }}}}"
    words = raw.split(",") if isinstance(raw, str) else raw
    return [literal(word.strip()) if isinstance(word, str) else word for word in words or [] if word not in _EMPTY]


def _pairs(asked: Asked, path: str, raw: Any) -> JsonObject:
    rows = raw if isinstance(raw, list) else [raw]
    named = [(_first(row, _NAMES), _first(row, _VALUES)) for row in rows if isinstance(row, dict)]
    return {asked.text_of(name): asked.values.value(value) for name, value in named if name not in _EMPTY}


def _first(row: JsonObject, keys: tuple[str, ...]) -> Any:
    return next((_plain(row[key]) for key in keys if key in row), None)


_READERS: Mapping[str, Callable[[Asked, str, Any], Any]] = {
    "json:": _json,
    "list:": _list,
    "pairs:": _pairs,
    "@": _text,
    "#": _typed,
    "!": _needed,
    "$": _file,
}
