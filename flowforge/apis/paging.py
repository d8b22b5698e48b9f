"""How an operation that lists goes on to the next page, as far as its description shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from flowforge.apis.answers import answer_shape, success_of
from flowforge.apis.form import form_schema
from flowforge.apis.operation import Operation
from flowforge.apis.shapes import as_object
from flowforge.jsonio import JsonObject

PagingKind = Literal["cursor", "page", "offset", "next_link", "link_header"]
Path = tuple[str, ...]
_CURSORS = (
    "cursor",
    "pagetoken",
    "nexttoken",
    "nextpagetoken",
    "nextcursor",
    "pagecursor",
    "continuationtoken",
    "startcursor",
    "after",
    "continue",
    "marker",
    "bookmark",
    "startafter",
    "startingafter",
)
_NEXT_CURSORS = (
    "nextpagetoken",
    "nextcursor",
    "nexttoken",
    "nextpagecursor",
    "endcursor",
    "after",
    "continuationtoken",
    "continue",
    "nextmarker",
    "bookmark",
    "cursor",
    "lastid",
    "next",
)
_NEXT_LINKS = ("odatanextlink", "nextlink", "nextpageuri", "nextpageurl", "nexturl", "nexthref", "next")
_PAGES = ("page", "pagenumber", "pageno", "pagenum", "currentpage")
_OFFSETS = ("offset", "skip", "startat", "startindex", "start", "from")
_SIZES = (
    "perpage",
    "pagesize",
    "limit",
    "maxresults",
    "maxitems",
    "size",
    "top",
    "count",
    "first",
    "rows",
    "take",
    "recordsperpage",
    "max",
)
_MORE = ("hasmore", "hasnext", "hasnextpage", "more", "moreitems")
_LISTS = ("data", "items", "results", "value", "values", "records", "entries", "elements", "objects", "list", "content")
_AROUND = (
    "meta",
    "metadata",
    "paging",
    "pagination",
    "page",
    "pageinfo",
    "links",
    "responsemetadata",
    "cursors",
    "pages",
    "data",
    "next",
)
_WHOLE = ("data", "result", "response", "_embedded")
_OF_LAST = ("startingafter", "startafter")
_MARKS = re.compile(r"[^a-z0-9]+")
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class PagingGuess:
    """What paging needs to know."""

    kind: PagingKind
    parameter: str = ""
    """The query parameter that takes the cursor, the number of the page, or the offset; empty for links."""
    next: Sequence[str] = ()
    """Where the body has the next cursor or link: the names on the way."""
    items: Sequence[str] = ()
    """Where the body has the list; empty where it is the body."""
    size_parameter: str = ""
    largest_size: int | None = None
    first_page: int = 1
    """The number of the first page."""
    cursor_of_last: str = ""
    """The field of the last item that is the next cursor, where the body has none of its own (`starting_after`)."""
    more: Sequence[str] = ()
    """Where the body says whether there is more (`has_more`)."""


def paging_guess(operation: Operation) -> PagingGuess | None:
    """None where the description does not show it plainly."""
    answer = success_of(operation)
    if operation.method != "GET" or answer is None:
        return None
    parameters = as_object(as_object(form_schema(operation)["properties"].get("query")).get("properties"))
    shape = answer_shape(operation) or {}
    items = _items(shape, operation.path)
    if items is None:
        return None
    return _Guessing(parameters, shape, items, "link" in answer.headers).guess()


@dataclass(frozen=True, slots=True)
class _Guessing:
    parameters: JsonObject
    """The schemas of the query's parameters by name."""
    shape: JsonObject
    items: Path
    has_link_header: bool

    def guess(self) -> PagingGuess | None:
        """By the most certain sign first: a link or cursor in the answer, then the parameters."""
        if self.has_link_header:
            return self._made("link_header")
        return self._by_cursor() or self._by_link() or self._by_last_item() or self._by_number()

    def _by_cursor(self) -> PagingGuess | None:
        parameter, found = self._parameter(_CURSORS), self._field(_NEXT_CURSORS, "string")
        return self._made("cursor", parameter, next_=found) if parameter and found else None

    def _by_link(self) -> PagingGuess | None:
        found = self._field(_NEXT_LINKS, "string")
        return self._made("next_link", next_=found) if found else None

    def _by_last_item(self) -> PagingGuess | None:
        parameter = self._parameter(_OF_LAST)
        has_id = "id" in _inside(_at(self.shape, self.items).get("items"))
        return self._made("cursor", parameter, cursor_of_last="id") if parameter and has_id else None

    def _by_number(self) -> PagingGuess | None:
        page, offset = self._parameter(_PAGES, "integer"), self._parameter(_OFFSETS, "integer")
        if page:
            return self._made("page", page)
        return self._made("offset", offset) if offset and self._parameter(_SIZES, "integer") else None

    def _made(self, kind: PagingKind, parameter: str = "", next_: Path = (), cursor_of_last: str = "") -> PagingGuess:
        size = self._parameter(_SIZES, "integer")
        said = as_object(self.parameters.get(parameter))
        first = said.get("default", said.get("minimum", 1))
        return PagingGuess(
            kind,
            parameter,
            next_,
            self.items,
            size,
            as_object(self.parameters.get(size)).get("maximum"),
            first if kind == "page" and first in (0, 1) else 1,
            cursor_of_last,
            self._field(_MORE, "boolean"),
        )

    def _parameter(self, names: Sequence[str], type_: str | None = None) -> str:
        fitting = {
            _plain(name): name
            for name, schema in self.parameters.items()
            if schema.get("type") in (type_ or "string", "string" if type_ is None else type_)
        }
        return next((fitting[name] for name in names if name in fitting), "")

    def _field(self, names: Sequence[str], type_: str) -> Path:
        """The first of those fields that the answer has, near its top."""
        fields = {_plain(path[-1]): path for path, schema in _fields(self.shape, (), 0) if schema.get("type") == type_}
        return next((fields[name] for name in names if name in fields), ())


