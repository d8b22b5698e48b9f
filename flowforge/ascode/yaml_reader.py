"""YAML as JSON's data model, with the line of every part.

Tags, merge keys and duplicate keys are refused. What aliases may add is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from flowforge.sentences import Count, sentence
from flowforge.yaml_scalars import resolve_scalar

MAX_BYTES = 2_000_000
MAX_NESTING = 100
MAX_ALIASED = 1_000_000
"""Characters and parts that all aliases of a file add together."""

_BRACES = sentence('put the expression between quotes: "{{ … }}"; without them, YAML reads braces as objects')
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Flaw:
    """A flaw in the text itself. Lines count from 1."""

    line: int
    message: str


@dataclass(slots=True, eq=False)
class Node:
    """A part of a document: a list, an object, or a scalar."""

    line: int
    value: Any
    key_lines: dict[str, int] = field(default_factory=dict)
    weight: int = 1
    height: int = 1
    is_flow: bool = False
    """Whether it is written in braces or brackets."""

    def plain(self) -> Any:
        """The value in JSON's types."""
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return self.value

    def line_of(self, parts: list[str]) -> int:
        """The line of the part at that JSON pointer, or of the innermost part around it that is there."""
        node, line = self, self.line
        for part in parts:
            if isinstance(node.value, dict) and part in node.value:
                line, node = node.key_lines[part], node.value[part]
            elif isinstance(node.value, list) and part.isdecimal() and int(part) < len(node.value):
                node = node.value[int(part)]
                line = node.line
            else:
                break
        return line


@dataclass(frozen=True, slots=True)
class Document:
    """The result of reading; `root` is None if the text is no YAML at all. Beside flaws, the rest can be validated."""

    root: Node | None
    flaws: tuple[Flaw, ...] = ()

    def plain(self) -> Any:
        return self.root.plain() if self.root else None

    def line_of(self, pointer: str) -> int:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        return self.root.line_of(parts) if self.root else 1


def read(text: str) -> Document:
    """Read the one document in the text. Never raises: what is wrong becomes a flaw."""
    builder = _Builder()
    try:
        if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
            raise _Unreadable(1, sentence("the file is larger than %(most)s bytes", most=Count(MAX_BYTES)))
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _Unreadable as error:
        return Document(None, (*builder.flaws, error.flaw))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(filter(None, (error.context, error.problem)))
        flaw = Flaw(mark.line + 1 if mark else 1, sentence("is not YAML: %(error)s", error=message))
        return Document(None, (*builder.flaws, flaw))
    except (yaml.YAMLError, UnicodeError) as error:
        flaw = Flaw(1, sentence("is not YAML: %(error)s", error=" ".join(str(error).split())))
        return Document(None, (*builder.flaws, flaw))
    if builder.root is None:
        return Document(None, (*builder.flaws, Flaw(1, sentence("the file is empty"))))
    return Document(builder.root, tuple(builder.flaws))


class _Unreadable(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.flaw = Flaw(line, message)


@dataclass(slots=True)
class _Open:
    """A list or an object that is being read."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_line: int = 0
    awaits_key: bool = True


class _Builder:
    """Puts the parser's events together, without recursion, so that no nesting is too deep for it."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.flaws: list[Flaw] = []
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._aliased = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise _Unreadable(
                line, sentence("the file holds more than one document; give each workflow a file of its own")
            )
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", line)

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int) -> None:
        self._refuse_tag(event.tag, line)
        if self._at_key():
            raise _Unreadable(line, self._why_no_key(event))
        if len(self._open) >= MAX_NESTING:
            raise _Unreadable(
                line, sentence("lists and objects are nested more than %(most)s levels deep", most=MAX_NESTING)
            )
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.anchor:
            self._anchors[event.anchor] = None  # until it has ended
        self._open.append(_Open(Node(line, value, is_flow=bool(event.flow_style)), event.anchor))

    def _why_no_key(self, event: yaml.Event) -> str:
        """`{{ a }}` without quotes is an object whose key is an object."""
        opens = event.start_mark and self._open[-1].node.is_flow and isinstance(event, yaml.MappingStartEvent)
        return _BRACES if opens and not self._open[-1].node.value else sentence("a key must be text")

    def _end(self) -> None:
        closed = self._open.pop()
        if closed.anchor:
            self._anchors[closed.anchor] = closed.node
        self._put(closed.node, closed.node.line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        self._refuse_tag(event.tag, line)
        plain = bool(event.implicit[0])
        if self._at_key():
            self._key(event.value, line, plain)
            return
        node = Node(line, resolve_scalar(event.value) if plain else event.value, weight=1 + len(event.value))
        if event.anchor:
            self._anchors[event.anchor] = node
        self._put(node, line)

    def _key(self, key: str, line: int, plain: bool) -> None:
        if plain and key == "<<":
            raise _Unreadable(line, sentence("merge keys (<<) are not supported"))
        if plain and not key:
            raise _Unreadable(line, sentence("a key is missing before ':'"))
        holder = self._open[-1]
        if key in holder.node.value:
            before = holder.node.key_lines[key]
            self.flaws.append(
                Flaw(line, sentence("the key '%(key)s' is there already, in line %(line)s", key=key, line=before))
            )
        holder.key, holder.key_line, holder.awaits_key = key, line, False

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self._anchors:
            raise _Unreadable(
                line, sentence("there is no anchor &%(anchor)s before the alias *%(anchor)s", anchor=anchor)
            )
        node = self._anchors[anchor]
        if node is None:
            raise _Unreadable(line, sentence("the alias *%(anchor)s stands inside what it names", anchor=anchor))
        if self._at_key():
            raise _Unreadable(line, sentence("a key must be text, not an alias"))
        self._aliased += node.weight
        if self._aliased > MAX_ALIASED:
            raise _Unreadable(
                line,
                sentence("the aliases of the file stand for more than %(most)s characters", most=Count(MAX_ALIASED)),
            )
        self._put(node, line)

    def _put(self, node: Node, line: int) -> None:
        if not self._open:
            self.root = node
            return
        holder = self._open[-1]
        holder.node.weight += node.weight
        holder.node.height = max(holder.node.height, node.height + 1)
        if len(self._open) + node.height > MAX_NESTING + 1:
            raise _Unreadable(
                line, sentence("lists and objects are nested more than %(most)s levels deep", most=MAX_NESTING)
            )
        if isinstance(holder.node.value, list):
            holder.node.value.append(node)
            return
        assert holder.key is not None
        holder.node.value[holder.key] = node
        holder.node.key_lines[holder.key] = holder.key_line
        holder.key, holder.awaits_key = None, True

    def _at_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].node.value, dict) and self._open[-1].awaits_key

    def _refuse_tag(self, tag: str | None, line: int) -> None:
        if tag is not None:
            raise _Unreadable(line, sentence("tags (!…) are not supported; put text that begins with ! between quotes"))


def reads_as_text(text: str) -> bool:
    """Whether that text, without quotes, is read as text."""
    return isinstance(resolve_scalar(text), str)
