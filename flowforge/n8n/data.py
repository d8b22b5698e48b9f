"""What a node gives, and how expressions of ours reach it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

_ITEM = re.compile("\x00(\\d+)\x00")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"(?:[A-Za-z_]\w*|\x00\d+\x00)(?:\.\w+|\[(?:-?\d+|'[^'\\]*')\])*")
_RESERVED = frozenset({"true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else"})

NOTHING = "none"


def item_at(depth: int) -> str:
    """The item of the loop that is so many loops deep (from 1), wherever the expression will stand."""
    return f"\x00{depth}\x00"


def as_seen_from(expression: str, depth: int) -> str:
    """The expression as it is written so many loops deep."""

    def written(found: re.Match[str]) -> str:
        up = depth - int(found[1])
        return "item" if up <= 0 else f"loop{'.parent' * up}.item"

    return _ITEM.sub(written, expression)


def mentions_item(expression: str) -> bool:
    return "\x00" in expression


def quote(text: str) -> str:
    """The text as an expression of ours writes it."""
    plain = text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    escaped = plain.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def held(expression: str) -> str:
    """The expression so that a field of it can be named: a path as it is, anything else in brackets."""
    return expression if _PATH.fullmatch(expression) else f"({expression})"


def reach(holder: str, key: str | int) -> str:
    """The field or the position of a value; the value is a path, or stands in brackets."""
    is_word = isinstance(key, str) and _WORD.fullmatch(key) is not None and key not in _RESERVED
    return f"{holder}.{key}" if is_word else f"{holder}[{quote(key) if isinstance(key, str) else key}]"


@dataclass(frozen=True, slots=True)
class Data:
    """The JSON of one item."""

    whole: str
    """An expression of all of it: a path."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """The fields that stand somewhere else than in `whole`, by their names in n8n: paths."""
    base: Data | None = None
    """What further fields are looked up in, and those of `whole` are merged into."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Fields of `whole` by the names that n8n has for them."""
    doubtful: bool = False
    """Whether it may not be there: the step is disabled, or in a branch that was not taken."""
    unlike: bool = False
    """Whether n8n's fields are others: what a service answers is made smaller or larger here or there."""

    def field(self, name: str) -> str:
        """The path of a field."""
        if name in self.fields:
            return self.fields[name]
        if self.base is not None:
            return self.base.field(name)
        return reach(self.whole, self.renamed.get(name, name))

    @property
    def object(self) -> str:
        """The expression of all of it."""
        if self.base is None:
            return f"({self.whole} | default({{}}))" if self.doubtful else self.whole
        return f"{self.base.object} | with_fields({self.whole})"


@dataclass(frozen=True, slots=True)
class Output:
    """The items that a node gives: one, or a list."""

    one: Data | None = None
    """The one item, or the one that is worked on in the loop around."""
    many: str | None = None
    """The list of the JSON of all items: an expression; None where there is one item."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Expressions of the item's files, by the names of n8n's binary properties."""
    any_file: str | None = None
    """The file of a binary property with another name."""
    file_field: str | None = None
    """Of a list: the field of its items that holds a file."""
    files_at: str | None = None
    """An object with the files of the item, by their names: a path."""
    files_field: str | None = None
    """Of a list: the field of its items that holds such an object."""
    file_lists: Callable[[str], str | None] | None = None
    """Of a list that a loop has collected: gives the list of the files of a name, which is collected once asked for."""
    as_list: str | None = None
    """Of one item that is a list itself for n8n: that list."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Of a list: the fields of its items, by the names that n8n has for them."""
    why: str | None = None
    """What about it differs from n8n, wherever it is used."""

    @property
    def items(self) -> str:
        """The list of all items."""
        known = self.many or self.as_list
        if known is not None:
            return known
        return f"[{self.one.object}]" if self.one else "[]"

    @property
    def item(self) -> Data:
        """The item that is worked on; of a list, the first."""
        if self.one is not None:
            return self.one
        return Data(reach(held(self.many), 0) if self.many else NOTHING, renamed=self.renamed)

    def file(self, name: str) -> str | None:
        if self.files_at is not None:
            return reach(self.files_at, name)
        return self.files.get(name, self.any_file)

    def file_list(self, name: str) -> str | None:
        """The list of the files of that name, one for each item."""
        if self.many is None:
            file = self.file(name)
            return None if file is None else f"[{file} | default(none)]"
        if self.files_field is not None:
            return f"{held(self.many)} | map(item{reach('', self.files_field)}{reach('', name)} | default(none))"
        if self.file_field is not None:
            return f"{held(self.many)} | map({quote(self.file_field)})"
        return None if self.file_lists is None else self.file_lists(name)

    def with_files_of(self, other: Output) -> Output:
        """The output with the files of another item."""
        return replace(self, files=other.files, any_file=other.any_file, files_at=other.files_at)

    def looped(self, depth: int) -> Output:
        """The output as it is inside a loop over its items."""
        item = item_at(depth)
        one = Data(item, renamed=self.renamed)
        file, files = _reached(item, self.file_field), _reached(item, self.files_field)
        return replace(self, one=one, many=None, as_list=None, file_lists=None, any_file=file, files_at=files)

    def doubted(self) -> Output:
        """The output where it is not certain that the node has run."""
        one = replace(self.one, doubtful=True) if self.one else None
        return replace(self, one=one, many=f"({held(self.many)} | default([]))" if self.many else None)


def _reached(item: str, field_: str | None) -> str | None:
    return None if field_ is None else reach(item, field_)


EMPTY = Output(Data("{}"))
