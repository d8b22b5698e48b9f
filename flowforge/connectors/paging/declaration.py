"""The declaration of how an API is paged, as a step's config holds it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, model_validator

from flowforge.connectors.answer_paths import AnswerPath
from flowforge.connectors.config import ConnectorConfig
from flowforge.fields import chosen_by, field
from flowforge.sentences import sentence

MOST_PAGES = 10_000
MOST_ITEMS = 1_000_000


def _require_path(text: str) -> str:
    AnswerPath.read(text)
    return text


Path = Annotated[str, AfterValidator(_require_path)]


class Paging(ConnectorConfig):
    """The ways in which APIs tell where the next page is. A key that is none of these is an error."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=chosen_by("by"))

    by: Literal["header", "link", "cursor", "page", "offset"] = field(
        title="Next page by",
        description="header: the header Link; link: an address in the answer; cursor: a text of the answer that is sent"
        " along; page, offset: a number that counts up.",
        labels={
            "header": "A link in the header Link",
            "link": "A link in the answer",
            "cursor": "A cursor in the answer",
            "page": "Page numbers",
            "offset": "Offsets",
        },
    )
    at: Path | None = field(
        None,
        title="Found at",
        description="The link or cursor in the answer: body.paging.next, headers.x-next-cursor.",
        required_for=("link", "cursor"),
    )
    parameter: str | None = field(
        None,
        title="Sent as",
        description="The parameter of cursor, page or offset. Empty: that word itself.",
        only_for=("cursor", "page", "offset"),
    )
    sent_in: Literal["query", "body"] = field(
        "query",
        title="Sent in",
        labels={"query": "The query", "body": "The body"},
        only_for=("cursor", "page", "offset"),
    )
    first: int | None = field(
        None,
        title="First number",
        description="Empty: 1 for pages, 0 for offsets.",
        ge=0,
        only_for=("page", "offset"),
    )
    items: Path | None = field(
        None, title="List", description="Where it stands: body.data. Empty: the body, or the only list in it."
    )
    more: Path | None = field(None, title="More", description="Field that is false on the last page: body.has_more.")
    total: Path | None = field(None, title="Items in all", description="Where their number stands: body.total.")
    page_count: Path | None = field(None, title="Pages in all", description="Where their number stands: body.pages.")
    max_pages: int | None = field(None, title="Maximum pages", ge=1, le=MOST_PAGES)
    max_items: int | None = field(None, title="Maximum items", ge=1, le=MOST_ITEMS)

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.by in ("link", "cursor") and not self.at:
            raise ValueError(sentence("at is required: where the %(by)s stands in the answer", by=self.by))
        if self.sent_in == "body":
            AnswerPath.read(self.sent_as)
        return self

    @property
    def counts(self) -> bool:
        """Whether pages are asked for by a number."""
        return self.by in ("page", "offset")

    @property
    def first_number(self) -> int:
        return self.first if self.first is not None else int(self.by == "page")

    @property
    def sent_as(self) -> str:
        """The parameter of cursor, page or offset."""
        return self.parameter or self.by
