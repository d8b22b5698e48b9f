"""How an operation is paged, as its description shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from flowforge.apis.operation import Operation
from flowforge.apis.paging import PagingGuess, PagingKind, paging_guess
from flowforge.connectors.paging.declaration import Paging

_WAYS: Mapping[PagingKind, Literal["header", "link", "cursor", "page", "offset"]] = {
    "link_header": "header",
    "next_link": "link",
    "cursor": "cursor",
    "page": "page",
    "offset": "offset",
}


_IN_WORDS: Mapping[str, str] = {
    "header": "a link in the header Link",
    "link": "a link in the answer",
    "cursor": "a cursor in the answer",
    "page": "page numbers",
    "offset": "offsets",
}


def described_paging(operation: Operation) -> Paging | None:
    """None where the description does not show plainly that it is paged, and how."""
    guess = paging_guess(operation)
    return None if guess is None else _declared(guess)


def paging_in_words(paging: Paging) -> str:
    """By what it is paged, in half a sentence for people."""
    named = f" ('{paging.sent_as}')" if paging.by in ("cursor", "page", "offset") else ""
    return f"{_IN_WORDS[paging.by]}{named}"


def _declared(guess: PagingGuess) -> Paging:
    return Paging(
        by=_WAYS[guess.kind],
        at=_next(guess),
        parameter=guess.parameter or None,
        first=guess.first_page if guess.kind == "page" else None,
        items=_path(guess.items),
        more=_path(guess.more) if guess.more else None,
    )


def _next(guess: PagingGuess) -> str | None:
    """Where the answer has the link or cursor: in the last item, where it has none of its own."""
    if guess.cursor_of_last:
        return f"{_path(guess.items)}[-1]{_step(guess.cursor_of_last)}"
    return _path(guess.next) if guess.next else None


def _path(names: Sequence[str]) -> str:
    return "body" + "".join(map(_step, names))


def _step(name: str) -> str:
    return f'["{name}"]' if set(name) & set(".[]'") else f".{name}"
