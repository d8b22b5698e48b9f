"""Reading all pages of a list. Each page that was read is saved, so that a step whose executor died goes on with the
next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flowforge import jsonio
from flowforge.connectors.answer_paths import AnswerPath
from flowforge.connectors.context import StepContext
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.memory import BesideOthers
from flowforge.connectors.one_page import OnePage
from flowforge.connectors.paging.declaration import MOST_PAGES, Paging
from flowforge.connectors.paging.following import Following, first_page
from flowforge.connectors.paging.page import Page
from flowforge.connectors.progress import Part
from flowforge.connectors.step_log import LogLine
from flowforge.jsonio import JsonObject

Fetch = Callable[[Page, StepContext], Awaitable[JsonObject]]
"""Requests a page in a context of its own; gives `body`, `status` and `headers` as a step's output has them. Raises
ConnectorError."""


async def read_pages(paging: Paging, url: str, context: StepContext, fetch: Fetch) -> JsonObject:
    """All pages as one list: `items`, how many `pages` were read, and whether the list is `complete` or was cut at
    `maxPages` or `maxItems`. `url`: the step's own. A step that reads one page at a time gives that one, and with
    `next` where it ends. Raises ConnectorError, which names the page."""
    if context.page is not None:
        return await _read_page(_Reading(paging, url, context), context.page, fetch)
    reading = _Reading(paging, url, context)
    await context.in_thread(reading.go_on)
    while reading.next is not None:
        await reading.take(reading.next, fetch)
    return reading.output()


async def _read_page(reading: _Reading, page: OnePage, fetch: Fetch) -> JsonObject:
    """The page after the one before, or what an earlier run of the step has kept of it."""
    in_thread = reading.context.in_thread
    reading.go_on_at(await in_thread(page.after))
    has_read_it = await in_thread(reading.go_on)
    if not has_read_it and reading.next is not None:
        await reading.take(reading.next, fetch)
    return {**reading.output(), "next": page.sealed(reading.place()) if reading.next else None}


def pages_sample(paging: Paging, answer: JsonObject) -> JsonObject:
    """An output as `read_pages` gives it, made of one answer."""
    found = _find_items(paging, answer)
    return {"items": found if isinstance(found, list) else [], "pages": 1, "complete": True}


@dataclass(slots=True)
class _Reading:
    paging: Paging
    url: str
    context: StepContext
    items: list[Any] = field(default_factory=list)
    number: int = 1
    """The number of the page that is read next, from 1."""
    next: Page | None = None
    complete: bool = False
    size: int = 0
    """Bytes of JSON of the items."""
    before: int = 0
    """Items of pages that other runs have read."""
    last: str = ""
    """Tells the items of the page before from others."""
    seen: set[str] = field(default_factory=set)
    mark: str = ""
    """The identity of a page that was read, for a list of which each page is read by another run."""

    def __post_init__(self) -> None:
        self.next = first_page(self.paging)
        self.seen.add(self.next.identity)

    def go_on_at(self, place: JsonObject | None) -> None:
        """Goes on where another run has ended; None: at the beginning."""
        if place is not None:
            self.next = Page(**place["page"])
            self.number, self.before, self.last, self.mark = (place[key] for key in _OF_PLACE)
            self.seen = {self.next.identity, self.mark}

    def go_on(self) -> bool:
        """Goes on after what an earlier run of the step has kept, in which it may block; returns whether there is
        any."""
        kept = self.context.progress.parts()
        for part in kept:
            self.take_over(part, self.size_with(part))
        return bool(kept)

    def place(self) -> JsonObject:
        """Where it ends. Only one page that was read is remembered, and another one each time that their number has
        doubled: in a circle, however long, the pages come by it again (Brent, 1980)."""
        assert self.next is not None
        mark = self.next.identity if self.number & (self.number - 1) == 0 else self.mark
        return {"page": self.next.as_json(), "number": self.number, "read": self.read, "last": self.last, "mark": mark}

    @property
    def read(self) -> int:
        """Items up to here, those of other runs among them."""
        return self.before + len(self.items)

    def size_with(self, part: Part) -> int:
        """Bytes of JSON of the items up to and with the part."""
        return self.size + len(jsonio.dumps(part.items))

    def take_over(self, part: Part, size: int) -> None:
        """Goes on after a page that was read before; `size`: that of the items with it."""
        self.items += part.items
        self.last = _digest(part.items) if self.paging.counts else ""
        self.size = size
        self.next = Page(**part.next) if part.next is not None else None
        self.complete = part.complete
        self.number += 1
        if self.next is not None:
            self.seen.add(self.next.identity)

    async def take(self, page: Page, fetch: Fetch) -> None:
        """Reads a page, and saves it with where it goes on. Raises ConnectorError, which names the page."""
        try:
            answer = await fetch(page, self._context)
            part, size = await self.context.in_thread(partial(self._checked, answer), computes=True)
        except ConnectorError as error:
            raise _on_page(self.number, error) from error
        await self.context.in_thread(partial(self._keep, part, size))

    def _checked(self, answer: JsonObject) -> tuple[Part, int]:
        """The part that an answer holds, and bytes of JSON of the items up to it. Raises ConnectorError."""
        part = self._part_of(answer)
        size = self.size_with(part)
        self._require_room(size)
        self._require_new(part)
        return part, size

    def _keep(self, part: Part, size: int) -> None:
        self.context.progress.add(part)
        self.take_over(part, size)
        self.context.log.add([LogLine(_in_words(part, self.read))])

    def output(self) -> JsonObject:
        return {"items": self.items, "pages": self.number - 1, "complete": self.complete}

    @property
    def _context(self) -> StepContext:
        """The context of a page: each is a call of its own to a receiver that drops repeats, and its answer is held
        beside the items up to here."""
        suffix = "" if self.number == 1 else f"-{self.number}"
        return replace(
            self.context,
            idempotency_key=f"{self.context.idempotency_key}{suffix}",
            memory=BesideOthers(self.context.memory, self.size),
        )

    def _part_of(self, answer: JsonObject) -> Part:
        found = self._items_of(answer)
        self._require_another(found)
        following = self._following.after(answer, self.number, self.read + len(found), is_empty=not found)
        wanted = found if self._wanted is None else found[: self._wanted]
        complete = following is None and len(wanted) == len(found)
        is_enough = len(wanted) == self._wanted or self.number == self.paging.max_pages
        return Part(self.number, wanted, following.as_json() if following and not is_enough else None, complete)

    @property
    def _following(self) -> Following:
        return Following(self.paging, self.url, may_go_elsewhere=bool(self.context.binding.hosts.patterns))

    @property
    def _wanted(self) -> int | None:
        """How many more items are wanted; None: all."""
        return None if self.paging.max_items is None else self.paging.max_items - self.read

    def _items_of(self, answer: JsonObject) -> list[Any]:
        path, found = self.paging.items, _find_items(self.paging, answer)
        if not isinstance(found, list):
            where = f"at {path}" if path else "that could be told to be the one: say where it stands (paging.items)"
            raise ConnectorError(f"the answer has no list {where}", permanent=True, answered=True)
        return found

    def _require_another(self, found: list[Any]) -> None:
        """Raises ConnectorError where an API does not know the number it is sent, and answers the same again."""
        if self.paging.counts and found and _digest(found) == self.last:
            sent = f"does the API know '{self.paging.sent_as}'?"
            raise ConnectorError(f"its items are those of the page before: {sent}", permanent=True)

    def _require_room(self, size: int) -> None:
        """Raises ConnectorError where a step cannot give so much."""
        limit = self.context.output_limit
        if size > limit:
            raise ConnectorError(
                f"the list has {size:,} bytes up to here; a step gives {limit:,} at most. Read fewer (maxItems)", True
            )

    def _require_new(self, part: Part) -> None:
        """Raises ConnectorError where the pages lead in a circle, or are too many."""
        page = Page(**part.next) if part.next is not None else None
        if page is not None and page.identity in self.seen:
            raise ConnectorError(f"the next page is one that was read already ({page.shown})", permanent=True)
        if page is not None and part.number == MOST_PAGES:
            raise ConnectorError(f"there are more than {MOST_PAGES:,} pages", permanent=True)


_OF_PLACE = ("number", "read", "last", "mark")


def _digest(items: list[Any]) -> str:
    return hashlib.sha256(jsonio.dumps(items)).hexdigest()


def _in_words(part: Part, read: int) -> str:
    items = "1 item" if len(part.items) == 1 else f"{len(part.items):,} items"
    return f"page {part.number:,}: {items}, {read:,} so far"


def _find_items(paging: Paging, answer: JsonObject) -> Any:
    return AnswerPath.read(paging.items).find(answer) if paging.items else _only_list(answer.get("body"))


def _only_list(body: Any) -> Any:
    """The body, or the one list that it has; None where there is none, or several."""
    if not isinstance(body, Mapping):
        return body
    lists = [value for value in body.values() if isinstance(value, list)]
    return lists[0] if len(lists) == 1 else None


def _on_page(number: int, error: ConnectorError) -> ConnectorError:
    text = str(error) if number == 1 else f"page {number}: {error}"
    return ConnectorError(text, error.permanent, error.retry_after, answered=error.answered)
