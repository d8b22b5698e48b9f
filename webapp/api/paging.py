"""Pages: how they are asked for, and the envelope they come in (contract.md, section 1.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from flask import request

from flowforge.errors import Invalid

DEFAULT_SIZE, MAX_SIZE = 20, 200
MOST_LISTED = 1_000
"""In one bare array."""
_HIGHEST_PAGE = 1_000_000


@dataclass(frozen=True, slots=True)
class PageRequest:
    page: int
    size: int
    sort: str
    descending: bool


class Window(TypedDict):
    page: int
    size: int


def page_request(sortable: Collection[str], default_sort: str, *, strict: bool) -> PageRequest:
    """From the query; of a repeated parameter the first counts. An unusable page or size is brought into range, or,
    where `strict`, refused with Invalid. An unknown sort falls back to the default, newest first."""
    field, _, direction = request.args.get("sort", "").partition(",")
    if field not in sortable:
        field, direction = default_sort, "desc"
    return PageRequest(
        page=_number("page", 0, 0, _HIGHEST_PAGE, strict),
        size=_number("size", DEFAULT_SIZE, 1, MAX_SIZE, strict),
        sort=field,
        descending=direction.strip().lower() == "desc",
    )


def window() -> Window:
    """Of a bare array: all of it at once, up to MOST_LISTED. An unusable page or size is brought into range."""
    return {
        "page": _number("page", 0, 0, _HIGHEST_PAGE, strict=False),
        "size": _number("size", MOST_LISTED, 1, MOST_LISTED, strict=False),
    }


def envelope(asked: PageRequest, content: Sequence[Any], total: int) -> dict[str, Any]:
    """The Spring version's whole set, a superset of the NestJS version's."""
    pages = -(-total // asked.size)
    sort = {"empty": False, "sorted": True, "unsorted": False}
    return {
        "content": content,
        "number": asked.page,
        "size": asked.size,
        "totalElements": total,
        "totalPages": pages,
        "first": asked.page == 0,
        "last": asked.page >= pages - 1,
        "empty": not content,
        "numberOfElements": len(content),
        "sort": sort,
        "pageable": {
            "pageNumber": asked.page,
            "pageSize": asked.size,
            "offset": asked.page * asked.size,
            "paged": True,
            "unpaged": False,
            "sort": sort,
        },
    }


def whole_number(name: str, default: int, least: int, most: int) -> int:
    """From the query. Raises Invalid for what is none, or too small; what is too large is cut."""
    return _number(name, default, least, most, strict=True)


def _number(name: str, default: int, least: int, most: int, strict: bool) -> int:
    text = request.args.get(name, "")
    try:
        value = int(text) if text else default
    except ValueError:
        if strict:
            raise Invalid.at(f"/{name}", "must be a whole number") from None
        value = default
    if strict and value < least:
        raise Invalid.at(f"/{name}", f"must be at least {least}")
    return max(least, min(value, most))
