"""Filters of lists that somebody has saved under a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flowforge.db.tables import SavedFilterRow
from flowforge.errors import Invalid
from flowforge.sentences import sentence
from flowforge.views import view_of

MOST = 30
LONGEST_NAME = 60
LONGEST_QUERY = 1_000


class Listed(StrEnum):
    """Lists that can be filtered."""

    WORKFLOWS = "workflows"
    EXECUTIONS = "executions"


FIELDS: Mapping[Listed, frozenset[str]] = {
    Listed.WORKFLOWS: frozenset({"q", "state", "tag", "folder", "sort", "reversed"}),
    Listed.EXECUTIONS: frozenset({"q", "workflow", "status", "trigger", "last", "since", "until", "order"}),
}
"""The parts of an address that make up the filter of a list."""


@dataclass(frozen=True, slots=True)
class SavedFilter:
    name: str
    query: str
    """The query of the list's address, such as `status=FAILED`."""


def normal(listed: Listed, query: str) -> str:
    """Return the parts of a query that make up the filter, in the order of their names, without what is empty."""
    asked = dict(parse_qsl(query))
    return urlencode(sorted(part for part in asked.items() if part[0] in FIELDS[listed]), errors="replace")


def all_of(session: Session, user_id: UUID, listed: Listed) -> Sequence[SavedFilter]:
    """List the user's filters of a list, by name."""
    mine = SavedFilterRow.user_id == user_id, SavedFilterRow.listed == listed
    rows = session.execute(
        select(SavedFilterRow.name, SavedFilterRow.query).where(*mine).order_by(func.lower(SavedFilterRow.name))
    )
    return [view_of(SavedFilter, row) for row in rows]


def save(session: Session, user_id: UUID, listed: Listed, name: str, query: str) -> SavedFilter:
    """Save a filter, the normal form of its query; one of the same name is replaced. Commits. Raises Invalid."""
    name = " ".join(name.split())
    query = normal(listed, query) if len(query) <= LONGEST_QUERY else ""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise Invalid.at(
            "/name", sentence("must be a name of at most %(most)s printable characters", most=LONGEST_NAME)
        )
    if not query or len(query) > LONGEST_QUERY:
        raise Invalid.at(
            "/query",
            sentence(
                "must be a filter of at most %(most)s characters, of %(choices)s",
                most=LONGEST_QUERY,
                choices=", ".join(sorted(FIELDS[listed])),
            ),
        )
    row = {"user_id": user_id, "listed": listed, "name": name, "query": query}
    key = SavedFilterRow.user_id, SavedFilterRow.listed, SavedFilterRow.name
    session.execute(insert(SavedFilterRow).values(row).on_conflict_do_update(index_elements=key, set_={"query": query}))
    mine = SavedFilterRow.user_id == user_id, SavedFilterRow.listed == listed
    if (session.scalar(select(func.count()).where(*mine)) or 0) > MOST:
        session.rollback()
        raise Invalid.at("/name", sentence("must be one of at most %(most)s: delete a saved filter first", most=MOST))
    session.commit()
    return SavedFilter(name, query)


def remove(session: Session, user_id: UUID, listed: Listed, name: str) -> bool:
    """Delete a saved filter. Commits. Returns whether there was one."""
    which = SavedFilterRow.user_id == user_id, SavedFilterRow.listed == listed, SavedFilterRow.name == name
    gone = session.scalar(delete(SavedFilterRow).where(*which).returning(SavedFilterRow.name))
    session.commit()
    return gone is not None
