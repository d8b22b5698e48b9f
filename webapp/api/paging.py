"""Pages: the parameters that choose one, and the envelope it comes in (contract.md, section 1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from flowforge.jsonio import JsonObject
from webapp.query_params import Query, WholeNumber

DEFAULT_SIZE, MAX_SIZE = 20, 200
MOST_LISTED = 1_000
"""The most items that one bare array holds."""
MOST_FOUND = 100
"""The most results on one page of a search."""
HIGHEST_PAGE = 1_000_000
LARGEST_INTEGER = 2_147_483_647
"""PostgreSQL's."""

LenientPage = Annotated[int, WholeNumber(0, HIGHEST_PAGE, default=0, lenient=True, shows_most=True)]
StrictPage = Annotated[int, WholeNumber(0, HIGHEST_PAGE, default=0, shows_most=True)]


class ListQuery(Query):
    """Part of a bare array: all of it at once, up to MOST_LISTED. An unusable page or size is brought into range."""

    page: LenientPage = 0
    size: Annotated[int, WholeNumber(1, MOST_LISTED, default=MOST_LISTED, lenient=True)] = Field(
        MOST_LISTED, description=f"At most {MOST_LISTED:,}."
    )


class PageQuery(Query):
    """One page. An unusable page or size is brought into range."""

    page: LenientPage = 0
    size: Annotated[int, WholeNumber(1, MAX_SIZE, default=DEFAULT_SIZE, lenient=True)] = Field(
        DEFAULT_SIZE, description=f"Cut to {MAX_SIZE}."
    )


class StrictPageQuery(Query):
    """One page. An unusable page or size is refused."""

    page: StrictPage = 0
    size: Annotated[int, WholeNumber(1, MAX_SIZE, default=DEFAULT_SIZE)] = Field(
        DEFAULT_SIZE, description=f"Cut to {MAX_SIZE}."
    )


class SearchQuery(Query):
    size: Annotated[int, WholeNumber(1, MOST_FOUND, default=25, lenient=True)] = Field(
        25, description=f"At most {MOST_FOUND}."
    )


@dataclass(frozen=True, slots=True)
class Sort:
    field: str
    descending: bool = True


@dataclass(frozen=True, slots=True)
class SortableBy:
    """Reads `field,asc` or `field,desc`. For anything else it is the first field, descending."""

    fields: tuple[str, ...]

    def read(self, raw: Any) -> Sort:
        field, _, direction = str(raw).partition(",")
        return Sort(field, direction.strip().lower() == "desc") if field in self.fields else self.default()

    def default(self) -> Sort:
        return Sort(self.fields[0])

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonObject:
        first, fields = self.fields[0], ", ".join(self.fields)
        words = f"field,asc or field,desc; fields: {fields}. Default: {first},desc."
        return {"type": "string", "description": words}


@dataclass(frozen=True, slots=True)
class PageSort:
    """Sort information of a page, as the original implementations give it for a sorted one: always the same."""

    empty: bool = False
    sorted: bool = True
    unsorted: bool = False


@dataclass(frozen=True, slots=True)
class Pageable:
    page_number: int
    page_size: int
    sort: PageSort
    paged: bool = True
    unpaged: bool = False

    @property
    def offset(self) -> int:
        return self.page_number * self.page_size


@dataclass(frozen=True, slots=True)
class Envelope:
    """One page of a list of `total_elements`, with all that the Spring version says of it, a superset of the NestJS
    version's."""

    content: Sequence[object]
    number: int
    size: int
    total_elements: int
    sort: PageSort = PageSort()

    @property
    def total_pages(self) -> int:
        return -(-self.total_elements // self.size)

    @property
    def first(self) -> bool:
        return self.number == 0

    @property
    def last(self) -> bool:
        return self.number >= self.total_pages - 1

    @property
    def empty(self) -> bool:
        return not self.content

    @property
    def number_of_elements(self) -> int:
        return len(self.content)

    @property
    def pageable(self) -> Pageable:
        return Pageable(self.number, self.size, self.sort)
