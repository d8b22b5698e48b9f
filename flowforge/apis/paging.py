"""How an operation that lists goes on to the next page, as far as its description shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flowforge.apis.operation import Operation


@dataclass(frozen=True, slots=True)
class PagingGuess:
    """What paging needs to know."""

    kind: Literal["cursor", "page", "offset", "next_link", "link_header"]
    parameter: str = ""
    """The query parameter that takes the cursor, the number of the page, or the offset; empty for links."""
    next: Sequence[str] = ()
    """Where the body has the next cursor or link: the names on the way."""
    items: Sequence[str] = ()
    """Where the body has the list; empty where it is the body."""
    size_parameter: str = ""
    largest_size: int | None = None
    first_page: int = 1
    cursor_of_last: str = ""
    """The field of the last item that is the next cursor, where the body has none of its own (`starting_after`)."""
    more: Sequence[str] = ()
    """Where the body says whether there is more (`has_more`)."""


def paging_guess(operation: Operation) -> PagingGuess | None:
    """None where it is not plain."""
    raise NotImplementedError