def _fields(shape: JsonObject, path: Path, depth: int) -> Iterator[tuple[Path, JsonObject]]:
    """The fields of an answer and of what usually holds what is said of its pages, the outer ones last."""
    properties = as_object(shape.get("properties"))
    for name, schema in properties.items():
        if depth < _DEEPEST and _plain(name) in _AROUND:
            yield from _fields(schema, (*path, name), depth + 1)
    yield from (((*path, name), schema) for name, schema in properties.items())


def _items(shape: JsonObject, path: str) -> Path | None:
    """Where the list of an answer is: itself, the only one, or the one with a name for lists or that of the path."""
    if shape.get("type") == "array":
        return ()
    lists = [name for name, schema in _inside(shape).items() if schema.get("type") == "array"]
    if len(lists) == 1:
        return (lists[0],)
    telling = (*_LISTS, _plain(path.rstrip("/").rpartition("/")[2]))
    named = [name for name in lists if _plain(name) in telling]
    if named:
        return (named[0],)
    return _items_inside(shape)


def _items_inside(shape: JsonObject) -> Path | None:
    """The only list of an object that holds all of the data."""
    for name, inner in _inside(shape).items():
        lists = [own for own, schema in _inside(inner).items() if schema.get("type") == "array"]
        if name in _WHOLE and len(lists) == 1:
            return (name, lists[0])
    return None


def _at(shape: JsonObject, path: Path) -> JsonObject:
    for name in path:
        shape = as_object(_inside(shape).get(name))
    return shape


def _inside(shape: object) -> JsonObject:
    return as_object(as_object(shape).get("properties"))


def _plain(name: str) -> str:
    """`next_page-Token` as `nextpagetoken`."""
    return _MARKS.sub("", name.lower())
