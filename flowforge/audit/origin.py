"""Origin of an act: the account that is signed in, and the address that the request came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

_KEY = "flowforge.audit.origin"


@dataclass(frozen=True, slots=True)
class Origin:
    """All None: the instance itself, such as its upkeep."""

    actor_id: UUID | None = None
    address: str | None = None
    request_id: str | None = None
    via: str | None = None
    """`dashboard`, `API`, `command line`, or the first characters of a personal access token."""


COMMAND_LINE = Origin(via="command line")


def session_info(origin: Callable[[], Origin]) -> dict[str, object]:
    """Makes the `info` of sessions, which is asked for the origin of whatever is recorded in them."""
    return {_KEY: origin}


def origin_of(session: Session) -> Origin:
    ask: Callable[[], Origin] = session.info.get(_KEY, Origin)
    return ask()
