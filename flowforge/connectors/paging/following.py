"""The page that follows, as an answer tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flowforge.connectors.answer_paths import AnswerPath
from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.paging.declaration import Paging
from flowforge.connectors.paging.page import ONLY_PAGE, Page, next_in_header
from flowforge.jsonio import JsonObject


def first_page(paging: Paging) -> Page:
    return _asking_for(paging, paging.first_number) if paging.counts else ONLY_PAGE


@dataclass(frozen=True, slots=True)
class Following:
    """`url`: the step's own. `may_go_elsewhere`: whether a link may lead to another origin."""

    paging: Paging
    url: str
    may_go_elsewhere: bool

    def after(self, answer: JsonObject, number: int, read: int, *, is_empty: bool) -> Page | None:
        """The page after page `number`, up to which `read` items were; None after the last. Raises ConnectorError."""
        if self._is_last(answer, number, read, is_empty=is_empty):
            return None
        match self.paging.by:
            case "header":
                return self._at(next_in_header(answer["headers"].get("link", "")))
            case "link":
                return self._at(self._told(answer))
            case "cursor":
                cursor = self._told(answer)
                return None if cursor is None else _asking_for(self.paging, cursor)
            case "page":
                return _asking_for(self.paging, self.paging.first_number + number)
            case "offset":
                return _asking_for(self.paging, self.paging.first_number + read)

    def _is_last(self, answer: JsonObject, number: int, read: int, *, is_empty: bool) -> bool:
        if self.paging.counts and is_empty:
            return True
        if self.paging.more and not AnswerPath.read(self.paging.more).find(answer):
            return True
        totals = ((self.paging.total, read), (self.paging.page_count, number))
        return any(count >= _number_at(path, answer) for path, count in totals if path)

    def _told(self, answer: JsonObject) -> str | int | None:
        """The link or cursor of the answer; None where it has none. Raises ConnectorError."""
        at = self.paging.at or ""
        value = AnswerPath.read(at).find(answer)
        if value in (None, "", False):
            if self.paging.more:
                raise ConnectorError(f"there is more, but no {self.paging.by} at {at}", permanent=True)
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ConnectorError(f"what stands at {at} is no {self.paging.by}", permanent=True)
        return value

    def _at(self, link: str | int | None) -> Page | None:
        """Raises ConnectorError for a link that leads elsewhere: an answer does not choose who gets what a step sends,
        unless its connection names the hosts that may."""
        if link is None:
            return None
        page = Page(str(link))
        if not self.may_go_elsewhere and not self._is_here(page):
            raise ConnectorError(
                f"the next page is elsewhere ({page.shown}): only a connection that is bound to hosts goes there",
                permanent=True,
            )
        return page

    def _is_here(self, page: Page) -> bool:
        try:
            return _origin(page.url(self.url)) == _origin(self.url)
        except ValueError as error:
            raise ConnectorError("the link to the next page is no address", permanent=True) from error


def _asking_for(paging: Paging, value: str | int) -> Page:
    return Page("", paging.sent_as, value, paging.sent_in)


def _number_at(path: str, answer: Any) -> int:
    """Raises ConnectorError."""
    try:
        return int(AnswerPath.read(path).find(answer))
    except (TypeError, ValueError, OverflowError) as error:
        raise ConnectorError(f"the answer has no number at {path}", permanent=True, answered=True) from error


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url.strip())
    return parts.scheme, parts.hostname, parts.port
